{# Moments are read and shown in the zone of the session; what else the project needs of a Spark fails by itself. #}
{% macro spark__check_engine() %}
    {%- set zone = run_query('set spark.sql.session.timeZone').rows[0][1] -%}
    {%- if zone not in ['UTC', 'Etc/UTC', 'Z', 'GMT', 'Etc/GMT', '+00:00'] -%}
        {{ exceptions.raise_compiler_error('The server is not set up for Stratum:\n  Its sessions have the time zone ' ~ zone ~ ', and moments are UTC everywhere; set spark.sql.session.timeZone to UTC in its spark-defaults.conf.') }}
    {%- endif -%}
{% endmacro %}
