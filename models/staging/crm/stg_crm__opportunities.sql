{{ stage_records(
    source('crm', 'opportunities'),
    key=['opportunity_id'],
    columns={
        'opportunity_id': 'text',
        'account_id': 'text',
        'stage': 'text',
        'amount': 'amount',
        'currency': 'text',
        'created_on': 'date',
        'closed_on': 'date',
    },
) }}
