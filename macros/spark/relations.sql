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


{# A row that changes twice on one logical day has the same dbt_scd_id both times. dbt-spark would match the new version with the one it
   closes, which Spark refuses; as on the other engines, only closes are matched and new versions are appended. #}
{% macro spark__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    merge into {{ target }} as DBT_INTERNAL_DEST
    using {{ source.identifier if target.is_iceberg else source }} as DBT_INTERNAL_SOURCE
    on DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ columns.dbt_scd_id }}
        and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
        and DBT_INTERNAL_DEST.{{ columns.dbt_valid_to }} is null
    when matched then update set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    when not matched and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert' then insert *
{%- endmacro %}
