-- R18: for which day this build speaks, from what was known on which day, and whether that lies behind what has been recorded.
-- History is written by builds that look forward; the others leave it as it is. The day of the run stands for known_on where
-- everything landed counts.
with

as_of_dates as (
    select evaluation_date as as_of_date from {{ ref('int_evaluation_dates') }} where is_as_of
)
{%- for column in ['as_of_date', 'known_on'] %},

last_{{ column }} as (
    select max(recorded_day) as recorded_day
    from (
        {{ recorded_days(column) | join('\n        union all\n        ') }}
    ) as recorded_days
)
{%- endfor %},

days as (
    select
        as_of_dates.as_of_date,
        cast('{{ var("known_on", none) or run_date() }}' as date) as known_on,
        last_as_of_date.recorded_day as last_as_of_date,
        last_known_on.recorded_day as last_known_on
    from as_of_dates
    cross join last_as_of_date
    cross join last_known_on
)

select
    as_of_date,
    known_on,
    last_as_of_date,
    last_known_on,
    as_of_date >= coalesce(last_as_of_date, as_of_date) and known_on >= coalesce(last_known_on, known_on) as is_forward
from days
