-- How much hangs on how few, over the ranked entities of a type, and what left the ranking (R5).
-- Gini of a population: 2 * sum(i * x_i) / (n * sum(x)) - (n + 1) / n, x in rising order; computed over whole cents.
with

entities as (
    select * from {{ ref('int_segment_entities_judged') }}
),

ranked as (
    select * from {{ ref('int_segment_entities_ranked') }}
),

removed as (
    select
        segment_type_id,
        evaluation_date,
        count(*) as entity_count,
        count(case when reason_code = 'ranked' then 1 end) as ranked_entity_count,
        cast(sum(case when reason_code = 'excluded' then metric_amount else 0 end) as numeric(18, 2)) as excluded_amount,
        cast(sum(case when reason_code = 'default_new' then metric_amount else 0 end) as numeric(18, 2)) as new_amount,
        cast(sum(case when reason_code = 'below_min_net_sales' then metric_amount else 0 end) as numeric(18, 2)) as below_minimum_amount,
        cast(sum(case when reason_code = 'non_positive_net_sales' then metric_amount else 0 end) as numeric(18, 2)) as non_positive_amount
    from entities
    group by segment_type_id, evaluation_date
),

counts_added as (
    select
        *,
        count(*) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as ranked_count
    from ranked
),

concentration as (
    select
        segment_type_id,
        evaluation_date,
        min(ranked_count) as ranked_count,
        min(total_amount) as total_amount,
        max(eligible_amount) as largest_amount,
        -- The entity of sales_rank r is number ranked_count + 1 - r in rising order.
        sum((ranked_count + 1 - sales_rank) * cast(cast(eligible_amount as numeric(19, 2)) * 100 as numeric(20, 0))) as weighted_cents,
        -- The top fifth, rounded up to a whole entity.
        cast(sum(case when (sales_rank - 1) * 5 < ranked_count then eligible_amount else 0 end) as numeric(24, 2)) as top_fifth_amount,
        cast(sum(case when tier_rank = 1 then eligible_amount else 0 end) as numeric(24, 2)) as best_tier_amount,
        count(case when tier_rank = 1 then 1 end) as best_tier_entity_count
    from counts_added
    group by segment_type_id, evaluation_date
)

select
    removed.segment_type_id,
    removed.evaluation_date as as_of_date,
    {{ month_end('removed.evaluation_date') }} as month_end,
    removed.entity_count,
    removed.ranked_entity_count,
    cast(coalesce(concentration.total_amount, 0) as numeric(18, 2)) as eligible_amount,
    removed.excluded_amount,
    removed.new_amount,
    removed.below_minimum_amount,
    removed.non_positive_amount,
    cast(cast({{ divide_half_up(
        '(2 * concentration.weighted_cents - (concentration.ranked_count + 1) * cast(concentration.total_amount * 100 as numeric(26, 0))) * 1000000',
        'concentration.ranked_count * cast(concentration.total_amount * 100 as numeric(26, 0))'
    ) }} as numeric(18, 0)) * 0.000001 as numeric(9, 6)) as gini,
    {{ display_share('concentration.top_fifth_amount', 'concentration.total_amount') }} as top_fifth_share,
    {{ display_share('concentration.largest_amount', 'concentration.total_amount') }} as largest_share,
    {{ display_share('concentration.best_tier_amount', 'concentration.total_amount') }} as best_tier_share,
    {{ display_share(
        'cast(concentration.best_tier_amount - concentration.largest_amount as numeric(24, 2))',
        'cast(concentration.total_amount - concentration.largest_amount as numeric(24, 2))'
    ) }} as best_tier_share_without_largest,
    concentration.best_tier_entity_count
from removed
left join concentration
    on removed.segment_type_id = concentration.segment_type_id
    and removed.evaluation_date = concentration.evaluation_date
