-- R21, R2: the tier under method sequential_quota, tier by tier: each begins where the one before it ended, and whoever is not inside its
-- quota leaves it to those above. How far these fill it is looked up among the running sums of the ranking: as they are, for whoever stood
-- above the place the entity had there, and less what it brought there for whoever stood below.
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
    select
        ranking_number,
        measured_number,
        entity_id,
        stands_apart,
        cast(0 as numeric(24, 4)) as quota_end,
        cast(null as integer) as tier_rank
    from places
)
{%- for tier in range(1, sales_tier_limit() + 1) %},

quota_{{ tier }} as (
    select
        places_found.*,
        filled.quota_end,
        filled.tier_rank,
        rules.tier_rank_{{ tier }} as quota_tier_rank,
        filled.quota_end + rules.sales_share_{{ tier }} * places_found.place_total as cut
    from places_found
    inner join rules
        on places_found.rules_number = rules.rules_number
    inner join filled_{{ tier - 1 }} as filled
        on places_found.ranking_number = filled.ranking_number
        and places_found.measured_number = filled.measured_number
        and places_found.entity_id = filled.entity_id
        and places_found.stands_apart = filled.stands_apart
),

cuts_{{ tier }} as (
    select distinct ranking_number, boundary, cut as cut_looked_up from quota_{{ tier }} where cut is not null
    union
    select distinct ranking_number, boundary, cut + counted_amount as cut_looked_up from quota_{{ tier }} where cut is not null and counted_amount is not null
),

line_{{ tier }} as (
    select ranking_number, line_key, line_order, span_through, null as cut_looked_up
    from fillings
    union all
    select
        ranking_number,
        case boundary when 'nearest' then 2 else 1 end * cut_looked_up as line_key,
        case boundary when 'lower' then 1 else 0 end as line_order,
        0 as span_through,
        cut_looked_up
    from cuts_{{ tier }}
),

reached_{{ tier }} as (
    select
        ranking_number,
        cut_looked_up,
        max(span_through) over (
            partition by ranking_number order by line_key asc, line_order asc rows between unbounded preceding and current row
        ) as reached
    from line_{{ tier }}
),

filled_{{ tier }} as (
    select
        quota.ranking_number,
        quota.measured_number,
        quota.entity_id,
        quota.stands_apart,
        cast(
            greatest(
                quota.quota_end,
                least(
                    quota.place_before,
                    case
                        when quota.counted_amount is null then above.reached
                        when quota.boundary = 'lower'
                            then greatest(
                                    least(above.reached, quota.counted_before),
                                    case when below.reached >= quota.counted_through then below.reached - quota.counted_amount else 0 end
                                )
                        else
                            greatest(
                                least(above.reached, quota.counted_through - quota.counted_amount),
                                case when below.reached > quota.counted_through then below.reached - quota.counted_amount else 0 end
                            )
                    end
                )
            ) as numeric(24, 4)
        ) as quota_end,
        coalesce(
            quota.tier_rank,
            case when {{ is_inside_cut('quota.boundary', 'quota.place_before', 'quota.metric_amount', 'quota.place_through', 'quota.cut') }} then quota.quota_tier_rank end
        ) as tier_rank
    from quota_{{ tier }} as quota
    left join reached_{{ tier }} as above
        on quota.ranking_number = above.ranking_number
        and quota.cut = above.cut_looked_up
    left join reached_{{ tier }} as below
        on quota.ranking_number = below.ranking_number
        and quota.cut + quota.counted_amount = below.cut_looked_up
)
{%- endfor %}

select ranking_number, measured_number, entity_id, stands_apart, tier_rank
from filled_{{ sales_tier_limit() }}
