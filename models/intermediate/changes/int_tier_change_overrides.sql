-- R21, R10: the decision that counted for an entity on the dates of a change, by the tiers of the type as recorded.
with

overrides as (
    select * from {{ ref('int_segment_overrides') }} where is_effective
),

rules_on_dates as (
    select distinct override_rules_number as rules_number, override_date as evaluation_date from {{ ref('int_tier_change_scenarios') }}
),

types as (
    select rules_number, segment_type_id from {{ ref('int_segment_types_recorded') }}
),

evaluations as (
    select distinct types.segment_type_id, rules_on_dates.evaluation_date
    from rules_on_dates
    inner join types
        on rules_on_dates.rules_number = types.rules_number
),

{{ overrides_decided() }}

select
    rules_on_dates.rules_number as override_rules_number,
    rules_on_dates.evaluation_date as override_date,
    latest_found.entity_id,
    overrides.override_id,
    overrides.override_mode,
    case when overrides.override_mode in ('set', 'floor') then overrides.tier end as override_tier,
    tiers.tier_rank as override_tier_rank,
    coalesce(overrides.override_mode = 'set' and tiers.is_excluded, false) as is_set_aside
from rules_on_dates
inner join types
    on rules_on_dates.rules_number = types.rules_number
inner join latest_found
    on types.segment_type_id = latest_found.segment_type_id
    and rules_on_dates.evaluation_date = latest_found.evaluation_date
inner join overrides
    on latest_found.segment_type_id = overrides.segment_type_id
    and latest_found.recency = overrides.recency
left join {{ ref('int_segment_tiers_recorded') }} as tiers
    on rules_on_dates.rules_number = tiers.rules_number
    and overrides.tier = tiers.tier
    and overrides.override_mode in ('set', 'floor')
