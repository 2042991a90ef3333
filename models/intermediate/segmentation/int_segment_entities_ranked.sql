-- R1, R3, R4: equal amounts share a tier and whoever crosses a cut keeps the better one, so a tier looks at what strictly
-- larger entities hold; multiplied out, nothing is rounded before it is compared. Ids only order the display rank.
with

eligible as (
    select segment_type_id, evaluation_date, entity_id, eligible_amount
    from {{ ref('int_segment_entities_judged') }}
    where reason_code = 'ranked'
),

tiers as (
    select segment_type_id, tier_rank, cumulative_cut
    from {{ ref('int_segment_tiers') }}
    where cumulative_cut is not null
),

amounts_grouped as (
    select segment_type_id, evaluation_date, eligible_amount, count(*) as entity_count
    from eligible
    group by segment_type_id, evaluation_date, eligible_amount
),

larger_amounts_summed as (
    select
        segment_type_id,
        evaluation_date,
        eligible_amount,
        cast(
            coalesce(
                sum(eligible_amount * entity_count) over (
                    partition by segment_type_id, evaluation_date
                    order by eligible_amount desc
                    rows between unbounded preceding and 1 preceding
                ),
                0
            ) as numeric(24, 2)
        ) as amount_before,
        cast(
            sum(eligible_amount * entity_count) over (
                partition by segment_type_id, evaluation_date
                rows between unbounded preceding and unbounded following
            ) as numeric(24, 2)
        ) as total_amount
    from amounts_grouped
),

best_tiers_found as (
    select
        larger_amounts_summed.segment_type_id,
        larger_amounts_summed.evaluation_date,
        larger_amounts_summed.eligible_amount,
        larger_amounts_summed.amount_before,
        larger_amounts_summed.total_amount,
        min(tiers.tier_rank) as tier_rank
    from larger_amounts_summed
    inner join tiers
        on larger_amounts_summed.segment_type_id = tiers.segment_type_id
        and larger_amounts_summed.amount_before < tiers.cumulative_cut * larger_amounts_summed.total_amount
    group by
        larger_amounts_summed.segment_type_id,
        larger_amounts_summed.evaluation_date,
        larger_amounts_summed.eligible_amount,
        larger_amounts_summed.amount_before,
        larger_amounts_summed.total_amount
)

select
    eligible.segment_type_id,
    eligible.evaluation_date,
    eligible.entity_id,
    false as is_excluded,
    eligible.eligible_amount,
    best_tiers_found.amount_before,
    best_tiers_found.total_amount,
    best_tiers_found.tier_rank,
    row_number() over (
        partition by eligible.segment_type_id, eligible.evaluation_date
        order by eligible.eligible_amount desc, eligible.entity_id asc
    ) as sales_rank,
    cast(
        sum(eligible.eligible_amount) over (
            partition by eligible.segment_type_id, eligible.evaluation_date
            order by eligible.eligible_amount desc, eligible.entity_id asc
            rows between unbounded preceding and current row
        ) as numeric(24, 2)
    ) as cumulative_amount
from eligible
inner join best_tiers_found
    on eligible.segment_type_id = best_tiers_found.segment_type_id
    and eligible.evaluation_date = best_tiers_found.evaluation_date
    and eligible.eligible_amount = best_tiers_found.eligible_amount
