{# The lines of documents, the largest table, are staged by a view and written once, judged (int_invoice_lines_judged). The kept table
   reads of them what it does not have. #}
{% macro stage_invoice_lines(kept_key=none) %}
{{ stage_records(
    source('erp', 'invoice_lines'),
    key=['invoice_id', 'line_number'],
    columns=invoice_line_columns(),
    required=['net_amount'],
    hashed=true,
    kept_key=kept_key,
) }}
{% endmacro %}


{% macro invoice_line_columns() %}
    {{ return({
        'invoice_id': 'text',
        'line_number': 'integer',
        'product_id': 'text',
        'quantity': 'quantity',
        'list_amount': 'amount',
        'discount_amount': 'amount',
        'net_amount': 'amount',
        'cost_amount': 'amount',
    }) }}
{% endmacro %}
