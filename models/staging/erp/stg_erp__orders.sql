{{ stage_records(
    source('erp', 'orders'),
    key=['order_id'],
    columns={
        'order_id': 'text',
        'customer_id': 'text',
        'branch_id': 'text',
        'sales_rep_id': 'text',
        'order_date': 'date',
        'requested_on': 'date',
        'channel': 'text',
        'is_rush': 'boolean',
        'status': 'text',
        'currency': 'text',
        'contract_id': 'text',
    },
    keep=true,
) }}
