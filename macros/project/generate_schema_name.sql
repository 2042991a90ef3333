{# Schema names are a promise (core, segmentation, audit ...), so a custom schema is used as it stands.
   A target whose name is none of the product's (a developer's own) prefixes its schema, so that people
   who share a warehouse do not overwrite each other. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.name in ['duckdb', 'postgres', 'spark'] -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
