-- One row per segment type with its sales tiers side by side, best first, so that a ranking finds a tier by looking along one
-- row: tier_rank_n, sales_share_n, cumulative_cut_n and minimum_amount_n of its n-th sales tier; and the ranks that stand
-- in for who is not ranked (R6).
select
    segment_type_id,
    {% for position in range(1, sales_tier_limit() + 1) -%}
    max(case when sales_tier_position = {{ position }} then tier_rank end) as tier_rank_{{ position }},
    max(case when sales_tier_position = {{ position }} then sales_share end) as sales_share_{{ position }},
    max(case when sales_tier_position = {{ position }} then cumulative_cut end) as cumulative_cut_{{ position }},
    max(case when sales_tier_position = {{ position }} then minimum_amount end) as minimum_amount_{{ position }},
    {% endfor -%}
    max(case when is_sales_tier then tier_rank end) as lowest_rank,
    coalesce(max(case when is_default then tier_rank end), max(case when is_sales_tier then tier_rank end)) as default_rank,
    coalesce(min(case when is_excluded then tier_rank end), max(case when is_sales_tier then tier_rank end)) as excluded_rank
from {{ ref('int_segment_tiers') }}
group by segment_type_id
