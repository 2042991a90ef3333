{{ stage_records(
    source('erp', 'products'),
    key=['product_id'],
    columns={
        'product_id': 'text',
        'name': 'text',
        'brand': 'text',
        'category': 'text',
        'subcategory': 'text',
        'unit_cost': 'amount',
        'list_price': 'amount',
        'launched_on': 'date',
        'discontinued_on': 'date',
    },
) }}
