-- How much hangs on each weight: every weight in force moved up and down by weight_change_percent, all else as it is, and who would change
-- quadrant. Set-based: a weight moves one dimension, by the points and the weight of one grade. Percents are whole, so nothing is rounded.
{% set dimensions = stratification_options().dimension %}
{% set change = var('weight_change_percent') %}
with

metrics as (
    select version, metric, dimension, weight, weight_units from {{ ref('int_stratification_metrics') }} where is_in_force
),

directions as (
    select {{ change }} as weight_change_percent
    union all
    select -{{ change }} as weight_change_percent
),

periods as (
    select as_of_date, period_to from {{ ref('int_profit_periods') }}
),

stratified as (
    select stratified.*
    from {{ ref('int_customers_stratified') }} as stratified
    inner join periods
        on stratified.period_to = periods.period_to
    where stratified.quadrant not in ('unknown', 'excluded')
),

grades as (
    select graded.customer_id, graded.metric, graded.points
    from {{ ref('int_customer_metrics_graded') }} as graded
    inner join periods
        on graded.period_to = periods.period_to
),

measured as (
    select measured.customer_id, measured.net_sales
    from {{ ref('int_customer_metrics_measured') }} as measured
    inner join periods
        on measured.period_to = periods.period_to
),

-- Whom a weight touches: everybody with a grade in the metric.
weights_moved as (
    select
        metrics.metric,
        directions.weight_change_percent,
        {%- for dimension in dimensions %}
        {%- set moves = "case when metrics.dimension = '" ~ dimension ~ "' then cast(metrics.weight_units as bigint) * directions.weight_change_percent else 0 end" %}
        cast(100 * stratified.{{ dimension }}_points + grades.points * {{ moves }} as numeric(16, 0)) as {{ dimension }}_points,
        cast(100 * stratified.{{ dimension }}_weight + {{ moves }} as numeric(16, 0)) as {{ dimension }}_weight,
        {%- endfor %}
        stratified.customer_id,
        stratified.quadrant
    from stratified
    inner join grades
        on stratified.customer_id = grades.customer_id
    inner join metrics
        on grades.metric = metrics.metric
    cross join directions
),

quadrants_moved as (
    select *, {{ quadrant_of() }} as moved_quadrant
    from weights_moved
),

moves_counted as (
    select
        quadrants_moved.metric,
        quadrants_moved.weight_change_percent,
        count(*) as moved_count,
        count(case when quadrants_moved.quadrant = 'Core' then 1 end) as left_core_count,
        count(case when quadrants_moved.moved_quadrant = 'Core' then 1 end) as joined_core_count,
        cast(coalesce(sum(measured.net_sales), 0) as numeric(18, 2)) as moved_net_sales
    from quadrants_moved
    inner join measured
        on quadrants_moved.customer_id = measured.customer_id
    where quadrants_moved.quadrant <> quadrants_moved.moved_quadrant
    group by quadrants_moved.metric, quadrants_moved.weight_change_percent
),

customers_counted as (
    select count(*) as customer_count from stratified
)

select
    metrics.version as stratification_version,
    metrics.metric,
    metrics.dimension,
    metrics.weight,
    cast(directions.weight_change_percent as integer) as weight_change_percent,
    periods.as_of_date,
    customers_counted.customer_count,
    coalesce(moves_counted.moved_count, 0) as moved_count,
    {{ display_share('coalesce(moves_counted.moved_count, 0)', 'customers_counted.customer_count') }} as moved_share,
    coalesce(moves_counted.left_core_count, 0) as left_core_count,
    coalesce(moves_counted.joined_core_count, 0) as joined_core_count,
    coalesce(moves_counted.moved_net_sales, 0) as moved_net_sales
from metrics
cross join directions
cross join periods
cross join customers_counted
left join moves_counted
    on metrics.metric = moves_counted.metric
    and directions.weight_change_percent = moves_counted.weight_change_percent
