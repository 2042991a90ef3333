-- Guards R16: where the window of a type is the period of the profit marts, the summary and fct_customer_profitability say the same of a
-- tier, to the cent, though one follows from month-ends that are kept and the other is made anew. Who has not appeared by a month-end is
-- in neither.
with

windows as (
    select evaluations.segment_type_id, evaluations.evaluation_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_profit_periods') }} as periods
        on evaluations.window_from = periods.period_from
        and evaluations.window_to = periods.period_to
    where evaluations.is_as_of and evaluations.is_costed
),

summed as (
    select summary.segment_type_id, summary.tier_rank, summary.cost_to_serve, summary.net_profit
    from {{ ref('fct_segment_summary') }} as summary
    inner join windows
        on summary.segment_type_id = windows.segment_type_id
        and summary.as_of_date = windows.evaluation_date
),

profits as (
    select
        evaluated.segment_type_id,
        evaluated.tier_rank,
        sum(customers.cost_to_serve) as cost_to_serve,
        sum(customers.net_profit) as net_profit
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join windows
        on evaluated.segment_type_id = windows.segment_type_id
        and evaluated.evaluation_date = windows.evaluation_date
    inner join {{ ref('fct_customer_profitability') }} as customers
        on evaluated.member_id = customers.customer_id
    where evaluated.in_population
    group by evaluated.segment_type_id, evaluated.tier_rank
)

select
    coalesce(summed.segment_type_id, profits.segment_type_id) as segment_type_id,
    coalesce(summed.tier_rank, profits.tier_rank) as tier_rank,
    summed.cost_to_serve,
    profits.cost_to_serve as cost_to_serve_of_customers,
    summed.net_profit,
    profits.net_profit as net_profit_of_customers
from summed
full outer join profits
    on summed.segment_type_id = profits.segment_type_id
    and summed.tier_rank = profits.tier_rank
where summed.cost_to_serve is distinct from profits.cost_to_serve
    or summed.net_profit is distinct from profits.net_profit
