-- Overrides of members that their type ranks as part of another entity on the as-of date: one sentence each.
with

overrides as (
    select segment_type_id, override_id, entity_id, valid_to
    from {{ ref('int_segment_overrides') }}
    where override_mode in ('set', 'floor')
),

evaluations as (
    select segment_type_id, evaluation_date, roster_id, roster_date from {{ ref('int_segment_evaluations') }} where is_as_of
),

rosters as (
    select roster_id, roster_date, member_id, entity_id from {{ ref('int_segment_rosters') }} where entity_id <> member_id
)

select
    overrides.segment_type_id,
    overrides.override_id,
    overrides.entity_id,
    rosters.entity_id as ranked_as,
    'segment_overrides.csv, override ' || overrides.override_id || ': ' || overrides.entity_id || ' is ranked as part of '
    || rosters.entity_id || ' in ' || overrides.segment_type_id || '; override ' || rosters.entity_id
    || ' instead, or use a type that ranks single customers.' as sentence
from overrides
inner join evaluations
    on overrides.segment_type_id = evaluations.segment_type_id
    and overrides.valid_to >= evaluations.evaluation_date
inner join rosters
    on evaluations.roster_id = rosters.roster_id
    and evaluations.roster_date = rosters.roster_date
    and overrides.entity_id = rosters.member_id
