{{ stage_records(
    source('erp', 'sales_reps'),
    key=['sales_rep_id'],
    columns={
        'sales_rep_id': 'text',
        'name': 'text',
        'branch_id': 'text',
        'manager_id': 'text',
    },
) }}
