{# Every raw table of the contract, in the order in which it is reported. `amount` is the column whose sum
   the reconciliation follows from the raw table to the verdicts; `judged_in` names the relation that holds
   the last word on each row where that is not the staging model itself. #}
{% macro raw_tables() %}
    {{ return([
        {'system': 'erp', 'table': 'customers'},
        {'system': 'erp', 'table': 'products'},
        {'system': 'erp', 'table': 'branches'},
        {'system': 'erp', 'table': 'sales_reps'},
        {'system': 'erp', 'table': 'orders'},
        {'system': 'erp', 'table': 'order_lines'},
        {'system': 'erp', 'table': 'invoices', 'judged_in': 'int_invoices_judged'},
        {'system': 'erp', 'table': 'invoice_lines', 'judged_in': 'int_invoice_lines_judged', 'amount': 'net_amount'},
        {'system': 'erp', 'table': 'exchange_rates'},
        {'system': 'erp', 'table': 'quotes', 'amount': 'amount'},
        {'system': 'erp', 'table': 'contracts', 'amount': 'committed_annual_amount'},
        {'system': 'erp', 'table': 'inventory'},
        {'system': 'erp', 'table': 'forecasts'},
        {'system': 'erp', 'table': 'cost_ledger', 'judged_in': 'int_cost_ledger_judged', 'amount': 'amount'},
        {'system': 'erp', 'table': 'driver_quantities'},
        {'system': 'crm', 'table': 'accounts'},
        {'system': 'crm', 'table': 'activities'},
        {'system': 'crm', 'table': 'opportunities', 'amount': 'amount'},
        {'system': 'tpl', 'table': 'shipments'},
        {'system': 'tpl', 'table': 'shipment_lines'},
        {'system': 'tpl', 'table': 'charges', 'judged_in': 'int_charges_judged', 'amount': 'amount'},
        {'system': 'tpl', 'table': 'returns'},
    ]) }}
{% endmacro %}


{% macro is_absent(system, table) %}
    {{ return((system ~ '.' ~ table) in (var('absent_tables', []) or [])) }}
{% endmacro %}


{% macro required_raw_tables() %}
    {{ return(['erp.customers', 'erp.products', 'erp.invoices', 'erp.invoice_lines']) }}
{% endmacro %}
