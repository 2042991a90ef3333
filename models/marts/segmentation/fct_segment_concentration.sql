-- How much hangs on how few, over the entities a ranking counts, and what left it (R5), at every month-end and on the as-of date.
-- Gini of a population: 2 * sum(i * x_i) / (n * sum(x)) - (n + 1) / n, x in rising order; computed over whole numbers.
-- Made from the entities of the evaluations that are due: int_segment_evaluations lets none be closed that is not here.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_evaluations', 'evaluation_date', 'as_of_date') }}"
) }}
with

evaluations as (
    select evaluation_number, segment_type_id, evaluation_date, input_fingerprint
    from {{ ref('int_segment_evaluations') }} as evaluations
    {{ without_kept_evaluations('evaluations', 'evaluation_date', 'as_of_date') }}
),

best_tiers as (
    select segment_type_id, tier_rank_1 as best_tier_rank from {{ ref('int_segment_type_cuts') }}
),

entities as (
    select ranked.*, ranked.reason_code = 'ranked' and ranked.computed_tier_rank = best_tiers.best_tier_rank as is_best
    from {{ ref('int_segment_entities_ranked') }} as ranked
    inner join evaluations
        on ranked.evaluation_number = evaluations.evaluation_number
    inner join best_tiers
        on evaluations.segment_type_id = best_tiers.segment_type_id
    where ranked.in_population
),

concentration as (
    select
        evaluation_number,
        count(*) as entity_count,
        count(case when reason_code = 'ranked' then 1 end) as ranked_entity_count,
        {% for name, reason in [('excluded', 'excluded'), ('new', 'default_new'), ('below_minimum', 'below_min_net_sales'), ('non_positive', 'non_positive_net_sales')] -%}
        cast(sum(case when reason_code = '{{ reason }}' then metric_amount else 0 end) as numeric(18, 2)) as {{ name }}_amount,
        {% endfor -%}
        count(case when is_counted then 1 end) as counted_count,
        cast(sum(case when is_counted then metric_amount else 0 end) as numeric(24, 4)) as total_amount,
        cast(max(case when is_counted then metric_amount end) as numeric(24, 4)) as largest_amount,
        -- Twice the place in rising order, equals at the middle of theirs.
        sum(case when is_counted then (2 * total_count + 1 - count_before - count_through) * metric_amount else 0 end) as twice_weighted_amount,
        -- The top fifth, rounded up to a whole entity; it may end among equals.
        sum(case when is_counted and (count_through - 1) * 5 < total_count then metric_amount else 0 end) as whole_fifth_amount,
        max(case when is_counted and count_before * 5 < total_count and (count_through - 1) * 5 >= total_count then count_before end) as split_count,
        max(case when is_counted and count_before * 5 < total_count and (count_through - 1) * 5 >= total_count then metric_amount end) as split_amount,
        cast(sum(case when is_best then metric_amount else 0 end) as numeric(24, 4)) as best_tier_amount,
        cast(coalesce(max(case when is_best then metric_amount end), 0) as numeric(24, 4)) as largest_best_amount,
        count(case when is_best then 1 end) as best_tier_entity_count
    from entities
    group by evaluation_number
),

fifths_completed as (
    select
        *,
        cast(whole_fifth_amount + coalesce(({{ integer_divide('counted_count + 4', '5') }} - split_count) * split_amount, 0) as numeric(24, 4)) as top_fifth_amount
    from concentration
)

select
    evaluations.segment_type_id,
    evaluations.evaluation_date as as_of_date,
    {{ month_end('evaluations.evaluation_date') }} as month_end,
    entity_count,
    ranked_entity_count,
    cast(total_amount as numeric(18, 2)) as eligible_amount,
    excluded_amount,
    new_amount,
    below_minimum_amount,
    non_positive_amount,
    cast(cast({{ divide_half_up(
        'cast((twice_weighted_amount - (counted_count + 1) * total_amount) * 10000 as numeric(32, 0)) * 1000000',
        'counted_count * cast(total_amount * 10000 as numeric(28, 0))'
    ) }} as numeric(18, 0)) * 0.000001 as numeric(9, 6)) as gini,
    {{ display_share('top_fifth_amount', 'total_amount') }} as top_fifth_share,
    {{ display_share('largest_amount', 'total_amount') }} as largest_share,
    {{ display_share('best_tier_amount', 'total_amount') }} as best_tier_share,
    {{ display_share('cast(best_tier_amount - largest_best_amount as numeric(24, 4))', 'cast(total_amount - largest_best_amount as numeric(24, 4))') }} as best_tier_share_without_largest,
    best_tier_entity_count,
    evaluations.input_fingerprint
from fifths_completed
inner join evaluations
    on fifths_completed.evaluation_number = evaluations.evaluation_number
