{# A cell out of a row of configuration as snap_configuration holds it, in words; `content` begins with '; '. Null where the cell
   was empty. #}
{% macro recorded_cell(content, column) -%}
    nullif({{ dbt.split_part(dbt.split_part(content, "'; " ~ column ~ "='", 2), "'; '", 1) }}, '')
{%- endmacro %}
