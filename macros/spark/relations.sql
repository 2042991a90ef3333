{# What dbt-spark 1.11 lacks, or does badly, for tables of Iceberg. #}

{# Spark refuses SHOW TABLE EXTENDED where a schema has Iceberg tables, and dbt would then describe every table by itself. Two questions
   tell as much: what is no view is a table of the format that every model has. #}
{% macro spark__list_relations_without_caching(relation) -%}
    {%- if not adapter.check_schema_exists(relation.database, relation.schema) -%} {{ return([]) }} {%- endif -%}
    {%- set views = run_query('show views in ' ~ relation.schema).columns['viewName'].values() -%}
    {%- set relations = [] -%}
    {%- for table in run_query('show tables in ' ~ relation.schema).rows if not table['isTemporary'] -%}
        {%- do relations.append([relation.schema, table['tableName'], false, 'Type: VIEW' if table['tableName'] in views else 'Provider: iceberg']) -%}
    {%- endfor -%}
    {{ return(relations) }}
{%- endmacro %}


{# dbt's macro of this name looks for columns in a snapshot by name and compares them as they come: Spark gives other objects there, and the
   rows that say that something is gone would be written without their key. #}
{% macro get_list_of_column_names(columns) -%}
    {%- set names = [] -%}
    {%- for column in columns -%} {%- do names.append(column.name if column.name is defined else column['col_name']) -%} {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}


{# The contracts call text varchar, which Spark has with a length only. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    {%- set typed_columns = {} -%}
    {%- for name, column in columns.items() -%}
        {%- do typed_columns.update({name: dict(column, data_type=dbt.type_string() if column.data_type == 'varchar' else column.data_type)}) -%}
    {%- endfor -%}
    {{ return(default__get_empty_schema_sql(typed_columns)) }}
{%- endmacro %}


{# Of a key of several columns dbt-spark would add its own copies to the snapshot (dbt_unique_key_1 ...), and find them there twice in the
   next run. #}
{% macro spark__create_columns(relation, columns) -%}
    {%- set own_columns = [] -%}
    {%- for column in columns if not column.name.startswith('dbt_unique_key') -%} {%- do own_columns.append(column) -%} {%- endfor -%}
    {{ dbt.spark__create_columns(relation, own_columns) }}
{%- endmacro %}
