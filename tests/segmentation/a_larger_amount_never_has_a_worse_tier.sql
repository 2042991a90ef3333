-- Guards R1: among the ranked of a type, nobody in a worse tier holds more than somebody in a better one.
with

ranked as (
    select
        segment_type_id,
        as_of_date,
        computed_tier,
        eligible_amount
    from {{ ref('fct_customer_segments') }}
    where reason_code = 'ranked'
    union all
    select
        segment_type_id,
        as_of_date,
        computed_tier,
        eligible_amount
    from {{ ref('fct_product_segments') }}
    where reason_code = 'ranked'
),

tiers_summed as (
    select
        segment_type_id,
        as_of_date,
        computed_tier,
        min(eligible_amount) as smallest_amount,
        max(eligible_amount) as largest_amount
    from ranked
    group by segment_type_id, as_of_date, computed_tier
),

tiers_ordered as (
    select
        tiers_summed.*,
        tiers.tier_rank
    from tiers_summed
    inner join {{ ref('dim_segment_tiers') }} as tiers
        on tiers_summed.segment_type_id = tiers.segment_type_id
        and tiers_summed.computed_tier = tiers.tier
)

select
    better.segment_type_id,
    better.as_of_date,
    better.computed_tier as better_tier,
    better.smallest_amount,
    worse.computed_tier as worse_tier,
    worse.largest_amount
from tiers_ordered as better
inner join tiers_ordered as worse
    on better.segment_type_id = worse.segment_type_id
    and better.as_of_date = worse.as_of_date
    and better.tier_rank < worse.tier_rank
where better.smallest_amount < worse.largest_amount
