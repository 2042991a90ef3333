-- When did the tier of a customer change, and from what to what? As recorded; compile it with
-- --vars '{segment_type: ..., customer: ...}'.
select
    valid_from,
    valid_to,
    is_gone,
    lag(tier) over (order by valid_from asc) as previous_tier,
    tier,
    computed_tier,
    reason_code,
    tier_source,
    override_id,
    entity_id,
    metric_amount,
    share_before
from {{ ref('dim_customer_segment_history') }}
where segment_type_id = '{{ var("segment_type", "sales_performance") }}'
    and customer_id = '{{ var("customer", "erp_north:C00148") }}'
order by valid_from asc
