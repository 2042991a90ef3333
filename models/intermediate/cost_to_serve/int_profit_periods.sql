-- The months a profit is told for: the last whole months up to the as-of date, as many before them, and the last two by
-- themselves. A month's last day completes it (R11).
with

last_days as (
    select
        evaluation_date as as_of_date,
        {{ add_days(month_start(add_days('evaluation_date', 1)), -1) }} as period_to
    from {{ ref('int_evaluation_dates') }}
    where is_as_of
)

select
    as_of_date,
    {{ add_months(add_days('period_to', 1), '-' ~ var('profit_months')) }} as period_from,
    period_to,
    {{ add_months(add_days('period_to', 1), '-2 * ' ~ var('profit_months')) }} as previous_period_from,
    {{ add_days(add_months(add_days('period_to', 1), '-' ~ var('profit_months')), -1) }} as previous_period_to,
    {{ month_start('period_to') }} as last_month,
    {{ add_months(month_start('period_to'), -1) }} as month_before
from last_days
