-- What is wrong with segment_overrides as it is written. Whether its entities are ranked where it names them needs the
-- hierarchy: int_segment_overrides_gate. Overlapping overrides are legal (R10 decides).
{{ check_seed_columns(['segment_overrides', 'segment_types', 'segment_tiers']) }}
{% set key = "'override ' || coalesce(" ~ cell_text('override_id') ~ ", '(empty)')" %}
{% set child_key = "'override ' || coalesce(child.override_id, '(empty)')" %}
{{ findings_missing('segment_overrides', key, ['override_id', 'segment_type_id', 'mode', 'valid_from', 'reason']) }}
union all
{{ findings_duplicate('segment_overrides', 'min(' ~ key ~ ')', ['override_id']) }}
union all
{{ findings_reference('segment_overrides', child_key, 'segment_type_id', 'segment_types', 'segment_type_id') }}
union all
{{ findings_option('segment_overrides', key, 'mode', ['set', 'floor', 'clear', 'clear_all']) }}
{% for column in ['valid_from', 'valid_to', 'recorded_on'] %}
union all
{{ findings_value('segment_overrides', key, column, 'date', required=(column == 'valid_from')) }}
{% endfor %}
union all
{{ finding('segment_overrides', key, "'valid_to ' || valid_to || ' lies before valid_from ' || valid_from", "'swap or correct them; valid_to is the last day'") }}
from {{ ref('segment_overrides') }}
where {{ parse_cell('valid_to', 'date', true) }} < {{ parse_cell('valid_from', 'date', true) }}
union all
{{ finding('segment_overrides', key, "'entity_id is empty'", "'name the customer or product as in the marts, or vat:<number>; only clear_all needs none'") }}
from {{ ref('segment_overrides') }}
where {{ cell_text('entity_id') }} is null and coalesce({{ cell_text('mode') }}, '') <> 'clear_all'
union all
{{ finding('segment_overrides', key, "'mode ' || " ~ cell_text('mode') ~ " || ' names no tier'", "'fill in the tier'") }}
from {{ ref('segment_overrides') }}
where {{ cell_text('mode') }} in ('set', 'floor') and {{ cell_text('tier') }} is null
union all
{{ finding('segment_overrides', "'override ' || coalesce(overrides.override_id, '(empty)')",
    "'tier ' || " ~ in_quotes(cell_text('overrides.tier')) ~ " || ' is none of the tiers of ' || overrides.segment_type_id",
    "'use one of its tiers in segment_tiers.csv, or add it there'") }}
from {{ ref('segment_overrides') }} as overrides
left join {{ ref('segment_tiers') }} as tiers
    on {{ cell_text('overrides.segment_type_id') }} = {{ cell_text('tiers.segment_type_id') }}
    and {{ cell_text('overrides.tier') }} = {{ cell_text('tiers.tier') }}
where {{ cell_text('overrides.tier') }} is not null and overrides.segment_type_id is not null and tiers.tier is null
union all
{{ finding('segment_overrides', "'override ' || coalesce(overrides.override_id, '(empty)')",
    "'mode floor names the excluded tier ' || overrides.tier", "'a floor only raises: use mode set to take somebody out of the ranking'") }}
from {{ ref('segment_overrides') }} as overrides
inner join {{ ref('segment_tiers') }} as tiers
    on {{ cell_text('overrides.segment_type_id') }} = {{ cell_text('tiers.segment_type_id') }}
    and {{ cell_text('overrides.tier') }} = {{ cell_text('tiers.tier') }}
where {{ cell_text('overrides.mode') }} = 'floor' and lower({{ cell_text('tiers.is_excluded') }}) in ('true', 't', '1')
