-- Guards R3: among the ranked of a type, equal amounts have equal tiers; an id never decides one, unless the type splits ties.
-- Quantities have more decimals than the mart shows.
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
    ranked.segment_type_id,
    ranked.as_of_date,
    ranked.eligible_amount,
    min(ranked.computed_tier) as one_tier,
    max(ranked.computed_tier) as another_tier
from ranked
inner join {{ ref('dim_segment_types') }} as segment_types
    on ranked.segment_type_id = segment_types.segment_type_id
    and segment_types.ties = 'together'
    and segment_types.metric <> 'quantity'
group by ranked.segment_type_id, ranked.as_of_date, ranked.eligible_amount
having min(ranked.computed_tier) <> max(ranked.computed_tier)
