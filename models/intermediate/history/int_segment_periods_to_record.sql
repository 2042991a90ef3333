-- R18: the restated periods, dated with the day on which we knew them: recorded again and again, they make history bitemporal.
{% set columns = ['segment_type_id', 'entity', 'member_id', 'valid_from', 'valid_to', 'period_status', 'entity_id', 'tier', 'computed_tier', 'reason_code',
    'tier_source', 'override_id', 'metric_amount'] %}
with

periods as (
    select restated.*, cast(recording.known_on as timestamp) as recorded_at
    from {{ ref('int_segment_periods_restated') }} as restated
    cross join {{ ref('int_recording') }} as recording
)

{{ rows_to_record('periods', 'snap_segment_periods', columns, records_deletions=false) }}
