{{ stage_records(
    source('erp', 'order_lines'),
    key=['order_id', 'line_number'],
    columns={
        'order_id': 'text',
        'line_number': 'integer',
        'product_id': 'text',
        'quantity': 'quantity',
        'unit_price': 'amount',
        'discount_amount': 'amount',
        'promised_on': 'date',
        'status': 'text',
    },
    header={'model': 'stg_erp__orders', 'key': ['order_id'], 'columns': {'order_date': 'date', 'customer_id': 'text'}},
    keep=true,
) }}
