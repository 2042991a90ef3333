-- As of the run, every member with its tier and the numbers behind it: what the marts of customers and products show.
with

as_of_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

members as (
    select evaluated.*
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join as_of_dates
        on evaluated.evaluation_date = as_of_dates.evaluation_date
),

entities as (
    select ranked.*
    from {{ ref('int_segment_entities_ranked') }} as ranked
    inner join as_of_dates
        on ranked.evaluation_date = as_of_dates.evaluation_date
),

-- Ids order the display rank and the running share, never a tier (R3).
entities_ordered as (
    select
        segment_type_id,
        entity_number,
        row_number() over (partition by segment_type_id order by metric_amount desc nulls last, entity_number asc) as sales_rank,
        cast(
            sum(metric_amount) over (
                partition by segment_type_id order by metric_amount desc nulls last, entity_number asc
                rows between unbounded preceding and current row
            ) as numeric(24, 4)
        ) as cumulative_amount
    from entities
    where is_counted
),

metrics as (
    select metrics.*
    from {{ ref('int_segment_metrics_summed_to_entities') }} as metrics
    inner join as_of_dates
        on metrics.evaluation_date = as_of_dates.evaluation_date
),

first_invoices as (
    select evaluations.segment_type_id, rosters.entity_number, rosters.entity_first_invoice_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_rosters') }} as rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and rosters.is_head
    where evaluations.is_as_of
),

segment_types as (
    select segment_type_id, entity, family, version, status from {{ ref('int_segment_types') }}
),

windows as (
    select segment_type_id, evaluation_date, window_from, window_to from {{ ref('int_segment_windows') }}
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
    segment_types.entity,
    members.segment_type_id,
    segment_types.family,
    segment_types.version,
    segment_types.status,
    members.member_id,
    members.evaluation_date as as_of_date,
    entities.entity_id,
    members.inherited_from,
    windows.window_from,
    windows.window_to,
    case when first_invoices.entity_first_invoice_date <= members.evaluation_date then first_invoices.entity_first_invoice_date end as first_invoice_date,
    members.net_sales,
    members.cost,
    members.gross_margin,
    cast(members.metric_amount as numeric(18, 2)) as metric_amount,
    cast(coalesce(metrics.metric_amount, 0) as numeric(18, 2)) as metric_amount_untreated,
    cast(coalesce(metrics.outlier_amount, 0) as numeric(18, 2)) as outlier_amount,
    cast(coalesce(metrics.outlier_order_count, 0) as integer) as outlier_order_count,
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
inner join entities
    on members.segment_type_id = entities.segment_type_id
    and coalesce(members.inherited_from, members.member_id) = entities.entity_id
    and members.stands_apart = entities.stands_apart
left join metrics
    on entities.segment_type_id = metrics.segment_type_id
    and entities.entity_number = metrics.entity_number
inner join first_invoices
    on entities.segment_type_id = first_invoices.segment_type_id
    and entities.entity_number = first_invoices.entity_number
left join entities_ordered
    on entities.segment_type_id = entities_ordered.segment_type_id
    and entities.entity_number = entities_ordered.entity_number
inner join segment_types
    on members.segment_type_id = segment_types.segment_type_id
inner join windows
    on members.segment_type_id = windows.segment_type_id
    and members.evaluation_date = windows.evaluation_date
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
