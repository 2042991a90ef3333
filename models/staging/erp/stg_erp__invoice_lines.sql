{{ stage_records(
    source('erp', 'invoice_lines'),
    key=['invoice_id', 'line_number'],
    columns={
        'invoice_id': 'text',
        'line_number': 'integer',
        'product_id': 'text',
        'quantity': 'quantity',
        'list_amount': 'amount',
        'discount_amount': 'amount',
        'net_amount': 'amount',
        'cost_amount': 'amount',
    },
    required=['net_amount'],
) }}
