-- R18: the month-ends about which we would say something else today than was recorded at the time. Periods meet periods, and months
-- are counted only where two of them differ, or where one side has nothing to say. A table of its own: it is short, as a rule, and
-- whoever asks for reasons has to know that before reading millions of lines.
with

month_ends as (
    select evaluation_date as month_end from {{ ref('int_evaluation_dates') }} where is_month_end
),

last_month_end as (
    select max(month_end) as month_end from month_ends
),

restated as (
    select * from {{ ref('int_segment_periods_restated') }}
),

-- Before its first build nothing was recorded about a type, and about a type that is not evaluated any more nothing is restated.
types_compared as (
    select segment_type_id, min(valid_from) as first_recorded_on
    from {{ ref('int_segment_history') }}
    where segment_type_id in (select segment_type_id from {{ ref('int_segment_types') }} where status in ('active', 'challenger'))
    group by segment_type_id
),

-- A build speaks of everybody, a month-end of those who had appeared; of who has left the sources is known when that was.
population as (
    select entity, member_id, min(appeared_on) as appeared_on
    from (
        select entity, member_id, appeared_on from {{ ref('int_segment_population') }}
        union all
        select entity, member_id, valid_from as appeared_on from restated
    ) as appearances
    group by entity, member_id
),

recorded as (
    select
        history.*,
        greatest(history.valid_from, coalesce(population.appeared_on, history.valid_from)) as speaks_from,
        least(history.valid_to, {{ add_days('last_month_end.month_end', 1) }}) as speaks_to
    from {{ ref('int_segment_history') }} as history
    inner join types_compared
        on history.segment_type_id = types_compared.segment_type_id
    left join population
        on history.entity = population.entity
        and history.member_id = population.member_id
    cross join last_month_end
    where not history.is_gone
),

meetings as (
    select
        recorded.segment_type_id,
        recorded.member_id,
        recorded.valid_from as recorded_from,
        restated.valid_from as restated_from,
        greatest(recorded.speaks_from, restated.valid_from) as meet_from,
        least(recorded.speaks_to, restated.valid_to) as meet_to,
        recorded.tier <> restated.tier or recorded.entity_id <> restated.entity_id as differ
    from recorded
    inner join restated
        on recorded.segment_type_id = restated.segment_type_id
        and recorded.member_id = restated.member_id
        and recorded.speaks_from < restated.valid_to
        and recorded.speaks_to > restated.valid_from
),

recorded_alone as (
    select recorded.segment_type_id, recorded.member_id, recorded.valid_from, recorded.speaks_from, recorded.speaks_to
    from recorded
    left join meetings
        on recorded.segment_type_id = meetings.segment_type_id
        and recorded.member_id = meetings.member_id
        and recorded.valid_from = meetings.recorded_from
    where recorded.speaks_from < recorded.speaks_to
    group by recorded.segment_type_id, recorded.member_id, recorded.valid_from, recorded.speaks_from, recorded.speaks_to
    having coalesce(sum({{ dbt.datediff('meetings.meet_from', 'meetings.meet_to', 'day') }}), 0) < {{ dbt.datediff('recorded.speaks_from', 'recorded.speaks_to', 'day') }}
),

restated_clipped as (
    select
        restated.*,
        greatest(restated.valid_from, types_compared.first_recorded_on) as speaks_from,
        least(restated.valid_to, {{ add_days('last_month_end.month_end', 1) }}) as speaks_to
    from restated
    inner join types_compared
        on restated.segment_type_id = types_compared.segment_type_id
    cross join last_month_end
),

restated_alone as (
    select clipped.segment_type_id, clipped.member_id, clipped.valid_from, clipped.speaks_from, clipped.speaks_to
    from restated_clipped as clipped
    left join meetings
        on clipped.segment_type_id = meetings.segment_type_id
        and clipped.member_id = meetings.member_id
        and clipped.valid_from = meetings.restated_from
    where clipped.speaks_from < clipped.speaks_to
    group by clipped.segment_type_id, clipped.member_id, clipped.valid_from, clipped.speaks_from, clipped.speaks_to
    having coalesce(sum({{ dbt.datediff('meetings.meet_from', 'meetings.meet_to', 'day') }}), 0) < {{ dbt.datediff('clipped.speaks_from', 'clipped.speaks_to', 'day') }}
),

months_in_question as (
    select meetings.segment_type_id, meetings.member_id, month_ends.month_end
    from meetings
    inner join month_ends
        on meetings.meet_from <= month_ends.month_end
        and meetings.meet_to > month_ends.month_end
    where meetings.differ
    {%- for side in ['recorded_alone', 'restated_alone'] %}
    union
    select {{ side }}.segment_type_id, {{ side }}.member_id, month_ends.month_end
    from {{ side }}
    inner join month_ends
        on {{ side }}.speaks_from <= month_ends.month_end
        and {{ side }}.speaks_to > month_ends.month_end
    {%- endfor %}
)

select
    months_in_question.segment_type_id,
    coalesce(recorded.entity, restated.entity) as entity,
    months_in_question.member_id,
    months_in_question.month_end,
    {% for column in ['entity_id', 'tier', 'computed_tier', 'tier_source', 'override_id'] -%}
    recorded.{{ column }} as recorded_{{ column }},
    restated.{{ column }} as restated_{{ column }},
    {% endfor -%}
    recorded.valid_from as recorded_on
from months_in_question
left join recorded
    on months_in_question.segment_type_id = recorded.segment_type_id
    and months_in_question.member_id = recorded.member_id
    and months_in_question.month_end >= recorded.speaks_from
    and months_in_question.month_end < recorded.speaks_to
left join restated
    on months_in_question.segment_type_id = restated.segment_type_id
    and months_in_question.member_id = restated.member_id
    and months_in_question.month_end >= restated.valid_from
    and months_in_question.month_end < restated.valid_to
where recorded.tier is distinct from restated.tier
    or recorded.entity_id is distinct from restated.entity_id
