-- What a customer brought in the last early_warning_months and in the same months a year before: seasons compare with themselves.
{% set measures = ['net_sales', 'gross_margin', 'cost_to_serve', 'net_profit'] %}
with

periods as (
    select
        {{ add_months(add_days('period_to', 1), '-' ~ var('early_warning_months')) }} as recent_from,
        period_to as recent_to,
        {{ add_months(add_days('period_to', 1), '-12 - ' ~ var('early_warning_months')) }} as year_before_from,
        {{ add_days(add_months(add_days('period_to', 1), '-12'), -1) }} as year_before_to
    from {{ ref('int_profit_periods') }}
),

months as (
    select * from {{ ref('fct_customer_costs') }}
),

months_compared as (
    select
        {%- for measure in measures %}
        cast(sum(case when months.cost_month between periods.recent_from and periods.recent_to then months.{{ measure }} else 0 end) as numeric(18, 2)) as recent_{{ measure }},
        cast(sum(case when months.cost_month between periods.year_before_from and periods.year_before_to then months.{{ measure }} else 0 end) as numeric(18, 2)) as year_before_{{ measure }},
        {%- endfor %}
        months.customer_id,
        periods.recent_from,
        periods.recent_to
    from months
    inner join periods
        on months.cost_month between periods.year_before_from and periods.recent_to
    group by months.customer_id, periods.recent_from, periods.recent_to
)

select
    *,
    case
        when recent_net_sales <= 0 and year_before_net_sales <= 0 then 'none'
        when year_before_net_sales <= 0 then 'new'
        when recent_net_sales <= year_before_net_sales * (1 - {{ var('early_warning_fall') }}) then 'falling'
        when recent_net_sales >= year_before_net_sales * (1 + {{ var('early_warning_rise') }}) then 'rising'
        else 'steady'
    end as sales_trend
from months_compared
