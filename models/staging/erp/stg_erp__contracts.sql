{{ stage_records(
    source('erp', 'contracts'),
    key=['contract_id'],
    columns={
        'contract_id': 'text',
        'customer_id': 'text',
        'valid_from': 'date',
        'valid_to': 'date',
        'committed_annual_amount': 'amount',
        'currency': 'text',
        'service_terms': 'text',
    },
) }}
