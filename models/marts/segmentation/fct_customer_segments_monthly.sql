-- A view: int_segment_members_evaluated has written every month already. Restated: what we would say today (R18).
select
    evaluated.segment_type_id,
    evaluated.evaluation_date as month_end,
    evaluated.member_id as customer_id,
    coalesce(evaluated.inherited_from, evaluated.member_id) as entity_id,
    evaluated.inherited_from,
    evaluated.net_sales,
    evaluated.cost,
    evaluated.gross_margin,
    cast(evaluated.metric_amount as numeric(18, 2)) as metric_amount,
    computed.tier as computed_tier,
    evaluated.reason_code,
    evaluated.override_id,
    tiers.tier,
    evaluated.tier_source,
    evaluated.hysteresis_status,
    pending.tier as pending_tier,
    evaluated.pending_months
from {{ ref('int_segment_members_evaluated') }} as evaluated
inner join {{ ref('int_segment_types') }} as segment_types
    on evaluated.segment_type_id = segment_types.segment_type_id
    and segment_types.entity = 'customer'
inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
    on evaluated.evaluation_date = evaluation_dates.evaluation_date
    and evaluation_dates.is_month_end
inner join {{ ref('int_segment_tiers') }} as tiers
    on evaluated.segment_type_id = tiers.segment_type_id
    and evaluated.tier_rank = tiers.tier_rank
inner join {{ ref('int_segment_tiers') }} as computed
    on evaluated.segment_type_id = computed.segment_type_id
    and evaluated.computed_tier_rank = computed.tier_rank
left join {{ ref('int_segment_tiers') }} as pending
    on evaluated.segment_type_id = pending.segment_type_id
    and evaluated.pending_tier_rank = pending.tier_rank
where evaluated.in_population
