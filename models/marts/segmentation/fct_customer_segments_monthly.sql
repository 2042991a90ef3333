-- A view: int_segment_members_evaluated has written every month already. Restated: what we would say today (R18).
select
    segment_type_id,
    evaluation_date as month_end,
    member_id as customer_id,
    entity_id,
    case when entity_id <> member_id then entity_id end as inherited_from,
    net_sales,
    cost,
    gross_margin,
    cast(metric_amount as numeric(18, 2)) as metric_amount,
    computed_tier,
    reason_code,
    override_id,
    tier,
    tier_source,
    hysteresis_status,
    pending_tier,
    pending_months
from {{ ref('int_segment_members_evaluated') }}
where entity = 'customer' and is_month_end and in_population
