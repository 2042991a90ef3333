{# The charges of the 3PL, staged like the lines of documents (invoice_lines): by a view, and written once, judged (int_charges_judged). #}
{% macro stage_charges(kept_key=none) %}
{{ stage_records(
    source('tpl', 'charges'),
    key=['charge_id'],
    columns=charge_columns(),
    required=['amount', 'currency', 'charged_on'],
    hashed=true,
    kept_key=kept_key,
) }}
{% endmacro %}


{% macro charge_columns() %}
    {{ return({
        'charge_id': 'text',
        'shipment_id': 'text',
        'charge_type': 'text',
        'amount': 'amount',
        'currency': 'text',
        'charged_on': 'date',
    }) }}
{% endmacro %}
