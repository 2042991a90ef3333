-- Overrides of members that their type ranks as part of another entity on the as-of date: one sentence each.
with

overrides as (
    select segment_type_id, override_id, entity_id, valid_to
    from {{ ref('int_segment_overrides') }}
    where override_mode in ('set', 'floor')
),

evaluations as (
    select segment_type_id, evaluation_date from {{ ref('int_segment_evaluations') }} where is_as_of
),

members as (
    select segment_type_id, evaluation_date, member_id, entity_id from {{ ref('int_segment_members') }}
)

select
    overrides.segment_type_id,
    overrides.override_id,
    overrides.entity_id,
    members.entity_id as ranked_as,
    'segment_overrides.csv, override ' || overrides.override_id || ': ' || overrides.entity_id || ' is ranked as part of '
    || members.entity_id || ' in ' || overrides.segment_type_id || '; override ' || members.entity_id
    || ' instead, or use a type that ranks single customers.' as sentence
from overrides
inner join evaluations
    on overrides.segment_type_id = evaluations.segment_type_id
    and overrides.valid_to >= evaluations.evaluation_date
inner join members
    on evaluations.segment_type_id = members.segment_type_id
    and evaluations.evaluation_date = members.evaluation_date
    and overrides.entity_id = members.member_id
    and members.entity_id <> members.member_id
