{# Lets a role read the public marts and nothing else, also while a build replaces them: what is made later in these schemas is readable from
   its first moment. DuckDB and Spark have no roles of their own: there it is the file or the catalog that is open or not. #}
{% macro grant_readers() %}
    {%- if execute and flags.WHICH in ['build', 'run'] -%}
        {{ return(adapter.dispatch('grant_readers', 'stratum')() | join('; ')) }}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}
{% macro default__grant_readers() %} {{ return([]) }} {% endmacro %}
{% macro postgres__grant_readers() %}
    {%- set reader = env_var('STRATUM_READER_ROLE', 'stratum_reader') -%}
    {%- set schemas = [] -%}
    {%- for node in hashed_nodes() if node.resource_type == 'model' and node.schema not in schemas -%} {%- do schemas.append(node.schema) -%} {%- endfor -%}
    {%- set statements = [] -%}
    {%- if run_query("select 1 from pg_roles where rolname = " ~ text_literal(reader)).rows -%}
        {%- set role = adapter.quote(reader) -%}
        {%- for found in run_query("select nspname from pg_namespace where nspname in ('" ~ schemas | join("', '") ~ "') order by nspname").rows -%}
            {%- set schema = adapter.quote(found[0]) -%}
            {%- do statements.extend([
                'grant usage on schema ' ~ schema ~ ' to ' ~ role,
                'grant select on all tables in schema ' ~ schema ~ ' to ' ~ role,
                'alter default privileges in schema ' ~ schema ~ ' grant select on tables to ' ~ role,
            ]) -%}
        {%- endfor -%}
    {%- elif env_var('STRATUM_READER_ROLE', '') -%}
        {{ exceptions.raise_compiler_error('STRATUM_READER_ROLE names ' ~ reader ~ ', and the server has no such role; run once as its administrator: create role ' ~ reader ~ ' login') }}
    {%- endif -%}
    {{ return(statements) }}
{% endmacro %}
