{{ stage_records(
    source('erp', 'inventory'),
    key=['product_id', 'branch_id', 'counted_on'],
    optional_key=['branch_id'],
    columns={
        'product_id': 'text',
        'branch_id': 'text',
        'counted_on': 'date',
        'on_hand_quantity': 'quantity',
    },
    keep=true,
) }}
