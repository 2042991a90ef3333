{{ stage_records(
    source('erp', 'driver_quantities'),
    key=['driver', 'customer_id', 'driver_month'],
    optional_key=['customer_id'],
    columns={
        'driver': 'text',
        'customer_id': 'text',
        'driver_month': 'date',
        'quantity': 'quantity',
    },
    keep=true,
) }}
