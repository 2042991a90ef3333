{# First and last day of the month of a date, and whole months added to a date, as dates on every engine. #}
{% macro month_start(date) -%}
    cast({{ dbt.date_trunc('month', date) }} as date)
{%- endmacro %}

{% macro month_end(date) -%}
    cast({{ dbt.last_day(date, 'month') }} as date)
{%- endmacro %}

{% macro days_in_month(date) -%}
    cast(extract(day from {{ month_end(date) }}) as integer)
{%- endmacro %}

{% macro add_months(date, months) -%}
    cast({{ dbt.dateadd('month', months, date) }} as date)
{%- endmacro %}

{% macro add_days(date, days) -%}
    cast({{ dbt.dateadd('day', days, date) }} as date)
{%- endmacro %}

{# The day after which nothing can have happened: no wall clock in a model, the run's own start (R11). #}
{% macro run_date() -%}
    {{ return(run_started_at.strftime('%Y-%m-%d')) }}
{%- endmacro %}


{# A date as yyyy-mm-dd, whatever the session shows dates as. #}
{% macro iso_date(date) -%}
    {{ return(adapter.dispatch('iso_date', 'stratum')(date)) }}
{%- endmacro %}
{% macro default__iso_date(date) -%}
    cast(cast({{ date }} as date) as {{ dbt.type_string() }})
{%- endmacro %}
{% macro postgres__iso_date(date) -%}
    to_char(cast({{ date }} as date), 'YYYY-MM-DD')
{%- endmacro %}


{# A moment as yyyy-mm-dd hh:mm:ss.ffffff. #}
{% macro iso_timestamp(moment) -%}
    {{ return(adapter.dispatch('iso_timestamp', 'stratum')(moment)) }}
{%- endmacro %}
{% macro default__iso_timestamp(moment) -%}
    strftime(cast({{ moment }} as timestamp), '%Y-%m-%d %H:%M:%S.%f')
{%- endmacro %}
{% macro postgres__iso_timestamp(moment) -%}
    to_char(cast({{ moment }} as timestamp), 'YYYY-MM-DD HH24:MI:SS.US')
{%- endmacro %}
{% macro spark__iso_timestamp(moment) -%}
    date_format(cast({{ moment }} as timestamp), 'yyyy-MM-dd HH:mm:ss.SSSSSS')
{%- endmacro %}
