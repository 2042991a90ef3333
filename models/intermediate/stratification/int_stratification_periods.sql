-- R11, R17: the months a stratification looks at, profit_months long, for the last month-ends: a year of movement beside the current
-- one. The current period is that of the profit marts.
with

profit_periods as (
    select period_from, period_to from {{ ref('int_profit_periods') }}
),

evaluation_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_month_end
)

select period_from, period_to, true as is_current
from profit_periods
union all
select
    {{ add_months(add_days('evaluation_dates.evaluation_date', 1), '-' ~ var('profit_months')) }} as period_from,
    evaluation_dates.evaluation_date as period_to,
    false as is_current
from evaluation_dates
inner join profit_periods
    on evaluation_dates.evaluation_date < profit_periods.period_to
    and evaluation_dates.evaluation_date >= {{ add_days(add_months(add_days('profit_periods.period_to', 1), '1 - ' ~ var('stratification_months')), -1) }}
