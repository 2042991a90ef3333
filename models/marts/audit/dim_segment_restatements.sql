-- R18: the restated history by two dates: for which period a tier holds, and from when until when we believed so. As known on
-- a day: recorded_at <= day < superseded_at.
select
    segment_type_id,
    entity,
    member_id,
    valid_from,
    valid_to,
    period_status,
    entity_id,
    tier,
    computed_tier,
    reason_code,
    tier_source,
    override_id,
    metric_amount,
    cast(dbt_valid_from as date) as recorded_at,
    coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as superseded_at,
    dbt_valid_to is null as is_current_knowledge
from {{ ref('snap_segment_periods') }}
-- Two builds on one day: what the last one said is what was known on the day.
where dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date)
