{{ stage_records(
    source('erp', 'quotes'),
    key=['quote_id'],
    columns={
        'quote_id': 'text',
        'customer_id': 'text',
        'sales_rep_id': 'text',
        'quoted_on': 'date',
        'status': 'text',
        'decided_on': 'date',
        'amount': 'amount',
        'currency': 'text',
        'order_id': 'text',
    },
    keep=true,
) }}
