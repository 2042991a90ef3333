-- R10: the decision that counts for an entity on an evaluation date: the latest set in force, else the latest floor, else the
-- clear that ended one which would otherwise be in force. A clear ends for good what began before it, for its entity or (clear_all)
-- for the whole type.
-- depends_on: {{ ref('int_segment_overrides_gate') }}
with

overrides as (
    select * from {{ ref('int_segment_overrides') }} where is_effective
),

evaluations as (
    select segment_type_id, evaluation_date from {{ ref('int_segment_evaluations') }} where is_due
),

tiers as (
    select segment_type_id, tier, tier_rank, is_excluded from {{ ref('int_segment_tiers') }}
),

{{ overrides_decided() }}

select
    latest_found.segment_type_id,
    latest_found.evaluation_date,
    latest_found.entity_id,
    overrides.override_id,
    overrides.override_mode,
    overrides.reason as override_reason,
    tiers.tier_rank as override_tier_rank,
    coalesce(overrides.override_mode = 'set' and tiers.is_excluded, false) as is_set_aside
from latest_found
inner join overrides
    on latest_found.segment_type_id = overrides.segment_type_id
    and latest_found.recency = overrides.recency
left join tiers
    on overrides.segment_type_id = tiers.segment_type_id
    and overrides.tier = tiers.tier
    and overrides.override_mode in ('set', 'floor')
