{{ stage_records(
    source('tpl', 'charges'),
    key=['charge_id'],
    columns={
        'charge_id': 'text',
        'shipment_id': 'text',
        'charge_type': 'text',
        'amount': 'amount',
        'currency': 'text',
        'charged_on': 'date',
    },
    required=['amount', 'currency', 'charged_on'],
) }}
