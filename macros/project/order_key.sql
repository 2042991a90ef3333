{# The order a document counts for by itself: the order it names, else the document. Orders and invoices may have the same
   numbers, so the key of a document says that it is one. `document` has source_system, order_id and invoice_id. #}
{% macro order_key(document) -%}
    coalesce({{ global_id(document ~ '.source_system', document ~ '.order_id') }}, 'invoice:' || {{ global_id(document ~ '.source_system', document ~ '.invoice_id') }})
{%- endmacro %}
