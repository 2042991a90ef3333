-- People's decisions about tiers, typed (R10). An unapproved or self-approved one has no effect; one recorded after known_on
-- does not exist (R19). Of two that begin on the same day the higher id is the later: the longer text, then by text, so that
-- 10 comes after 9.
-- depends_on: {{ ref('int_configuration_gate') }}
with

overrides as (
    select
        {{ cell_text('override_id') }} as override_id,
        {{ cell_text('segment_type_id') }} as segment_type_id,
        {{ cell_text('entity_id') }} as entity_id,
        {{ cell_text('mode') }} as override_mode,
        {{ cell_text('tier') }} as tier,
        {{ parse_cell('valid_from', 'date', true) }} as valid_from,
        coalesce({{ parse_cell('valid_to', 'date', true) }}, cast('9999-12-31' as date)) as valid_to,
        {{ cell_text('reason') }} as reason,
        {{ cell_text('requested_by') }} as requested_by,
        {{ cell_text('approved_by') }} as approved_by,
        {{ cell_text('ticket') }} as ticket,
        {{ parse_cell('recorded_on', 'date', true) }} as recorded_on
    from {{ ref('segment_overrides') }}
)

select
    *,
    coalesce(lower(approved_by) <> coalesce(lower(requested_by), ''), false) as is_effective,
    row_number() over (
        partition by segment_type_id order by valid_from asc, length(override_id) asc, override_id asc
    ) as recency
from overrides
{%- if var('known_on', none) is not none %}
where recorded_on is null or recorded_on <= cast('{{ var("known_on") }}' as date)
{%- endif %}
