{# The attributes of a customer that attribute_registry may name: columns of erp.customers. #}
{% macro customer_attributes() %}
    {{ return([
        'name', 'vat_number', 'parent_customer_id', 'country', 'region', 'city', 'postal_code', 'industry', 'branch_id',
        'sales_rep_id', 'payment_terms_days', 'credit_limit', 'credit_status', 'customer_kind', 'is_active',
    ]) }}
{% endmacro %}
