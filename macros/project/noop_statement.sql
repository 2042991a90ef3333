{# dbt's macro of this name, which only seeds use, less one line: it does not write the rendered SQL to target/run. For
   a seed outside the project that path is the seed itself, and dbt 1.12 would overwrite the file people edit. #}
{% macro noop_statement(name=None, message=None, code=None, rows_affected=None, res=None) -%}
    {%- set sql = caller() -%}
    {%- if name is not none -%}
        {{ store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) }}
    {%- endif -%}
{%- endmacro %}
