-- R18: what we would say today about every month-end, collapsed: a period lasts from the month-end that first says something
-- to the one that says something else, or that no longer has the member. What is numbered are the changes alone, and who was there on
-- the first month-end. Whoever has left the sources cannot be evaluated any more: what was known about it stands, and
-- ends with the first month-end without it.
-- depends_on: {{ ref('snap_segment_tiers') }}
-- depends_on: {{ ref('int_evaluation_dates') }}
with

segment_types as (
    select segment_type_id, entity from {{ ref('int_segment_types') }} where status in ('active', 'challenger')
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

first_months as (
    select segment_type_id, min(evaluation_date) as evaluation_date
    from {{ ref('int_segment_evaluations') }}
    where is_month_end
    group by segment_type_id
),

changes as (
    select
        evaluated.segment_type_id,
        evaluated.member_id,
        evaluated.evaluation_date as changed_on,
        true as begins_a_period,
        coalesce(evaluated.inherited_from, evaluated.member_id) as entity_id,
        evaluated.tier_rank,
        evaluated.computed_tier_rank,
        evaluated.reason_code,
        evaluated.tier_source,
        evaluated.override_id,
        evaluated.metric_amount
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join first_months
        on evaluated.segment_type_id = first_months.segment_type_id
        and evaluated.evaluation_date = first_months.evaluation_date
    where evaluated.in_population
    union all
    select
        segment_type_id,
        member_id,
        changed_on,
        begins_a_period,
        entity_id,
        tier_rank,
        computed_tier_rank,
        reason_code,
        tier_source,
        override_id,
        metric_amount
    from {{ ref('int_segment_month_changes') }}
),

periods as (
    select
        *,
        lead(changed_on) over (partition by segment_type_id, member_id order by changed_on asc) as ended_on,
        lead(begins_a_period) over (partition by segment_type_id, member_id order by changed_on asc) as goes_on
    from changes
),

periods_described as (
    select
        periods.segment_type_id,
        segment_types.entity,
        periods.member_id,
        periods.changed_on as valid_from,
        coalesce(periods.ended_on, cast('9999-12-31' as date)) as valid_to,
        case when periods.ended_on is null then 'current' when periods.goes_on then 'changed' else 'gone' end as period_status,
        periods.entity_id,
        tiers.tier,
        computed.tier as computed_tier,
        periods.reason_code,
        periods.tier_source,
        periods.override_id,
        cast(periods.metric_amount as numeric(18, 2)) as metric_amount
    from periods
    inner join segment_types
        on periods.segment_type_id = segment_types.segment_type_id
    inner join tiers
        on periods.segment_type_id = tiers.segment_type_id
        and periods.tier_rank = tiers.tier_rank
    inner join tiers as computed
        on periods.segment_type_id = computed.segment_type_id
        and periods.computed_tier_rank = computed.tier_rank
    where periods.begins_a_period
)

{%- set known = kept_relation('snap_segment_periods', always=true) %}
{%- if known %},

month_ends as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_month_end
),

gone as (
    select segment_type_id, member_id, cast(dbt_valid_from as date) as gone_on
    from {{ ref('snap_segment_tiers') }}
    where dbt_is_deleted = 'True' and dbt_valid_to is null
),

periods_of_the_gone as (
    select
        known.segment_type_id,
        known.member_id,
        known.valid_from,
        min(month_ends.evaluation_date) as ended_on
    from {{ known }} as known
    left join gone
        on known.segment_type_id = gone.segment_type_id
        and known.member_id = gone.member_id
    left join month_ends
        on gone.gone_on <= month_ends.evaluation_date
    where known.dbt_valid_to is null
        and not exists (
            select 1 from periods_described
            where periods_described.segment_type_id = known.segment_type_id and periods_described.member_id = known.member_id
        )
    group by known.segment_type_id, known.member_id, known.valid_from
)
{%- endif %}

select * from periods_described
{% if known -%}
union all
select
    known.segment_type_id,
    known.entity,
    known.member_id,
    known.valid_from,
    case when known.period_status = 'current' then coalesce(periods_of_the_gone.ended_on, known.valid_to) else known.valid_to end as valid_to,
    case when known.period_status = 'current' and periods_of_the_gone.ended_on is not null then 'gone' else known.period_status end as period_status,
    known.entity_id,
    known.tier,
    known.computed_tier,
    known.reason_code,
    known.tier_source,
    known.override_id,
    known.metric_amount
from {{ known }} as known
inner join periods_of_the_gone
    on known.segment_type_id = periods_of_the_gone.segment_type_id
    and known.member_id = periods_of_the_gone.member_id
    and known.valid_from = periods_of_the_gone.valid_from
where known.dbt_valid_to is null
{%- endif %}
