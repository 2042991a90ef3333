{{ stage_records(
    source('crm', 'accounts'),
    key=['account_id'],
    columns={
        'account_id': 'text',
        'name': 'text',
        'vat_number': 'text',
        'parent_account_id': 'text',
        'erp_source_system': 'text',
        'erp_customer_id': 'text',
        'country': 'text',
        'postal_code': 'text',
        'industry': 'text',
        'employee_count': 'integer',
        'owner_id': 'text',
    },
) }}
