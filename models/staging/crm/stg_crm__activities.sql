{{ stage_records(
    source('crm', 'activities'),
    key=['activity_id'],
    columns={
        'activity_id': 'text',
        'account_id': 'text',
        'activity_type': 'text',
        'performed_on': 'date',
        'duration_minutes': 'integer',
        'owner_id': 'text',
    },
    keep=true,
) }}
