-- R1, R3-R5: where each entity stands among those that are counted: what strictly larger ones hold (amount_before), and how
-- many they are without and with it and its equals (count_before, count_through). Under ties split every entity has a place of its own,
-- and the id decides among equals. An entity that a person set aside is placed as if it alone came back (R6). cut_tier_rank is the
-- first tier whose cut, or minimum amount, the place lies inside; quotas are filled later.
with

evaluations as (
    select evaluations.evaluation_number, segment_types.method, segment_types.boundary, segment_types.ties, cuts.*
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    inner join {{ ref('int_segment_type_cuts') }} as cuts
        on evaluations.segment_type_id = cuts.segment_type_id
),

entities as (
    select
        judged.evaluation_number,
        judged.entity_number,
        judged.stands_apart,
        judged.in_population,
        judged.metric_amount,
        judged.is_set_aside,
        judged.base_reason,
        judged.is_counted,
        judged.is_set_aside and not judged.stands_apart and not judged.is_counted and judged.base_reason = 'ranked' as comes_back_alone,
        case when evaluations.ties = 'split' then judged.entity_number else 0 end as tie_breaker
    from {{ ref('int_segment_entities_judged') }} as judged
    inner join evaluations
        on judged.evaluation_number = evaluations.evaluation_number
),

-- Without a filter of its own: with one on every reader DuckDB works all of them out once more before it keeps the entities.
totals as (
    select
        evaluation_number,
        sum(case when is_counted then metric_amount end) as total_amount,
        count(case when is_counted then 1 end) as total_count
    from entities
    group by evaluation_number
),

counted as (
    select
        *,
        sum(metric_amount) over (
            partition by evaluation_number
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as amount_through,
        count(*) over (
            partition by evaluation_number
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as count_through,
        rank() over (
            partition by evaluation_number
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
        coming_back.evaluation_number,
        coming_back.entity_number,
        others.metric_amount,
        others.metric_amount > coming_back.metric_amount
        or (others.metric_amount = coming_back.metric_amount and others.tie_breaker < coming_back.tie_breaker) as is_before,
        others.metric_amount = coming_back.metric_amount and others.tie_breaker = coming_back.tie_breaker as is_equal
    from coming_back
    inner join entities as others
        on coming_back.evaluation_number = others.evaluation_number
        and others.is_counted
),

others_summed as (
    select
        evaluation_number,
        entity_number,
        sum(case when is_before then metric_amount else 0 end) as amount_before,
        count(case when is_before then 1 end) as count_before,
        count(case when is_equal then 1 end) as equal_count
    from others_compared
    group by evaluation_number, entity_number
),

places as (
    select
        counted.*,
        counted.amount_through - (counted.count_through - counted.count_before) * counted.metric_amount as amount_before,
        totals.total_amount,
        totals.total_count
    from counted
    inner join totals
        on counted.evaluation_number = totals.evaluation_number
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
        on coming_back.evaluation_number = totals.evaluation_number
    left join others_summed
        on coming_back.evaluation_number = others_summed.evaluation_number
        and coming_back.entity_number = others_summed.entity_number
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

-- What method count compares is heads, every other one amounts.
measured as (
    select
        places.*,
        {% for name, head, amount in [('before', 'places.count_before', 'places.amount_before'), ('own', '1', 'places.metric_amount'),
            ('through', 'places.count_through', 'places.amount_through'), ('total', 'places.total_count', 'places.total_amount')] -%}
        case when evaluations.method = 'count' then cast({{ head }} as numeric(24, 4)) else cast({{ amount }} as numeric(24, 4)) end as {{ name }},
        {% endfor -%}
        {% for tier in range(1, sales_tier_limit() + 1) -%}
        evaluations.minimum_amount_{{ tier }},
        evaluations.cumulative_cut_{{ tier }},
        evaluations.tier_rank_{{ tier }},
        {% endfor -%}
        evaluations.method,
        evaluations.boundary
    from places
    inner join evaluations
        on places.evaluation_number = evaluations.evaluation_number
)

select
    evaluation_number,
    entity_number,
    stands_apart,
    in_population,
    is_set_aside,
    metric_amount,
    base_reason,
    is_counted,
    comes_back_alone,
    cast(amount_before as numeric(24, 4)) as amount_before,
    cast(total_amount as numeric(24, 4)) as total_amount,
    cast(count_before as bigint) as count_before,
    cast(count_through as bigint) as count_through,
    cast(total_count as bigint) as total_count,
    {{ cut_tier_rank('before', 'own', 'through', 'total') }} as cut_tier_rank
from measured
