-- What each tier holds, at every month-end and on the as-of date. Sales, cost and margin are those of the members themselves,
-- so the tiers of a type sum to all sales in its window, whatever the level it ranks. So is cost to serve (R16), where the window holds
-- whole months and all their sales, as costs do.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_evaluations', 'evaluation_date', 'as_of_date', 'summary_fingerprint') }}"
) }}
with

evaluations as (
    select segment_type_id, evaluation_date, window_from, window_to, is_costed, summary_fingerprint
    from {{ ref('int_segment_evaluations') }} as evaluations
    {{ without_kept_evaluations('evaluations', 'evaluation_date', 'as_of_date') }}
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

windows as (
    select distinct window_from, window_to from evaluations where is_costed
),

costs as (
    select
        windows.window_from,
        windows.window_to,
        customer_costs.customer_id,
        sum(customer_costs.cost_to_serve) as cost_to_serve
    from windows
    inner join {{ ref('int_customer_costs_summed_to_months') }} as customer_costs
        on windows.window_from <= customer_costs.cost_month
        and windows.window_to >= customer_costs.cost_month
    group by windows.window_from, windows.window_to, customer_costs.customer_id
),

members as (
    select
        evaluated.*,
        evaluations.is_costed,
        evaluations.summary_fingerprint,
        costs.cost_to_serve
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join evaluations
        on evaluated.segment_type_id = evaluations.segment_type_id
        and evaluated.evaluation_date = evaluations.evaluation_date
    left join costs
        on evaluations.window_from = costs.window_from
        and evaluations.window_to = costs.window_to
        and evaluated.member_id = costs.customer_id
    where evaluated.in_population
),

tiers_summed as (
    select
        segment_type_id,
        evaluation_date,
        tier_rank,
        is_costed,
        summary_fingerprint,
        count(*) as member_count,
        count(case when reason_code = 'excluded' then 1 end) as excluded_member_count,
        count(case when is_head then 1 end) as entity_count,
        count(case when is_head and reason_code = 'ranked' then 1 end) as ranked_entity_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(cost) as numeric(18, 2)) as cost,
        cast(sum(gross_margin) as numeric(18, 2)) as gross_margin,
        cast(coalesce(sum(cost_to_serve), 0) as numeric(18, 2)) as cost_to_serve
    from members
    group by segment_type_id, evaluation_date, tier_rank, is_costed, summary_fingerprint
),

totals_added as (
    select
        *,
        sum(member_count) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as total_members,
        cast(sum(net_sales) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as numeric(18, 2)) as total_net_sales
    from tiers_summed
)

select
    totals_added.segment_type_id,
    totals_added.evaluation_date as as_of_date,
    {{ month_end('totals_added.evaluation_date') }} as month_end,
    tiers.tier,
    totals_added.tier_rank,
    totals_added.member_count,
    totals_added.excluded_member_count,
    totals_added.entity_count,
    totals_added.ranked_entity_count,
    totals_added.net_sales,
    totals_added.cost,
    totals_added.gross_margin,
    case when totals_added.is_costed then totals_added.cost_to_serve end as cost_to_serve,
    case when totals_added.is_costed then cast(totals_added.gross_margin - totals_added.cost_to_serve as numeric(18, 2)) end as net_profit,
    {{ display_share('totals_added.member_count', 'totals_added.total_members') }} as member_share,
    case when totals_added.total_net_sales > 0 then {{ display_share('totals_added.net_sales', 'totals_added.total_net_sales') }} end as net_sales_share,
    totals_added.summary_fingerprint as input_fingerprint
from totals_added
inner join tiers
    on totals_added.segment_type_id = tiers.segment_type_id
    and totals_added.tier_rank = tiers.tier_rank
