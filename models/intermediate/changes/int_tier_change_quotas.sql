-- R21, R2: the tier under method sequential_quota, tier by tier: each begins where the one before it ended, and whoever is not inside its
-- quota leaves it to those above. How far these fill it is looked up among the running sums of the ranking: as they are, for whoever stood
-- above the place the entity had there, and less what it brought there for whoever stood below. Each step reads the one before it once
-- and carries all columns on, for engines that run a CTE again wherever it is named.
{% set carried = [
    'ranking_number', 'measured_number', 'rules_number', 'entity_id', 'stands_apart', 'metric_amount', 'counted_amount', 'place_before',
    'place_through', 'place_total', 'boundary', 'counted_before', 'counted_through', 'quota_end', 'tier_rank',
] %}
with

rules as (
    select * from {{ ref('int_segment_rules_recorded') }} where method = 'sequential_quota'
),

places as (
    select
        places.ranking_number,
        places.measured_number,
        places.rules_number,
        places.entity_id,
        places.stands_apart,
        places.metric_amount,
        places.counted_amount,
        places.place_before,
        places.place_through,
        places.place_total,
        rules.boundary
    from {{ ref('int_tier_change_places') }} as places
    inner join rules
        on places.rules_number = rules.rules_number
),

counted as (
    select scenario_number, entity_id, stands_apart, metric_amount, tie_breaker
    from {{ ref('int_tier_change_entities') }}
    where is_counted
),

-- The places of a ranking: what strictly larger ones hold, and what they hold together with it and its equals.
rankings as (
    select distinct ranking_number, boundary from places
),

spans as (
    select
        rankings.ranking_number,
        rankings.boundary,
        counted.entity_id,
        counted.stands_apart,
        counted.metric_amount,
        cast(sum(counted.metric_amount) over (
            partition by rankings.ranking_number order by counted.metric_amount desc nulls last, counted.tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as numeric(24, 4)) as span_through,
        cast(sum(counted.metric_amount) over (
            partition by rankings.ranking_number, counted.metric_amount, counted.tie_breaker
            rows between unbounded preceding and unbounded following
        ) as numeric(24, 4)) as span_amount
    from rankings
    inner join counted
        on rankings.ranking_number = counted.scenario_number
),

fillings as (
    select distinct
        ranking_number,
        case boundary
            when 'upper' then span_through - span_amount
            when 'lower' then span_through
            else 2 * (span_through - span_amount) + metric_amount
        end as line_key,
        -- Whoever begins exactly at a cut is outside of it; whoever reaches exactly up to it is inside, where the boundary is lower.
        case boundary when 'lower' then 0 else 1 end as line_order,
        span_through
    from spans
),

sides as (
    select 'above' as looked_up
    union all
    select 'below' as looked_up
),

-- Beside its place now, the one the entity had in the ranking.
places_found as (
    select
        places.*,
        spans.span_through - spans.span_amount as counted_before,
        spans.span_through as counted_through
    from places
    left join spans
        on places.ranking_number = spans.ranking_number
        and places.entity_id = spans.entity_id
        and places.stands_apart = spans.stands_apart
),

filled_0 as (
    select places_found.*, cast(0 as numeric(24, 4)) as quota_end, cast(null as integer) as tier_rank
    from places_found
)
{%- for tier in range(1, sales_tier_limit() + 1) %},

quota_{{ tier }} as (
    select
        filled.*,
        rules.tier_rank_{{ tier }} as quota_tier_rank,
        filled.quota_end + rules.sales_share_{{ tier }} * filled.place_total as cut
    from filled_{{ tier - 1 }} as filled
    inner join rules
        on filled.rules_number = rules.rules_number
),

line_{{ tier }} as (
    select
        ranking_number,
        line_key,
        line_order,
        span_through,
        null as looked_up,
        {% for column in carried if column != 'ranking_number' -%}
        null as {{ column }},
        {% endfor -%}
        null as quota_tier_rank,
        null as cut
    from fillings
    union all
    select
        quota.ranking_number,
        case quota.boundary when 'nearest' then 2 else 1 end
        * case sides.looked_up when 'above' then quota.cut else quota.cut + quota.counted_amount end as line_key,
        case quota.boundary when 'lower' then 1 else 0 end as line_order,
        0 as span_through,
        sides.looked_up,
        {% for column in carried if column != 'ranking_number' -%}
        quota.{{ column }},
        {% endfor -%}
        quota.quota_tier_rank,
        quota.cut
    from quota_{{ tier }} as quota
    cross join sides
),

reached_{{ tier }} as (
    select
        *,
        max(span_through) over (
            partition by ranking_number order by line_key asc nulls last, line_order asc rows between unbounded preceding and current row
        ) as reached
    from line_{{ tier }}
),

looked_up_{{ tier }} as (
    select
        {% for column in carried -%}
        {{ column }},
        {% endfor -%}
        quota_tier_rank,
        cut,
        max(case when looked_up = 'above' and cut is not null then reached end) as above_reached,
        max(case when looked_up = 'below' and cut is not null and counted_amount is not null then reached end) as below_reached
    from reached_{{ tier }}
    where looked_up is not null
    group by {{ carried | join(', ') }}, quota_tier_rank, cut
),

filled_{{ tier }} as (
    select
        {% for column in carried[:-2] -%}
        {{ column }},
        {% endfor -%}
        cast(
            greatest(
                quota_end,
                least(
                    place_before,
                    case
                        when counted_amount is null then above_reached
                        when boundary = 'lower'
                            then greatest(
                                    least(above_reached, counted_before),
                                    case when below_reached >= counted_through then below_reached - counted_amount else 0 end
                                )
                        else
                            greatest(
                                least(above_reached, counted_through - counted_amount),
                                case when below_reached > counted_through then below_reached - counted_amount else 0 end
                            )
                    end
                )
            ) as numeric(24, 4)
        ) as quota_end,
        coalesce(tier_rank, case when {{ is_inside_cut('boundary', 'place_before', 'metric_amount', 'place_through', 'cut') }} then quota_tier_rank end) as tier_rank
    from looked_up_{{ tier }}
)
{%- endfor %}

select ranking_number, measured_number, entity_id, stands_apart, tier_rank
from filled_{{ sales_tier_limit() }}
