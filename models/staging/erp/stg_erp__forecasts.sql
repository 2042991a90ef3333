{{ stage_records(
    source('erp', 'forecasts'),
    key=['product_id', 'customer_id', 'branch_id', 'forecast_month', 'made_on'],
    optional_key=['customer_id', 'branch_id'],
    columns={
        'product_id': 'text',
        'customer_id': 'text',
        'branch_id': 'text',
        'forecast_month': 'date',
        'made_on': 'date',
        'quantity': 'quantity',
    },
    keep=true,
) }}
