-- As of the run, every member with its tier and the numbers behind it: what the marts of customers and products show.
with

evaluations as (
    select
        evaluations.evaluation_number,
        evaluations.entity,
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        evaluations.window_from,
        evaluations.window_to,
        evaluations.roster_id,
        evaluations.roster_date,
        segment_types.family,
        segment_types.version,
        segment_types.status
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_as_of
),

members as (
    select * from {{ ref('int_segment_members_evaluated') }}
),

rosters as (
    select roster_id, roster_date, member_id, entity_number, entity_id, entity_first_invoice_date from {{ ref('int_segment_rosters') }}
),

entities as (
    select ranked.*
    from {{ ref('int_segment_entities_ranked') }} as ranked
    inner join evaluations
        on ranked.evaluation_number = evaluations.evaluation_number
),

-- Ids order the display rank and the running share, never a tier (R3).
entities_ordered as (
    select
        evaluation_number,
        entity_number,
        cast(row_number() over (partition by evaluation_number order by metric_amount desc nulls last, entity_number asc) as bigint) as sales_rank,
        cast(
            sum(metric_amount) over (
                partition by evaluation_number order by metric_amount desc nulls last, entity_number asc
                rows between unbounded preceding and current row
            ) as numeric(24, 4)
        ) as cumulative_amount
    from entities
    where is_counted
),

outliers as (
    select
        outliers.evaluation_number,
        rosters.entity_number,
        sum(outliers.outlier_order_count) as outlier_order_count,
        sum(outliers.outlier_amount) as outlier_amount,
        sum(outliers.removed_amount) as removed_amount
    from {{ ref('int_segment_outliers_summed_to_members') }} as outliers
    inner join evaluations
        on outliers.evaluation_number = evaluations.evaluation_number
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and outliers.member_id = rosters.member_id
    group by outliers.evaluation_number, rosters.entity_number
),

bounds as (
    select * from {{ ref('int_segment_tier_bounds') }}
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

overrides as (
    select override_id, reason from {{ ref('int_segment_overrides') }}
)

select
    evaluations.entity,
    evaluations.segment_type_id,
    evaluations.family,
    evaluations.version,
    evaluations.status,
    members.member_id,
    evaluations.evaluation_date as as_of_date,
    rosters.entity_id,
    members.inherited_from,
    evaluations.window_from,
    evaluations.window_to,
    case when rosters.entity_first_invoice_date <= evaluations.evaluation_date then rosters.entity_first_invoice_date end as first_invoice_date,
    members.net_sales,
    members.cost,
    members.gross_margin,
    cast(members.metric_amount as numeric(18, 2)) as metric_amount,
    cast(members.metric_amount + coalesce(outliers.removed_amount, 0) as numeric(18, 2)) as metric_amount_untreated,
    cast(coalesce(outliers.outlier_amount, 0) as numeric(18, 2)) as outlier_amount,
    cast(coalesce(outliers.outlier_order_count, 0) as integer) as outlier_order_count,
    cast(case when members.reason_code = 'ranked' then members.metric_amount end as numeric(18, 2)) as eligible_amount,
    case when members.reason_code = 'ranked' then entities_ordered.sales_rank end as sales_rank,
    case when members.reason_code = 'ranked' then {{ display_share('entities.amount_before', 'entities.total_amount') }} end as share_before,
    case when members.reason_code = 'ranked' then {{ display_share('entities_ordered.cumulative_amount', 'entities.total_amount') }} end as cumulative_share,
    computed.tier as computed_tier,
    members.reason_code,
    members.override_id,
    overrides.reason as override_reason,
    tiers.tier,
    members.tier_source,
    cast(case when members.reason_code = 'ranked' then bounds.better_amount - members.metric_amount end as numeric(18, 2)) as distance_to_better_tier,
    cast(case when members.reason_code = 'ranked' then members.metric_amount - bounds.worse_amount end as numeric(18, 2)) as distance_to_worse_tier,
    members.hysteresis_status,
    pending.tier as pending_tier,
    members.pending_months
from members
inner join evaluations
    on members.segment_type_id = evaluations.segment_type_id
    and members.evaluation_date = evaluations.evaluation_date
inner join rosters
    on evaluations.roster_id = rosters.roster_id
    and evaluations.roster_date = rosters.roster_date
    and members.member_id = rosters.member_id
inner join entities
    on evaluations.evaluation_number = entities.evaluation_number
    and rosters.entity_number = entities.entity_number
left join outliers
    on evaluations.evaluation_number = outliers.evaluation_number
    and rosters.entity_number = outliers.entity_number
left join entities_ordered
    on evaluations.evaluation_number = entities_ordered.evaluation_number
    and rosters.entity_number = entities_ordered.entity_number
inner join tiers
    on members.segment_type_id = tiers.segment_type_id
    and members.tier_rank = tiers.tier_rank
inner join tiers as computed
    on members.segment_type_id = computed.segment_type_id
    and members.computed_tier_rank = computed.tier_rank
left join tiers as pending
    on members.segment_type_id = pending.segment_type_id
    and members.pending_tier_rank = pending.tier_rank
left join bounds
    on members.segment_type_id = bounds.segment_type_id
    and members.computed_tier_rank = bounds.tier_rank
left join overrides
    on members.override_id = overrides.override_id
