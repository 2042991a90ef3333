-- R18: what was recorded about every customer and product, as half-open periods. Whoever was gone has a period that says so,
-- and no tier in it.
{% set columns = ['entity_id', 'inherited_from', 'tier', 'computed_tier', 'reason_code', 'tier_source', 'override_id', 'override_reason',
    'window_from', 'window_to', 'net_sales', 'metric_amount', 'eligible_amount', 'share_before', 'cumulative_share',
    'distance_to_better_tier', 'distance_to_worse_tier'] %}
select
    segment_type_id,
    entity,
    family,
    version,
    member_id,
    cast(dbt_valid_from as date) as valid_from,
    coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
    {% for column in columns -%}
    case when dbt_is_deleted = 'False' then {{ column }} end as {{ column }},
    {% endfor -%}
    dbt_valid_to is null as is_current,
    dbt_is_deleted = 'True' as is_gone
from {{ ref('snap_segment_tiers') }}
-- Two builds for one day: what the last one saw is what counts for the day.
where dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date)
