-- What each tier holds. Sales, cost and margin are those of the members themselves, so the tiers of a type sum to all
-- sales in its window, whatever the level it ranks.
with

members as (
    select * from {{ ref('int_segment_members_tiered') }}
),

tiers_summed as (
    select
        segment_type_id,
        evaluation_date,
        computed_tier as tier,
        min(tier_rank) as tier_rank,
        count(*) as member_count,
        count(distinct entity_id) as entity_count,
        count(distinct case when reason_code = 'ranked' then entity_id end) as ranked_entity_count,
        cast(sum(member_net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(member_cost) as numeric(18, 2)) as cost,
        cast(sum(member_gross_margin) as numeric(18, 2)) as gross_margin
    from members
    group by segment_type_id, evaluation_date, computed_tier
),

totals_added as (
    select
        *,
        sum(member_count) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as total_members,
        cast(sum(net_sales) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as numeric(18, 2)) as total_net_sales
    from tiers_summed
)

select
    segment_type_id,
    evaluation_date as as_of_date,
    {{ month_end('evaluation_date') }} as month_end,
    tier,
    tier_rank,
    member_count,
    entity_count,
    ranked_entity_count,
    net_sales,
    cost,
    gross_margin,
    {{ display_share('cast(member_count as numeric(18, 2))', 'cast(total_members as numeric(18, 2))') }} as member_share,
    case when total_net_sales > 0 then {{ display_share('net_sales', 'total_net_sales') }} end as net_sales_share
from totals_added
