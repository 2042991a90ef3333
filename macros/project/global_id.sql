{# The id of a native key everywhere downstream: <source_system>:<native id>, null for an empty key. #}
{% macro global_id(source_system, native_id) -%}
    {{ source_system }} || ':' || {{ native_id }}
{%- endmacro %}
