{{ stage_records(
    source('erp', 'cost_ledger'),
    key=['cost_pool_id', 'ledger_month', 'organisation_id'],
    optional_key=['organisation_id'],
    columns={
        'cost_pool_id': 'text',
        'ledger_month': 'date',
        'organisation_id': 'text',
        'amount': 'amount',
        'currency': 'text',
    },
    required=['amount', 'currency'],
) }}
