-- R21, R1-R5: where the ranked stand in the rankings that a change is explained by: with what they bring there, and in the ranking of the
-- configuration step also with what they bring at the end while everybody else is as before: total' = total - own before + own now, and
-- likewise the sum of strictly larger values, looked up among running sums by value. No customer is compared with all others. Quotas are
-- filled later.
with

rules as (
    select * from {{ ref('int_segment_rules_recorded') }}
),

steps as (
    select pair_number, step, scenario_number, rules_number from {{ ref('int_tier_change_scenarios') }}
),

{{ tier_change_questions() }},

entities as (
    select * from {{ ref('int_tier_change_entities') }}
),

counted as (
    select scenario_number, entity_id, stands_apart, metric_amount, tie_breaker from entities where is_counted
),

totals as (
    select scenario_number, sum(metric_amount) as total_amount, count(*) as total_count
    from counted
    group by scenario_number
),

equals_summed as (
    select scenario_number, metric_amount, tie_breaker, sum(metric_amount) as equal_amount, count(*) as equal_count
    from counted
    group by scenario_number, metric_amount, tie_breaker
),

running_sums as (
    select
        *,
        sum(equal_amount) over (
            partition by scenario_number order by metric_amount desc nulls last, tie_breaker asc nulls last
            rows between unbounded preceding and current row
        ) as through_amount,
        sum(equal_count) over (
            partition by scenario_number order by metric_amount desc nulls last, tie_breaker asc nulls last
            rows between unbounded preceding and current row
        ) as through_count
    from equals_summed
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
        counted.metric_amount as counted_amount
    from questions
    inner join entities
        on questions.measured_number = entities.scenario_number
        and entities.base_reason = 'ranked'
        and not entities.stands_apart
    left join counted
        on questions.ranking_number = counted.scenario_number
        and entities.entity_id = counted.entity_id
        and entities.stands_apart = counted.stands_apart
),

-- Who brings another value than it is counted with is looked up between the values of the ranking.
line as (
    select scenario_number as ranking_number, metric_amount, tie_breaker, through_amount, through_count
    from running_sums
    union all
    select distinct ranking_number, metric_amount, tie_breaker, 0 as through_amount, 0 as through_count
    from asked
    where counted_amount is distinct from metric_amount
),

looked_up as (
    select
        ranking_number,
        metric_amount,
        tie_breaker,
        max(through_amount) over (
            partition by ranking_number order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as through_amount,
        max(through_count) over (
            partition by ranking_number order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as through_count
    from line
),

found as (
    select ranking_number, metric_amount, tie_breaker, max(through_amount) as through_amount, max(through_count) as through_count
    from looked_up
    group by ranking_number, metric_amount, tie_breaker
),

moved as (
    select
        asked.ranking_number,
        asked.measured_number,
        asked.rules_number,
        asked.entity_id,
        asked.stands_apart,
        asked.metric_amount,
        asked.counted_amount,
        found.through_amount - coalesce(equals_summed.equal_amount, 0)
        - case when asked.counted_amount > asked.metric_amount then asked.counted_amount else 0 end as amount_before,
        found.through_count - coalesce(equals_summed.equal_count, 0)
        - case when asked.counted_amount > asked.metric_amount then 1 else 0 end as count_before,
        coalesce(equals_summed.equal_amount, 0)
        - case when asked.counted_amount = asked.metric_amount then asked.counted_amount else 0 end
        + asked.metric_amount as equal_amount,
        coalesce(equals_summed.equal_count, 0)
        - case when asked.counted_amount = asked.metric_amount then 1 else 0 end
        + 1 as equal_count,
        coalesce(totals.total_amount, 0) - coalesce(asked.counted_amount, 0) + asked.metric_amount as total_amount,
        coalesce(totals.total_count, 0) - case when asked.counted_amount is null then 0 else 1 end + 1 as total_count
    from asked
    inner join found
        on asked.ranking_number = found.ranking_number
        and asked.metric_amount = found.metric_amount
        and asked.tie_breaker is not distinct from found.tie_breaker
    left join equals_summed
        on asked.ranking_number = equals_summed.scenario_number
        and asked.metric_amount = equals_summed.metric_amount
        and asked.tie_breaker is not distinct from equals_summed.tie_breaker
    left join totals
        on asked.ranking_number = totals.scenario_number
),

-- What method count compares is heads, every other one amounts.
measured as (
    select
        moved.*,
        {% for name, head, amount in [('before', 'moved.count_before', 'moved.amount_before'), ('own', '1', 'moved.metric_amount'),
            ('through', 'moved.count_before + moved.equal_count', 'moved.amount_before + moved.equal_amount'),
            ('total', 'moved.total_count', 'moved.total_amount')] -%}
        cast(case when rules.method = 'count' then {{ head }} else {{ amount }} end as numeric(24, 4)) as {{ name }},
        {% endfor -%}
        {% for tier in range(1, sales_tier_limit() + 1) -%}
        rules.minimum_amount_{{ tier }},
        rules.cumulative_cut_{{ tier }},
        rules.tier_rank_{{ tier }},
        {% endfor -%}
        rules.method,
        rules.boundary
    from moved
    inner join rules
        on moved.rules_number = rules.rules_number
)

select
    ranking_number,
    measured_number,
    rules_number,
    entity_id,
    stands_apart,
    metric_amount,
    counted_amount,
    cast(before as numeric(24, 4)) as place_before,
    cast(through as numeric(24, 4)) as place_through,
    cast(total as numeric(24, 4)) as place_total,
    case method
        when 'absolute'
            then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when metric_amount >= minimum_amount_{{ tier }} then tier_rank_{{ tier }}
                    {%- endfor %}
                end
        when 'sequential_quota' then null
        else
            case
                {%- for tier in range(1, sales_tier_limit() + 1) %}
                when {{ is_inside_cut('boundary', 'before', 'own', 'through', '(cumulative_cut_' ~ tier ~ ' * total)') }}
                    then tier_rank_{{ tier }}
                {%- endfor %}
            end
    end as cut_tier_rank
from measured
