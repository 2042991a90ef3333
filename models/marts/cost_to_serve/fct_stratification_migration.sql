-- Who moved from which quadrant to which between two month-ends. Who had neither sales nor costs in the months before one of the two
-- comes from, or goes to, (inactive).
with

month_ends as (
    select period_to as month_end, lag(period_to) over (order by period_to asc) as previous_month_end
    from {{ ref('int_stratification_periods') }}
),

members as (
    select stratified.period_to, stratified.customer_id, stratified.quadrant, measured.net_sales, measured.net_profit
    from {{ ref('int_customers_stratified') }} as stratified
    inner join {{ ref('int_customer_metrics_measured') }} as measured
        on stratified.period_to = measured.period_to
        and stratified.customer_id = measured.customer_id
),

befores as (
    select month_ends.month_end, members.customer_id, members.quadrant, members.net_sales, members.net_profit
    from month_ends
    inner join members
        on month_ends.previous_month_end = members.period_to
),

afters as (
    select month_ends.month_end, members.customer_id, members.quadrant, members.net_sales, members.net_profit
    from month_ends
    inner join members
        on month_ends.month_end = members.period_to
    where month_ends.previous_month_end is not null
),

moves as (
    select
        coalesce(afters.month_end, befores.month_end) as month_end,
        coalesce(befores.quadrant, '(inactive)') as from_quadrant,
        coalesce(afters.quadrant, '(inactive)') as to_quadrant,
        coalesce(afters.net_sales, 0) as net_sales,
        coalesce(befores.net_sales, 0) as previous_net_sales,
        coalesce(afters.net_profit, 0) as net_profit,
        coalesce(befores.net_profit, 0) as previous_net_profit
    from befores
    full outer join afters
        on befores.month_end = afters.month_end
        and befores.customer_id = afters.customer_id
)

select
    moves.month_end,
    month_ends.previous_month_end,
    moves.from_quadrant,
    moves.to_quadrant,
    moves.from_quadrant <> moves.to_quadrant as is_move,
    count(*) as customer_count,
    cast(sum(moves.net_sales) as numeric(18, 2)) as net_sales,
    cast(sum(moves.previous_net_sales) as numeric(18, 2)) as previous_net_sales,
    cast(sum(moves.net_profit) as numeric(18, 2)) as net_profit,
    cast(sum(moves.previous_net_profit) as numeric(18, 2)) as previous_net_profit
from moves
inner join month_ends
    on moves.month_end = month_ends.month_end
group by moves.month_end, month_ends.previous_month_end, moves.from_quadrant, moves.to_quadrant
