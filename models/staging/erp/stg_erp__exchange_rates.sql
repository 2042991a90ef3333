{{ stage_records(
    source('erp', 'exchange_rates'),
    key=['rate_date', 'from_currency', 'to_currency'],
    columns={
        'rate_date': 'date',
        'from_currency': 'text',
        'to_currency': 'text',
        'rate': 'rate',
    },
    required=['rate'],
    rules=[
        {'rule': 'rate_not_positive', 'when': "rate <= 0",
         'detail': "'rate is zero or less'"},
    ],
) }}
