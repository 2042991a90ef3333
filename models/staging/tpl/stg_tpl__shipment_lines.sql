{{ stage_records(
    source('tpl', 'shipment_lines'),
    key=['shipment_id', 'order_id', 'line_number'],
    columns={
        'shipment_id': 'text',
        'order_id': 'text',
        'line_number': 'integer',
        'product_id': 'text',
        'quantity': 'quantity',
    },
    header={'model': 'stg_tpl__shipments', 'key': ['shipment_id'], 'columns': {}},
    keep=true,
) }}
