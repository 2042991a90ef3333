{% set a_day_after_loading = dbt.dateadd('day', 1, 'loaded_at') %}
{{ stage_records(
    source('erp', 'invoices'),
    key=['invoice_id'],
    columns={
        'invoice_id': 'text',
        'customer_id': 'text',
        'invoice_date': 'date',
        'document_type': 'text',
        'order_id': 'text',
        'original_invoice_id': 'text',
        'branch_id': 'text',
        'sales_rep_id': 'text',
        'due_on': 'date',
        'paid_on': 'date',
        'currency': 'text',
    },
    required=['invoice_date', 'document_type', 'currency'],
    rules=[
        {'rule': 'customer_missing', 'when': "customer_id is null",
         'detail': "'customer_id is empty'"},
        {'rule': 'document_type_unknown', 'when': "document_type not in ('invoice', 'credit_note')",
         'detail': "'document_type: \"' || document_type || '\" is neither invoice nor credit_note'"},
        {'rule': 'invoice_date_after_loading', 'when': 'invoice_date > cast(' ~ a_day_after_loading ~ ' as date)',
         'detail': "'invoice_date lies more than a day after loaded_at'"},
    ],
    keep=true,
) }}
