{# Text is called varchar in the types of the seeds, which Spark has with a length only. #}
{% macro seed_with_spark_types(model) -%}
    {%- set types = {} -%}
    {%- for column, type in model['config'].get('column_types', {}).items() -%}
        {%- do types.update({column: dbt.type_string() if type == 'varchar' else type}) -%}
    {%- endfor -%}
    {{ return(dict(model, config=dict(model['config'], column_types=types))) }}
{%- endmacro %}
{% macro spark__create_csv_table(model, agate_table) -%}
    {{ return(dbt.spark__create_csv_table(seed_with_spark_types(model), agate_table)) }}
{%- endmacro %}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {{ return(dbt.spark__load_csv_rows(seed_with_spark_types(model), agate_table)) }}
{%- endmacro %}
