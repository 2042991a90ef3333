-- Guards R3: among the ranked of a type, equal amounts have equal tiers; an id never decides one.
with

ranked as (
    select
        segment_type_id,
        as_of_date,
        eligible_amount,
        computed_tier
    from {{ ref('fct_customer_segments') }}
    where reason_code = 'ranked'
    union all
    select
        segment_type_id,
        as_of_date,
        eligible_amount,
        computed_tier
    from {{ ref('fct_product_segments') }}
    where reason_code = 'ranked'
)

select
    segment_type_id,
    as_of_date,
    eligible_amount,
    min(computed_tier) as one_tier,
    max(computed_tier) as another_tier
from ranked
group by segment_type_id, as_of_date, eligible_amount
having min(computed_tier) <> max(computed_tier)
