{{ stage_records(
    source('erp', 'branches'),
    key=['branch_id'],
    columns={
        'branch_id': 'text',
        'name': 'text',
        'region': 'text',
        'country': 'text',
    },
) }}
