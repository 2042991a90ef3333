{{ stage_records(
    source('tpl', 'shipments'),
    key=['shipment_id'],
    columns={
        'shipment_id': 'text',
        'erp_source_system': 'text',
        'order_id': 'text',
        'consignee_code': 'text',
        'carrier': 'text',
        'service_level': 'text',
        'shipped_on': 'date',
        'promised_on': 'date',
        'delivered_on': 'date',
        'weight_kg': 'quantity',
        'package_count': 'integer',
    },
    keep=true,
) }}
