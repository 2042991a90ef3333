-- R21, R20: the entities that hysteresis held back on the dates of a change, and in which tier: as evaluated today, for streaks are counted over restated months.
-- Where it was not switched on by the rules of the date nobody was held back.
with

dates as (
    select distinct rules_number, metric_type_id, metric_date
    from {{ ref('int_tier_change_scenarios') }}
    where step in ('start', 'end')
),

rules as (
    select rules_number from {{ ref('int_segment_types_recorded') }} where hysteresis_months > 0
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
)

select
    dates.rules_number,
    evaluated.evaluation_date as hold_date,
    coalesce(evaluated.inherited_from, evaluated.member_id) as entity_id,
    evaluated.stands_apart,
    tiers.tier as held_tier,
    tiers.tier_rank as held_tier_rank
from dates
inner join rules
    on dates.rules_number = rules.rules_number
inner join {{ ref('int_segment_members_evaluated') }} as evaluated
    on dates.metric_type_id = evaluated.segment_type_id
    and dates.metric_date = evaluated.evaluation_date
    and evaluated.is_head
    and evaluated.in_population
    and evaluated.applied_tier_rank <> evaluated.computed_tier_rank
inner join tiers
    on evaluated.segment_type_id = tiers.segment_type_id
    and evaluated.applied_tier_rank = tiers.tier_rank
