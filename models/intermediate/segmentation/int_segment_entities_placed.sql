-- R1, R3-R5: where each entity stands among those that are counted: what strictly larger ones hold (amount_before), what they
-- hold together with it and its equals (amount_through), and the same in heads. Under ties split every entity has a place of its own,
-- and the id decides among equals. An entity that a person set aside is placed as if it alone came back (R6). cut_tier_rank is the
-- first tier whose cut, or minimum amount, the place lies inside; quotas are filled later.
with

cuts as (
    select * from {{ ref('int_segment_type_cuts') }}
),

entities as (
    select
        judged.segment_type_id,
        judged.evaluation_date,
        segment_types.method,
        segment_types.boundary,
        judged.entity_number,
        judged.entity_id,
        judged.stands_apart,
        judged.in_population,
        judged.metric_amount,
        judged.base_reason,
        judged.reason_code,
        judged.is_counted,
        judged.is_set_aside and not judged.stands_apart and not judged.is_counted and judged.base_reason = 'ranked' as comes_back_alone,
        case when segment_types.ties = 'split' then judged.entity_number else 0 end as tie_breaker
    from {{ ref('int_segment_entities_judged') }} as judged
    inner join {{ ref('int_segment_types') }} as segment_types
        on judged.segment_type_id = segment_types.segment_type_id
),

totals as (
    select segment_type_id, evaluation_date, sum(metric_amount) as total_amount, count(*) as total_count
    from entities
    where is_counted
    group by segment_type_id, evaluation_date
),

counted as (
    select
        *,
        sum(metric_amount) over (
            partition by segment_type_id, evaluation_date
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as amount_through,
        count(*) over (
            partition by segment_type_id, evaluation_date
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as count_through,
        rank() over (
            partition by segment_type_id, evaluation_date
            order by metric_amount desc nulls last, tie_breaker asc nulls last
        ) - 1 as count_before
    from entities
    where is_counted
),

coming_back as (
    select * from entities where comes_back_alone
),

others_compared as (
    select
        coming_back.segment_type_id,
        coming_back.evaluation_date,
        coming_back.entity_id,
        others.metric_amount,
        others.metric_amount > coming_back.metric_amount
        or (others.metric_amount = coming_back.metric_amount and others.tie_breaker < coming_back.tie_breaker) as is_before,
        others.metric_amount = coming_back.metric_amount and others.tie_breaker = coming_back.tie_breaker as is_equal
    from coming_back
    inner join entities as others
        on coming_back.segment_type_id = others.segment_type_id
        and coming_back.evaluation_date = others.evaluation_date
        and others.is_counted
),

others_summed as (
    select
        segment_type_id,
        evaluation_date,
        entity_id,
        sum(case when is_before then metric_amount else 0 end) as amount_before,
        count(case when is_before then 1 end) as count_before,
        count(case when is_equal then 1 end) as equal_count
    from others_compared
    group by segment_type_id, evaluation_date, entity_id
),

places as (
    select
        counted.*,
        counted.amount_through - (counted.count_through - counted.count_before) * counted.metric_amount as amount_before,
        totals.total_amount,
        totals.total_count
    from counted
    inner join totals
        on counted.segment_type_id = totals.segment_type_id
        and counted.evaluation_date = totals.evaluation_date
    union all
    select
        coming_back.*,
        coalesce(others_summed.amount_before, 0) + (coalesce(others_summed.equal_count, 0) + 1) * coming_back.metric_amount as amount_through,
        coalesce(others_summed.count_before, 0) + coalesce(others_summed.equal_count, 0) + 1 as count_through,
        coalesce(others_summed.count_before, 0) as count_before,
        coalesce(others_summed.amount_before, 0) as amount_before,
        coalesce(totals.total_amount, 0) + coming_back.metric_amount as total_amount,
        coalesce(totals.total_count, 0) + 1 as total_count
    from coming_back
    left join totals
        on coming_back.segment_type_id = totals.segment_type_id
        and coming_back.evaluation_date = totals.evaluation_date
    left join others_summed
        on coming_back.segment_type_id = others_summed.segment_type_id
        and coming_back.evaluation_date = others_summed.evaluation_date
        and coming_back.entity_id = others_summed.entity_id
    union all
    select
        *,
        null as amount_through,
        null as count_through,
        null as count_before,
        null as amount_before,
        null as total_amount,
        null as total_count
    from entities
    where not is_counted and not comes_back_alone
),

measured as (
    select
        places.*,
        case when places.method = 'count' then cast(places.count_before as numeric(24, 4)) else cast(places.amount_before as numeric(24, 4)) end as before,
        case when places.method = 'count' then cast(1 as numeric(24, 4)) else cast(places.metric_amount as numeric(24, 4)) end as own,
        case when places.method = 'count' then cast(places.count_through as numeric(24, 4)) else cast(places.amount_through as numeric(24, 4)) end as through,
        case when places.method = 'count' then cast(places.total_count as numeric(24, 4)) else cast(places.total_amount as numeric(24, 4)) end as total
    from places
)

select
    measured.segment_type_id,
    measured.evaluation_date,
    measured.entity_number,
    measured.entity_id,
    measured.stands_apart,
    measured.in_population,
    measured.metric_amount,
    measured.base_reason,
    measured.reason_code,
    measured.is_counted,
    measured.comes_back_alone,
    cast(measured.amount_before as numeric(24, 4)) as amount_before,
    cast(measured.amount_through as numeric(24, 4)) as amount_through,
    cast(measured.total_amount as numeric(24, 4)) as total_amount,
    cast(measured.count_before as bigint) as count_before,
    cast(measured.count_through as bigint) as count_through,
    cast(measured.total_count as bigint) as total_count,
    case measured.method
        when 'absolute'
            then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when measured.metric_amount >= cuts.minimum_amount_{{ tier }} then cuts.tier_rank_{{ tier }}
                    {%- endfor %}
                end
        when 'sequential_quota' then null
        else
            case
                {%- for tier in range(1, sales_tier_limit() + 1) %}
                when {{ is_inside_cut('measured.boundary', 'measured.before', 'measured.own', 'measured.through', '(cuts.cumulative_cut_' ~ tier ~ ' * measured.total)') }}
                    then cuts.tier_rank_{{ tier }}
                {%- endfor %}
            end
    end as cut_tier_rank
from measured
inner join cuts
    on measured.segment_type_id = cuts.segment_type_id
