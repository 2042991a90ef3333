-- As of the run: the smallest and the largest ranked amount of each tier, and what the next better and the next worse one begins
-- with. Under method absolute a tier begins at its minimum amount, whoever is in it.
with

ranked as (
    select
        evaluations.segment_type_id,
        ranked.computed_tier_rank as tier_rank,
        min(ranked.metric_amount) as smallest_amount,
        max(ranked.metric_amount) as largest_amount
    from {{ ref('int_segment_entities_ranked') }} as ranked
    inner join {{ ref('int_segment_evaluations') }} as evaluations
        on ranked.evaluation_number = evaluations.evaluation_number
        and evaluations.is_as_of
    where ranked.reason_code = 'ranked'
    group by evaluations.segment_type_id, ranked.computed_tier_rank
),

tiers as (
    select tiers.segment_type_id, tiers.tier_rank, tiers.minimum_amount, segment_types.method
    from {{ ref('int_segment_tiers') }} as tiers
    inner join {{ ref('int_segment_types') }} as segment_types
        on tiers.segment_type_id = segment_types.segment_type_id
    where tiers.is_sales_tier
),

tiers_filled as (
    select
        tiers.*,
        ranked.smallest_amount,
        ranked.largest_amount,
        tiers.method = 'absolute' or ranked.smallest_amount is not null as can_be_reached
    from tiers
    left join ranked
        on tiers.segment_type_id = ranked.segment_type_id
        and tiers.tier_rank = ranked.tier_rank
)

select
    tiers.segment_type_id,
    tiers.tier_rank,
    max(case when neighbours.tier_rank < tiers.tier_rank and neighbours.can_be_reached then neighbours.tier_rank end) as better_tier_rank,
    min(case when neighbours.tier_rank > tiers.tier_rank and neighbours.can_be_reached then neighbours.tier_rank end) as worse_tier_rank,
    min(case when neighbours.tier_rank < tiers.tier_rank then case tiers.method when 'absolute' then neighbours.minimum_amount else neighbours.smallest_amount end end) as better_amount,
    case
        when tiers.method <> 'absolute' then max(case when neighbours.tier_rank > tiers.tier_rank then neighbours.largest_amount end)
        when max(neighbours.tier_rank) > tiers.tier_rank then tiers.minimum_amount
    end as worse_amount
from tiers_filled as tiers
inner join tiers_filled as neighbours
    on tiers.segment_type_id = neighbours.segment_type_id
group by tiers.segment_type_id, tiers.tier_rank, tiers.method, tiers.minimum_amount
