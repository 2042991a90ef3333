-- Guards R18: after a build that looks forward, the open periods are the tiers the build shows, no more and no less.
with

recorded as (
    select * from {{ ref('int_segment_history') }} where is_current and not is_gone
),

segments as (
    {% for entity in ['customer', 'product'] -%}
    select segment_type_id, {{ entity }}_id as member_id, entity_id, tier, computed_tier, override_id
    from {{ ref('fct_' ~ entity ~ '_segments') }}
    where status in ('active', 'challenger')
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(recorded.segment_type_id, segments.segment_type_id) as segment_type_id,
    coalesce(recorded.member_id, segments.member_id) as member_id,
    recorded.tier as recorded_tier,
    segments.tier
from recorded
full outer join segments
    on recorded.segment_type_id = segments.segment_type_id
    and recorded.member_id = segments.member_id
inner join {{ ref('int_recording') }} as recording
    on recording.is_forward
where coalesce(recorded.tier, '') <> coalesce(segments.tier, '')
    or coalesce(recorded.computed_tier, '') <> coalesce(segments.computed_tier, '')
    or coalesce(recorded.entity_id, '') <> coalesce(segments.entity_id, '')
    or coalesce(recorded.override_id, '') <> coalesce(segments.override_id, '')
