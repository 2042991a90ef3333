-- R18: the month-ends about which we would say something else today than was recorded at the time, and why. Late is what landed
-- after the build whose answer stood on the month-end, by the run log; after the month-end where the log does not know it.
with

differences as (
    select * from {{ ref('int_history_differences') }}
),

restated as (
    select segment_type_id, member_id, entity_id, valid_from, valid_to from {{ ref('int_segment_periods_restated') }}
),

configuration_changes as (
    select
        {{ dbt.split_part('row_key', "'|'", 1) }} as segment_type_id,
        max(cast(dbt_valid_from as date)) as changed_on
    from {{ ref('snap_configuration') }}
    where seed in ('segment_types', 'segment_tiers', 'segment_type_branches', 'segment_type_brands')
    group by {{ dbt.split_part('row_key', "'|'", 1) }}
),

-- The build whose answer stood on a month-end: the last one that recorded something up to it.
builds as (
    select
        as_of_date,
        lead(as_of_date) over (order by as_of_date asc) as next_as_of_date,
        known_until
    from (
        select
            as_of_date,
            coalesce({{ dbt.dateadd('day', 1, 'cast(known_on as timestamp)') }}, started_at) as known_until,
            row_number() over (partition by as_of_date order by started_at desc) as recency
        from {{ source('audit', 'run_log') }}
        where has_recorded
    ) as recordings
    where recency = 1
),

months_built as (
    select
        months.month_end,
        coalesce(builds.as_of_date, months.month_end) as built_as_of,
        coalesce(builds.known_until, {{ dbt.dateadd('day', 1, 'cast(months.month_end as timestamp)') }}) as known_until
    from (select distinct month_end from differences) as months
    left join builds
        on months.month_end >= builds.as_of_date
        and (months.month_end < builds.next_as_of_date or builds.next_as_of_date is null)
),

in_question as (
    select distinct
        differences.segment_type_id,
        differences.entity,
        differences.month_end,
        restated.entity_id,
        restated.member_id,
        months_built.built_as_of,
        months_built.known_until
    from differences
    inner join months_built
        on differences.month_end = months_built.month_end
    inner join restated
        on differences.segment_type_id = restated.segment_type_id
        and differences.restated_entity_id = restated.entity_id
        and differences.month_end >= restated.valid_from
        and differences.month_end < restated.valid_to
),

-- Few as a rule, and nothing below looks at lines of others: among all lines each join would be one of the whole fact.
lines_in_question as (
    {% for entity in ['customer', 'product'] -%}
    select '{{ entity }}' as entity, {{ entity }}_id as member_id, invoice_id, line_number, invoice_date, loaded_at
    from {{ ref('int_invoice_lines_judged') }}
    where record_status = 'staged'
        and {{ entity }}_id in (select member_id from in_question where entity = '{{ entity }}')
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

headers as (
    select
        invoice_id,
        max(case when record_status = 'staged' then loaded_at end) as loaded_at,
        min(loaded_at) as first_landed_at
    from {{ ref('int_invoices_judged') }}
    where record_status in ('staged', 'superseded')
        and invoice_id in (select invoice_id from lines_in_question)
    group by invoice_id
),

lines_replaced as (
    select invoice_id, line_number, min(loaded_at) as first_landed_at
    from {{ ref('int_invoice_lines_judged') }}
    where record_status = 'superseded'
        and invoice_id in (select invoice_id from lines_in_question)
    group by invoice_id, line_number
),

-- A line is there when it and its header are; one that was there before in another version has been corrected.
lines_dated as (
    select
        lines.entity,
        lines.member_id,
        lines.invoice_date,
        greatest(lines.loaded_at, headers.loaded_at) as landed_at,
        greatest(coalesce(lines_replaced.first_landed_at, lines.loaded_at), headers.first_landed_at) as first_landed_at
    from lines_in_question as lines
    inner join headers
        on lines.invoice_id = headers.invoice_id
    left join lines_replaced
        on lines.invoice_id = lines_replaced.invoice_id
        and lines.line_number = lines_replaced.line_number
    where headers.loaded_at is not null
),

{% set documents = {
    'customer': {'model': ref('int_invoices_judged'), 'key': ['invoice_id']},
    'product': {'model': ref('int_invoice_lines_judged'), 'key': ['invoice_id', 'line_number']},
} -%}
{% for entity, document in documents.items() -%}
{{ entity }}s_before as (
    select {{ document.key | join(', ') }}, {{ entity }}_id, invoice_date, loaded_at
    from {{ document.model }}
    where record_status = 'superseded'
        and {{ entity }}_id in (select member_id from in_question where entity = '{{ entity }}')
),

{{ entity }}s_after as (
    select {{ document.key | join(', ') }}, {{ entity }}_id, loaded_at
    from {{ document.model }}
    where record_status = 'staged'
        and invoice_id in (select invoice_id from {{ entity }}s_before)
),

{% endfor -%}
-- What a correction has taken away from a member: the version that named it, and when another one came.
lines_taken_away as (
    {% for entity, document in documents.items() -%}
    select '{{ entity }}' as entity, befores.{{ entity }}_id as member_id, befores.invoice_date, afters.loaded_at as landed_at, befores.loaded_at as first_landed_at
    from {{ entity }}s_before as befores
    inner join {{ entity }}s_after as afters
        on {% for name in document.key %}{{ ' and ' if not loop.first }}befores.{{ name }} = afters.{{ name }}{% endfor %}
        and befores.{{ entity }}_id <> afters.{{ entity }}_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

landings as (
    select segment_type_id, month_end, entity_id, max(is_correction) as has_corrections
    from (
        {% for lines in ['lines_dated', 'lines_taken_away'] -%}
        select
            in_question.segment_type_id,
            in_question.month_end,
            in_question.entity_id,
            case when lines.first_landed_at < in_question.known_until then 1 else 0 end as is_correction
        from in_question
        inner join {{ lines }} as lines
            on in_question.entity = lines.entity
            and in_question.member_id = lines.member_id
            and in_question.built_as_of >= lines.invoice_date
            and in_question.known_until <= lines.landed_at
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as late_lines
    group by segment_type_id, month_end, entity_id
),

-- Was there anything at all that the build could not know and that belongs to its days?
days_landed as (
    select invoice_date as belongs_to, max(loaded_at) as landed_at
    from {{ ref('int_invoice_lines_judged') }}
    where record_status = 'staged'
    group by invoice_date
    {%- for model, day in {'int_invoices_judged': 'invoice_date', 'stg_erp__exchange_rates': 'rate_date'}.items() %}
    union all
    select {{ day }} as belongs_to, max(loaded_at) as landed_at
    from {{ ref(model) }}
    where record_status = 'staged'
    group by {{ day }}
    {%- endfor %}
),

months_landed as (
    select months_built.month_end, max(days_landed.landed_at) >= max(months_built.known_until) as has_landings
    from months_built
    inner join days_landed
        on months_built.built_as_of >= days_landed.belongs_to
    group by months_built.month_end
),

causes as (
    select
        differences.*,
        case
            when differences.restated_tier is null then 'gone_from_the_sources'
            when differences.recorded_tier is null then 'not_known_then'
            when differences.recorded_entity_id <> differences.restated_entity_id then 'hierarchy'
            when configuration_changes.changed_on > differences.month_end then 'configuration'
            when differences.recorded_computed_tier = differences.restated_computed_tier
                and (
                    differences.recorded_override_id is distinct from differences.restated_override_id
                    or differences.recorded_tier_source is distinct from differences.restated_tier_source
                ) then 'override'
            when landings.has_corrections = 1 then 'corrected_rows'
            when landings.has_corrections = 0 then 'late_rows'
            when months_built.built_as_of < differences.month_end then 'no_build_on_the_day'
            when months_landed.has_landings then 'rows_of_others'
        end as own_cause
    from differences
    inner join months_built
        on differences.month_end = months_built.month_end
    left join months_landed
        on differences.month_end = months_landed.month_end
    left join configuration_changes
        on differences.segment_type_id = configuration_changes.segment_type_id
    left join landings
        on differences.segment_type_id = landings.segment_type_id
        and differences.month_end = landings.month_end
        and differences.restated_entity_id = landings.entity_id
)

select
    segment_type_id,
    entity,
    member_id,
    month_end,
    recorded_on,
    recorded_entity_id,
    restated_entity_id,
    recorded_tier,
    restated_tier,
    recorded_computed_tier,
    restated_computed_tier,
    recorded_tier_source,
    restated_tier_source,
    recorded_override_id,
    restated_override_id,
    -- Who comes, goes or changes hands moves its peers.
    case
        when own_cause is not null then own_cause
        when count(own_cause) over (partition by segment_type_id, month_end rows between unbounded preceding and unbounded following) > 0 then 'rows_of_others'
        else 'unexplained'
    end as difference_cause
from causes
