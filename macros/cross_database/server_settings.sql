{# Stops a command where the server is set so that texts would be sorted or moments read otherwise than on the other engines. #}
{% macro check_engine() %}
    {%- if execute -%} {%- do adapter.dispatch('check_engine', 'stratum')() -%} {%- endif -%}
{% endmacro %}
{% macro default__check_engine() %} {% endmacro %}
{% macro postgres__check_engine() %}
    {%- set found = run_query("select datcollate, current_setting('TimeZone'), current_user, pg_encoding_to_char(encoding) from pg_database where datname = current_database()").rows[0] -%}
    {%- set problems = [] -%}
    {%- if found[0] not in ['C', 'C.UTF-8', 'C.utf8', 'POSIX'] -%}
        {%- do problems.append('The database ' ~ target.dbname ~ ' sorts text by the rules of ' ~ found[0] ~ ', so equal amounts would stand in another order than elsewhere; make one that sorts by bytes: createdb --template template0 --encoding UTF8 --lc-collate C --lc-ctype C.UTF-8 ' ~ target.dbname) -%}
    {%- endif -%}
    {%- if found[3] != 'UTF8' -%}
        {%- do problems.append('The database ' ~ target.dbname ~ ' is encoded as ' ~ found[3] ~ '; make one with --encoding UTF8.') -%}
    {%- endif -%}
    {%- if found[1] not in ['UTC', 'Etc/UTC', 'Etc/UCT', 'UCT', 'Zulu', 'Etc/Zulu', 'GMT', 'Etc/GMT'] -%}
        {%- do problems.append('The time zone of ' ~ found[2] ~ ' is ' ~ found[1] ~ ", and moments are UTC everywhere; run once: alter role " ~ found[2] ~ " set timezone to 'UTC'") -%}
    {%- endif -%}
    {%- if problems -%} {{ exceptions.raise_compiler_error('The server is not set up for Stratum:\n  ' ~ problems | join('\n  ')) }} {%- endif -%}
{% endmacro %}


{# Tells the planner how large a new table is: without it a server takes every new table for a small one. #}
{% macro gather_statistics() %}
    {{ return(adapter.dispatch('gather_statistics', 'stratum')()) }}
{% endmacro %}
{% macro default__gather_statistics() %} {{ return('') }} {% endmacro %}
{% macro postgres__gather_statistics() %}
    {{ return('analyze ' ~ this if config.get('materialized') != 'view' else '') }}
{% endmacro %}


{# Whole tables are joined, and none has an index: a planner that takes a long chain of joins for a single row must not loop over
   them, nor merge them by the first column of a key and filter by the rest, and compiling a statement takes longer than most of them run.
   Holds for the transaction of the model. #}
{% macro plan_for_sets() %}
    {{ return(adapter.dispatch('plan_for_sets', 'stratum')()) }}
{% endmacro %}
{% macro default__plan_for_sets() %} {{ return('') }} {% endmacro %}
{% macro postgres__plan_for_sets() %}
    {{ return('set local enable_nestloop = off; set local enable_mergejoin = off; set local jit = off') }}
{% endmacro %}
