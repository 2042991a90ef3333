{# How a table by month is kept from run to run: every row has the fingerprint of its month, which a table of months knows (int_sales_months,
   int_driver_months, int_cost_months, int_activity_months, int_stratification_inputs). Before the insert the months go out whose fingerprint is
   another one now; those that are not there come in. `key`: what the table of months calls them. #}
{% macro keep_months(month, months, fingerprint, key='month_from') -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook='{{ drop_months_due("' ~ month ~ '", "' ~ months ~ '", "' ~ fingerprint ~ '", "' ~ key ~ '") }}'
    ) }}
{%- endmacro %}


{% macro drop_months_due(month, months, fingerprint, key) -%}
    {%- set months = ref(months) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where not exists (
        select 1 from {{ months }} as months
        where months.{{ key }} = {{ this }}.{{ month }} and months.{{ fingerprint }} = {{ this }}.input_fingerprint
    )
    {%- endif -%}
{%- endmacro %}


{# The months to be summed, with their fingerprints. #}
{% macro months_due(month, months, fingerprint, key='month_from') -%}
    select {{ key }} as month_from, {{ fingerprint }} as input_fingerprint
    from {{ ref(months) }}
    where {{ fingerprint }} is not null
    {%- if is_incremental() %}
        and {{ key }} not in (select distinct {{ month }} from {{ this }})
    {%- endif %}
{%- endmacro %}


{# A condition: the month is to be summed. True of all of them where everything is made anew. #}
{% macro is_month_due(month) -%}
    {{ month ~ ' in (select months_due.month_from from months_due)' if is_incremental() else 'true' }}
{%- endmacro %}
