{{ stage_records(
    source('tpl', 'returns'),
    key=['return_id'],
    columns={
        'return_id': 'text',
        'order_id': 'text',
        'consignee_code': 'text',
        'product_id': 'text',
        'quantity': 'quantity',
        'received_on': 'date',
        'reason': 'text',
    },
    keep=true,
) }}
