-- What each tier holds, at every month-end and on the as-of date. Sales, cost and margin are those of the members themselves,
-- so the tiers of a type sum to all sales in its window, whatever the level it ranks.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_evaluations', 'evaluation_date', 'as_of_date') }}"
) }}
with

evaluations as (
    select segment_type_id, evaluation_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    {{ without_kept_evaluations('evaluations', 'evaluation_date', 'as_of_date') }}
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

members as (
    select evaluated.*
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join evaluations
        on evaluated.segment_type_id = evaluations.segment_type_id
        and evaluated.evaluation_date = evaluations.evaluation_date
    where evaluated.in_population
),

tiers_summed as (
    select
        segment_type_id,
        evaluation_date,
        tier_rank,
        min(input_fingerprint) as input_fingerprint,
        count(*) as member_count,
        count(case when reason_code = 'excluded' then 1 end) as excluded_member_count,
        count(case when is_head then 1 end) as entity_count,
        count(case when is_head and reason_code = 'ranked' then 1 end) as ranked_entity_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(cost) as numeric(18, 2)) as cost,
        cast(sum(gross_margin) as numeric(18, 2)) as gross_margin
    from members
    group by segment_type_id, evaluation_date, tier_rank
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
    {{ display_share('totals_added.member_count', 'totals_added.total_members') }} as member_share,
    case when totals_added.total_net_sales > 0 then {{ display_share('totals_added.net_sales', 'totals_added.total_net_sales') }} end as net_sales_share,
    totals_added.input_fingerprint
from totals_added
inner join tiers
    on totals_added.segment_type_id = tiers.segment_type_id
    and totals_added.tier_rank = tiers.tier_rank
