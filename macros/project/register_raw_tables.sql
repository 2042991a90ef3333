{# Runs at the start of every command. It checks that what should have landed has landed, with every column of the
   contract, and returns what there is to do: on DuckDB a view over each raw file, so that a folder of CSV or Parquet
   files reads like tables in the schemas erp, crm and tpl and nothing is loaded. An empty STRATUM_RAW_DATA means that
   the tables are already there. #}
{% macro register_raw_tables() %}
    {%- if execute -%}
        {%- set problems = named_table_problems() -%}
        {%- set statements = [] -%}
        {%- for raw_table in raw_tables() if not is_absent(raw_table.system, raw_table.table) -%}
            {%- set source_node = graph.sources.values()
                | selectattr('source_name', 'equalto', raw_table.system)
                | selectattr('name', 'equalto', raw_table.table) | first -%}
            {%- set landing = adapter.dispatch('raw_table_landing', 'stratum')(source_node) -%}
            {%- do problems.extend(raw_table_problems(source_node, landing)) -%}
            {%- do statements.append(landing.statement) if landing.statement -%}
        {%- endfor -%}
        {%- if problems -%}
            {#- After this error dbt runs no further hook. -#}
            {%- do close_run('failed') -%}
            {{ exceptions.raise_compiler_error('The raw data does not meet the contract:\n  ' ~ problems | join('\n  ')) }}
        {%- endif -%}
        {{ statements | join(';\n') }}
    {%- endif -%}
{% endmacro %}


{% macro named_table_problems() %}
    {% set problems = [] %}
    {% set names = [] %}
    {% for raw_table in raw_tables() %}
        {% do names.append(raw_table.system ~ '.' ~ raw_table.table) %}
    {% endfor %}
    {% for absent in var('absent_tables', []) or [] %}
        {% if absent in required_raw_tables() %}
            {% do problems.append('var absent_tables names ' ~ absent ~ ', which is required: land it and take it off the list.') %}
        {% elif absent not in names %}
            {% do problems.append('var absent_tables names ' ~ absent ~ ', which is no table of the raw contract; write <schema>.<table>, such as crm.activities.') %}
        {% endif %}
    {% endfor %}
    {% for overwritten in var('overwritten_tables', []) or [] if overwritten not in master_tables() %}
        {% do problems.append('var overwritten_tables names ' ~ overwritten ~ ', which is no master table; it may name ' ~ master_tables() | join(', ') ~ '. Documents are told by when they landed.') %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}


{# The sentences on one raw table: not there, or without a column of the contract. #}
{% macro raw_table_problems(source_node, landing) %}
    {% set name = source_node.schema ~ '.' ~ source_node.identifier %}
    {% if landing.columns is none %}
        {{ return(['Raw table ' ~ name ~ ' has not landed in ' ~ landing.place ~ '; the contract is in ' ~ source_node.original_file_path ~ '.'
            ~ ('' if name in required_raw_tables() else ' If this deployment does not have it, add it to var absent_tables.')]) }}
    {% endif %}
    {% set problems = [] %}
    {% for column in source_node.columns if column | lower not in landing.columns %}
        {% do problems.append('Raw table ' ~ name ~ ' has no column ' ~ column ~ ' in ' ~ landing.place ~ '; the contract is in '
            ~ source_node.original_file_path ~ '. The column must exist, its cells may be empty.') %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}


{# Where a raw table stands: its columns (none = it is not there), the place in words and, where one is needed, the
   statement that makes it readable as a table. #}
{% macro default__raw_table_landing(source_node) %}
    {% set relation = adapter.get_relation(database=source_node.database, schema=source_node.schema, identifier=source_node.identifier) %}
    {% set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list if relation is not none else none %}
    {{ return({'columns': columns, 'place': 'schema ' ~ source_node.schema}) }}
{% endmacro %}


{% macro duckdb__raw_table_landing(source_node) %}
    {% set folder = env_var('STRATUM_RAW_DATA', 'sample_data') %}
    {% if folder == '' %}
        {{ return(stratum.default__raw_table_landing(source_node)) }}
    {% endif %}
    {% set stem = folder ~ '/' ~ source_node.schema ~ '/' ~ source_node.identifier %}
    {# A CSV is read as text, every cell judged in staging; short or long rows do not stop the night. Left to itself DuckDB
       may take # for a comment, and its parallel reader cannot pad a short row beside a quoted line break. #}
    {% set readers = {
        stem ~ '.parquet': 'read_parquet',
        stem ~ '/*.parquet': 'read_parquet',
        stem ~ '.csv': 'read_csv',
    } %}
    {% set csv_options = ", header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = false, null_padding = true, comment = '', parallel = false" %}
    {% for path, reader in readers.items() %}
        {% if run_query("select count(*) from glob('" ~ path ~ "')").rows[0][0] > 0 %}
            {% set records = "select * from " ~ reader ~ "('" ~ path ~ "'" ~ (csv_options if reader == 'read_csv') ~ ")" %}
            {{ return({
                'columns': run_query('describe ' ~ records).columns[0].values() | map('lower') | list,
                'place': path,
                'statement': 'create schema if not exists ' ~ source_node.schema ~ ';\ncreate or replace view '
                    ~ source_node.schema ~ '.' ~ source_node.identifier ~ ' as ' ~ records,
            }) }}
        {% endif %}
    {% endfor %}
    {{ return({'columns': none, 'place': stem ~ '.csv or .parquet'}) }}
{% endmacro %}
