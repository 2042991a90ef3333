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
        entity_id,
        stands_apart,
        row_number() over (partition by segment_type_id order by metric_amount desc nulls last, entity_id asc, stands_apart asc) as sales_rank,
        cast(
            sum(metric_amount) over (
                partition by segment_type_id order by metric_amount desc nulls last, entity_id asc, stands_apart asc
                rows between unbounded preceding and current row
            ) as numeric(24, 4)
        ) as cumulative_amount
    from entities
    where is_counted
),

segment_types as (
    select segment_type_id, family, version, status from {{ ref('int_segment_types') }}
),

windows as (
    select segment_type_id, evaluation_date, window_from, window_to from {{ ref('int_segment_windows') }}
),

bounds as (
    select * from {{ ref('int_segment_tier_bounds') }}
),

overrides as (
    select override_id, reason from {{ ref('int_segment_overrides') }}
)

select
    members.entity,
    members.segment_type_id,
    segment_types.family,
    segment_types.version,
    segment_types.status,
    members.member_id,
    members.evaluation_date as as_of_date,
    members.entity_id,
    case when members.entity_id <> members.member_id then members.entity_id end as inherited_from,
    windows.window_from,
    windows.window_to,
    entities.first_invoice_date,
    members.net_sales,
    members.cost,
    members.gross_margin,
    cast(members.metric_amount as numeric(18, 2)) as metric_amount,
    cast(entities.metric_amount_untreated as numeric(18, 2)) as metric_amount_untreated,
    entities.outlier_amount,
    entities.outlier_order_count,
    cast(case when members.reason_code = 'ranked' then members.metric_amount end as numeric(18, 2)) as eligible_amount,
    case when members.reason_code = 'ranked' then entities_ordered.sales_rank end as sales_rank,
    case when members.reason_code = 'ranked' then {{ display_share('entities.amount_before', 'entities.total_amount') }} end as share_before,
    case when members.reason_code = 'ranked' then {{ display_share('entities_ordered.cumulative_amount', 'entities.total_amount') }} end as cumulative_share,
    members.computed_tier,
    members.reason_code,
    members.override_id,
    overrides.reason as override_reason,
    members.tier,
    members.tier_source,
    cast(case when members.reason_code = 'ranked' then bounds.better_amount - members.metric_amount end as numeric(18, 2)) as distance_to_better_tier,
    cast(case when members.reason_code = 'ranked' then members.metric_amount - bounds.worse_amount end as numeric(18, 2)) as distance_to_worse_tier,
    members.hysteresis_status,
    members.pending_tier,
    members.pending_months
from members
inner join entities
    on members.segment_type_id = entities.segment_type_id
    and members.entity_id = entities.entity_id
    and members.stands_apart = entities.stands_apart
left join entities_ordered
    on entities.segment_type_id = entities_ordered.segment_type_id
    and entities.entity_id = entities_ordered.entity_id
    and entities.stands_apart = entities_ordered.stands_apart
inner join segment_types
    on members.segment_type_id = segment_types.segment_type_id
inner join windows
    on members.segment_type_id = windows.segment_type_id
    and members.evaluation_date = windows.evaluation_date
left join bounds
    on members.segment_type_id = bounds.segment_type_id
    and members.computed_tier_rank = bounds.tier_rank
left join overrides
    on members.override_id = overrides.override_id
