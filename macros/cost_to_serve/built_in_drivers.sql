{# Drivers counted from facts, and the raw table each is counted from. Where a deployment does not have that table, the quantities
   landed in erp.driver_quantities under the same name stand in, so each unit is counted once either way. #}
{% macro built_in_drivers() %}
    {{ return({
        'orders': ['erp', 'orders'],
        'order_lines': ['erp', 'order_lines'],
        'invoices': ['erp', 'invoices'],
        'shipments': ['tpl', 'shipments'],
        'shipment_weight': ['tpl', 'shipments'],
        'packages': ['tpl', 'shipments'],
        'expedited_shipments': ['tpl', 'shipments'],
        'returns': ['tpl', 'returns'],
        'visits': ['crm', 'activities'],
        'calls': ['crm', 'activities'],
        'support_cases': ['crm', 'activities'],
        'days_outstanding_value': ['erp', 'invoices'],
        'units': ['erp', 'invoice_lines'],
        'net_sales': ['erp', 'invoice_lines'],
    }) }}
{% endmacro %}


{# Those of them that this deployment counts itself. #}
{% macro counted_drivers() %}
    {% set counted = [] %}
    {% for driver, table in built_in_drivers().items() %}
        {% if not is_absent(table[0], table[1]) %}{% do counted.append(driver) %}{% endif %}
    {% endfor %}
    {{ return(counted) }}
{% endmacro %}
