-- R21, R1-R5: where the ranked stand in the rankings that a change is explained by: with what they bring there, and in the ranking of the
-- configuration step also with what they bring at the end while everybody else is as before: total' = total - own before + own now, and
-- likewise the sum of strictly larger values, found among running sums by value. No customer is compared with all others. Quotas are
-- filled later.
with

rules as (
    select * from {{ ref('int_segment_rules_recorded') }}
),

steps as (
    select pair_number, step, scenario_number, rules_number from {{ ref('int_tier_change_scenarios') }}
),

{{ tier_change_questions() }},

rankings as (
    select distinct questions.ranking_number, rules.method
    from questions
    inner join rules
        on questions.rules_number = rules.rules_number
),

entities as (
    select * from {{ ref('int_tier_change_entities') }}
),

-- What is compared of each: heads under method count, else amounts.
counted as (
    select
        entities.scenario_number as ranking_number,
        entities.entity_id,
        entities.stands_apart,
        entities.metric_amount,
        entities.tie_breaker,
        cast(case when rankings.method = 'count' then 1 else entities.metric_amount end as numeric(18, 4)) as measure
    from entities
    inner join rankings
        on entities.scenario_number = rankings.ranking_number
    where entities.is_counted
),

totals as (
    select ranking_number, sum(measure) as total from counted group by ranking_number
),

asked as (
    select
        questions.ranking_number,
        questions.measured_number,
        questions.rules_number,
        entities.entity_id,
        entities.stands_apart,
        entities.metric_amount,
        entities.tie_breaker,
        counted.metric_amount as counted_amount,
        counted.measure as counted_measure
    from questions
    inner join entities
        on questions.measured_number = entities.scenario_number
        and entities.base_reason = 'ranked'
        and not entities.stands_apart
    left join counted
        on questions.ranking_number = counted.ranking_number
        and entities.entity_id = counted.entity_id
        and entities.stands_apart = counted.stands_apart
),

-- The values of a ranking, with those that are asked about and that nobody brings there, once each.
line as (
    select ranking_number, metric_amount, tie_breaker, sum(measure) as equals
    from (
        select ranking_number, metric_amount, tie_breaker, measure from counted
        union all
        select ranking_number, metric_amount, tie_breaker, cast(0 as numeric(18, 4)) as measure
        from asked
        where counted_amount is distinct from metric_amount
    ) as measures
    group by ranking_number, metric_amount, tie_breaker
),

running_sums as (
    select
        *,
        sum(equals) over (
            partition by ranking_number order by metric_amount desc nulls last, tie_breaker asc nulls last
            rows between unbounded preceding and current row
        ) as through
    from line
),

-- With its own value now and without the one it is counted with.
placed as (
    select
        asked.*,
        rules.method,
        rules.boundary,
        {% for tier in range(1, sales_tier_limit() + 1) -%}
        rules.minimum_amount_{{ tier }},
        rules.cumulative_cut_{{ tier }},
        rules.tier_rank_{{ tier }},
        {% endfor -%}
        cast(case when rules.method = 'count' then 1 else asked.metric_amount end as numeric(18, 4)) as own,
        running_sums.through - running_sums.equals
        - case when asked.counted_amount > asked.metric_amount then asked.counted_measure else 0 end as before,
        running_sums.equals - case when asked.counted_amount = asked.metric_amount then asked.counted_measure else 0 end as equals,
        coalesce(totals.total, 0) - coalesce(asked.counted_measure, 0) as total
    from asked
    inner join rules
        on asked.rules_number = rules.rules_number
    inner join running_sums
        on asked.ranking_number = running_sums.ranking_number
        and asked.metric_amount = running_sums.metric_amount
        and asked.tie_breaker is not distinct from running_sums.tie_breaker
    left join totals
        on asked.ranking_number = totals.ranking_number
),

measured as (
    select
        *,
        cast(before as numeric(24, 4)) as place_before,
        cast(before + equals + own as numeric(24, 4)) as place_through,
        cast(total + own as numeric(24, 4)) as place_total
    from placed
)

select
    ranking_number,
    measured_number,
    rules_number,
    entity_id,
    stands_apart,
    metric_amount,
    counted_amount,
    place_before,
    place_through,
    place_total,
    {{ cut_tier_rank('place_before', 'own', 'place_through', 'place_total') }} as cut_tier_rank
from measured
