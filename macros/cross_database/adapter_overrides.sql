{# What adapters do otherwise than this project needs. #}

{# Columns of an incremental model whose type is another one now. A contract writes varchar and numeric(18, 2) where the rows of a run come as
   text and numeric: on PostgreSQL these are one type with and without a limit, and dbt would stop the second run. #}
{% macro postgres__diff_column_data_types(source_columns, target_columns) %}
    {%- set result = [] -%}
    {%- for source_column in source_columns -%}
        {%- set target_column = target_columns | selectattr('name', 'equalto', source_column.name) | first -%}
        {%- set families = [] -%}
        {%- for column in [source_column, target_column] if column -%}
            {%- do families.append('text' if column.is_string() else 'numeric' if column.is_numeric() else column.data_type) -%}
        {%- endfor -%}
        {%- if target_column and families[0] != families[1] -%}
            {%- do result.append({'column_name': target_column.name, 'new_type': source_column.data_type}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(result) }}
{% endmacro %}
