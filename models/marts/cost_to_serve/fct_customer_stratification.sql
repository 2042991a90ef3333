-- R17: every customer with its metrics, their grades, the four dimensions, two axes and the quadrant over the profit period, beside where
-- it came from and whether its purchases rise or fall. Customers without anything in the period are here as unknown: nobody is missing.
{% set metrics = stratification_metrics() %}
{% set dimensions = stratification_options().dimension %}
{% set axes = {'value': ['buying_power', 'loyalty'], 'profit': ['profitability', 'cost_to_serve']} %}
with

customers as (
    select customer_id, name, organisation_id, branch_id, sales_rep_id, region, industry, customer_kind from {{ ref('dim_customers') }}
),

periods as (
    select as_of_date, period_from, period_to, {{ add_days(add_months(add_days('period_to', 1), -12), -1) }} as year_before from {{ ref('int_profit_periods') }}
),

versions as (
    select max(version) as version from {{ ref('int_stratification_metrics') }} where is_in_force
),

measured as (
    select * from {{ ref('int_customer_metrics_measured') }}
),

graded as (
    select graded.customer_id, graded.metric, graded.points, graded.is_imputed
    from {{ ref('int_customer_metrics_graded') }} as graded
    inner join periods
        on graded.period_to = periods.period_to
),

grades as (
    select
        {%- for metric in metrics %}
        max(case when metric = '{{ metric }}' then case points when 4 then 'A' when 3 then 'B' when 2 then 'C' else 'D' end end) as {{ metric }}_grade,
        {%- endfor %}
        customer_id
    from graded
    group by customer_id
),

-- By itself: putting names in order costs more than all grades, and few are imputed.
imputed as (
    select customer_id, {{ dbt.listagg('metric', "', '", 'order by metric') }} as imputed_metrics
    from graded
    where is_imputed
    group by customer_id
),

stratified as (
    select
        {%- for dimension in dimensions %}
        {{ display_share(dimension ~ '_known_weight', dimension ~ '_total_weight') }} as {{ dimension }}_coverage,
        {%- endfor %}
        *
    from {{ ref('int_customers_stratified') }}
),

month_ends as (
    select
        periods.period_to,
        periods.year_before,
        max(stratification_periods.period_to) as previous_to
    from periods
    left join {{ ref('int_stratification_periods') }} as stratification_periods
        on periods.period_to > stratification_periods.period_to
    group by periods.period_to, periods.year_before
),

current_quadrants as (
    select stratified.customer_id, stratified.quadrant
    from stratified
    inner join month_ends
        on stratified.period_to = month_ends.period_to
),

-- Who was there before and is silent now is unknown now.
quadrants_before as (
    select
        stratified.customer_id,
        max(case when stratified.period_to = month_ends.previous_to then stratified.quadrant end) as previous_quadrant,
        max(case when stratified.period_to = month_ends.year_before then stratified.quadrant end) as year_before_quadrant,
        max(case when stratified.quadrant <> coalesce(current_quadrants.quadrant, 'unknown') then stratified.period_to end) as last_other_month_end
    from stratified
    cross join month_ends
    left join current_quadrants
        on stratified.customer_id = current_quadrants.customer_id
    group by stratified.customer_id
),

trends as (
    select * from {{ ref('int_customer_trends_compared') }}
)

select
    customers.customer_id,
    customers.name,
    customers.organisation_id,
    customers.branch_id,
    customers.sales_rep_id,
    customers.region,
    customers.industry,
    customers.customer_kind,
    periods.as_of_date,
    periods.period_from,
    periods.period_to,
    versions.version as stratification_version,
    case when stratified.quadrant is not null then stratified.quadrant when customers.customer_kind in ('internal', 'test') then 'excluded' else 'unknown' end as quadrant,
    {%- for axis, halves in axes.items() %}
    {%- set weights = 'stratified.' ~ halves[0] ~ '_weight * stratified.' ~ halves[1] ~ '_weight' %}
    cast({{ display_fraction(
        'cast(stratified.' ~ halves[0] ~ '_points * stratified.' ~ halves[1] ~ '_weight + stratified.' ~ halves[1] ~ '_points * stratified.' ~ halves[0] ~ '_weight as numeric(24, 0))',
        'cast(2 * ' ~ weights ~ ' as numeric(24, 0))'
    ) }} as numeric(9, 6)) as {{ axis }}_axis,
    {%- endfor %}
    {%- for dimension in dimensions %}
    cast({{ display_fraction('stratified.' ~ dimension ~ '_points', 'stratified.' ~ dimension ~ '_weight') }} as numeric(9, 6)) as {{ dimension }}_score,
    {%- endfor %}
    {%- for dimension in dimensions %}
    cast(coalesce(stratified.{{ dimension }}_coverage, 0) as numeric(9, 6)) as {{ dimension }}_coverage,
    {%- endfor %}
    cast(coalesce(least(stratified.{{ dimensions | join('_coverage, stratified.') }}_coverage), 0) as numeric(9, 6)) as min_coverage,
    case when coalesce(stratified.has_low_coverage, true) then 'low_coverage' else 'ok' end as coverage_flag,
    coalesce(stratified.imputed_count, 0) > 0 as is_imputed,
    imputed.imputed_metrics,
    {%- for metric, definition in metrics.items() %}
    {%- if definition.denominator is defined %}
    {{ display_fraction('measured.' ~ definition.numerator, 'measured.' ~ definition.denominator) }} as {{ metric }},
    {%- else %}
    measured.{{ metric }},
    {%- endif %}
    {%- endfor %}
    {%- for metric in metrics %}
    grades.{{ metric }}_grade,
    {%- endfor %}
    quadrants_before.previous_quadrant,
    quadrants_before.year_before_quadrant,
    {{ add_days(add_months(add_days('quadrants_before.last_other_month_end', 1), 1), -1) }} as quadrant_since,
    coalesce(trends.recent_net_sales, 0) as recent_net_sales,
    coalesce(trends.year_before_net_sales, 0) as year_before_net_sales,
    coalesce(trends.recent_net_profit, 0) as recent_net_profit,
    coalesce(trends.year_before_net_profit, 0) as year_before_net_profit,
    coalesce(trends.sales_trend, 'none') as sales_trend
from customers
cross join periods
cross join versions
left join measured
    on customers.customer_id = measured.customer_id
    and periods.period_to = measured.period_to
left join stratified
    on customers.customer_id = stratified.customer_id
    and periods.period_to = stratified.period_to
left join grades
    on customers.customer_id = grades.customer_id
left join imputed
    on customers.customer_id = imputed.customer_id
left join quadrants_before
    on customers.customer_id = quadrants_before.customer_id
left join trends
    on customers.customer_id = trends.customer_id
