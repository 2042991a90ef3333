-- Calendar and fiscal days. A fiscal year is named after the calendar year it ends in.
{% set fiscal_start = var('fiscal_year_start_month') %}
with

days as (
    {{ dbt.date_spine(datepart='day', start_date="cast('1990-01-01' as date)", end_date="cast('2051-01-01' as date)") }}
),

dates as (
    select
        cast(date_day as date) as date_day,
        cast(extract(year from date_day) as integer) as calendar_year,
        cast(extract(month from date_day) as integer) as calendar_month
    from days
)

select
    date_day,
    calendar_year,
    cast(floor((calendar_month + 2) / 3) as integer) as calendar_quarter,
    calendar_month,
    {{ month_start('date_day') }} as month_start,
    {{ month_end('date_day') }} as month_end,
    date_day = {{ month_end('date_day') }} as is_month_end,
    calendar_year + case when {{ fiscal_start }} > 1 and calendar_month >= {{ fiscal_start }} then 1 else 0 end as fiscal_year,
    cast(floor(mod(calendar_month - {{ fiscal_start }} + 12, 12) / 3) as integer) + 1 as fiscal_quarter,
    cast(mod(calendar_month - {{ fiscal_start }} + 12, 12) as integer) + 1 as fiscal_month
from dates
