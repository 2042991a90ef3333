-- R18: what restated periods begin and end with: who is something else than on the month-end before, has come or is gone. Months are
-- compared in pairs, by equality, and a pair is compared again only when one of its months was evaluated anew.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_month_pairs', 'month_end', 'changed_on') }}"
) }}
{% set compared = ['entity_id', 'tier_rank', 'computed_tier_rank', 'reason_code', 'tier_source', 'override_id'] %}
with

month_pairs as (
    select segment_type_id, month_end, previous_month_end, input_fingerprint
    from {{ ref('int_segment_month_pairs') }} as month_pairs
    {{ without_kept_evaluations('month_pairs', 'month_end', 'changed_on') }}
),

segment_types as (
    select segment_type_id from {{ ref('int_segment_types') }} where status in ('active', 'challenger')
),

months_compared as (
    select segment_type_id, month_end as evaluation_date from month_pairs
    union
    select segment_type_id, previous_month_end as evaluation_date from month_pairs
),

members as (
    select
        evaluated.segment_type_id,
        evaluated.evaluation_date,
        evaluated.member_id,
        coalesce(evaluated.inherited_from, evaluated.member_id) as entity_id,
        evaluated.tier_rank,
        evaluated.computed_tier_rank,
        evaluated.reason_code,
        evaluated.tier_source,
        evaluated.override_id,
        evaluated.metric_amount
    from months_compared
    inner join {{ ref('int_segment_members_evaluated') }} as evaluated
        on months_compared.segment_type_id = evaluated.segment_type_id
        and months_compared.evaluation_date = evaluated.evaluation_date
    where evaluated.in_population
),

{% for side, month in {'befores': 'previous_month_end', 'afters': 'month_end'}.items() -%}
{{ side }} as (
    select members.*, month_pairs.month_end, month_pairs.input_fingerprint
    from month_pairs
    inner join segment_types
        on month_pairs.segment_type_id = segment_types.segment_type_id
    inner join members
        on month_pairs.segment_type_id = members.segment_type_id
        and month_pairs.{{ month }} = members.evaluation_date
),

{% endfor -%}
changes as (
    select
        coalesce(afters.segment_type_id, befores.segment_type_id) as segment_type_id,
        coalesce(afters.member_id, befores.member_id) as member_id,
        coalesce(afters.month_end, befores.month_end) as changed_on,
        afters.member_id is not null as begins_a_period,
        {% for column in compared -%}
        afters.{{ column }},
        {% endfor -%}
        afters.metric_amount,
        coalesce(afters.input_fingerprint, befores.input_fingerprint) as input_fingerprint
    from befores
    full outer join afters
        on befores.segment_type_id = afters.segment_type_id
        and befores.month_end = afters.month_end
        and befores.member_id = afters.member_id
    where befores.member_id is null
        or afters.member_id is null
        {%- for column in compared %}
        or befores.{{ column }} is distinct from afters.{{ column }}
        {%- endfor %}
)

select * from changes
