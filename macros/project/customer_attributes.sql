{# The attributes of a customer that attribute_registry may name, with their kinds of cell: columns of erp.customers. #}
{% macro customer_attributes() %}
    {{ return({
        'name': 'text', 'vat_number': 'text', 'parent_customer_id': 'text', 'country': 'text', 'region': 'text', 'city': 'text',
        'postal_code': 'text', 'industry': 'text', 'branch_id': 'text', 'sales_rep_id': 'text', 'payment_terms_days': 'integer',
        'credit_limit': 'amount', 'credit_status': 'text', 'customer_kind': 'text', 'is_active': 'boolean',
    }) }}
{% endmacro %}
