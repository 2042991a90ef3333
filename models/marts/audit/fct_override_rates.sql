-- How often people decide otherwise (R10), at every month-end and on the as-of date. Narrow counts over
-- int_segment_members_evaluated; an evaluation whose fingerprint stands here already is not counted again (R18).
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_evaluations', 'evaluation_date', 'as_of_date') }}"
) }}
with

evaluations as (
    select segment_type_id, evaluation_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    {{ without_kept_evaluations('evaluations', 'evaluation_date', 'as_of_date') }}
),

overrides as (
    select override_id, override_mode from {{ ref('int_segment_overrides') }} where override_mode in ('set', 'floor')
),

members as (
    select
        evaluated.segment_type_id,
        evaluated.evaluation_date,
        evaluated.input_fingerprint,
        evaluated.is_head,
        overrides.override_mode,
        evaluated.tier_source in ('override', 'floor') and evaluated.tier_rank <> evaluated.computed_tier_rank as is_changed
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join evaluations
        on evaluated.segment_type_id = evaluations.segment_type_id
        and evaluated.evaluation_date = evaluations.evaluation_date
    -- A clear is consulted too and decides for nobody.
    left join overrides
        on evaluated.override_id = overrides.override_id
    where evaluated.in_population
),

members_counted as (
    select
        segment_type_id,
        evaluation_date,
        min(input_fingerprint) as input_fingerprint,
        count(*) as member_count,
        count(override_mode) as overridden_member_count,
        count(case when override_mode = 'set' then 1 end) as set_member_count,
        count(case when override_mode = 'floor' then 1 end) as floor_member_count,
        count(case when is_changed then 1 end) as changed_member_count,
        count(case when is_head then 1 end) as entity_count,
        count(case when is_head then override_mode end) as overridden_entity_count
    from members
    group by segment_type_id, evaluation_date
)

select
    segment_type_id,
    evaluation_date as as_of_date,
    {{ month_end('evaluation_date') }} as month_end,
    member_count,
    overridden_member_count,
    set_member_count,
    floor_member_count,
    changed_member_count,
    entity_count,
    overridden_entity_count,
    {{ display_share('overridden_member_count', 'member_count') }} as overridden_share,
    {{ display_share('changed_member_count', 'member_count') }} as changed_share,
    input_fingerprint
from members_counted
