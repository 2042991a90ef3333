-- Guards R16: where the window of a type is the period of the profit marts, the summary and fct_segment_profit say the same of a tier, to
-- the cent, though one follows from month-ends that are kept and the other is made anew.
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
    select summary.segment_type_id, summary.tier, summary.cost_to_serve, summary.net_profit
    from {{ ref('fct_segment_summary') }} as summary
    inner join windows
        on summary.segment_type_id = windows.segment_type_id
        and summary.as_of_date = windows.evaluation_date
),

profits as (
    select profits.segment_type_id, profits.tier, profits.cost_to_serve, profits.net_profit
    from {{ ref('fct_segment_profit') }} as profits
    inner join windows
        on profits.segment_type_id = windows.segment_type_id
    where not profits.is_unallocated
)

select
    coalesce(summed.segment_type_id, profits.segment_type_id) as segment_type_id,
    coalesce(summed.tier, profits.tier) as tier,
    summed.cost_to_serve,
    profits.cost_to_serve as cost_to_serve_of_segment,
    summed.net_profit,
    profits.net_profit as net_profit_of_segment
from summed
full outer join profits
    on summed.segment_type_id = profits.segment_type_id
    and summed.tier = profits.tier
where summed.cost_to_serve is distinct from profits.cost_to_serve
    or summed.net_profit is distinct from profits.net_profit
