-- R21: the recorded types with their sales tiers side by side, best first, as a ranking reads them, and a hash of everything that
-- decides a tier besides the metric.
with

types as (
    select * from {{ ref('int_segment_types_recorded') }}
),

cuts as (
    select
        rules_number,
        {% for position in range(1, sales_tier_limit() + 1) -%}
        {% for column in ['tier_rank', 'sales_share', 'cumulative_cut', 'minimum_amount'] -%}
        max(case when sales_tier_position = {{ position }} then {{ column }} end) as {{ column }}_{{ position }},
        {% endfor -%}
        {% endfor -%}
        max(case when is_sales_tier then tier_rank end) as lowest_rank,
        coalesce(max(case when is_default then tier_rank end), max(case when is_sales_tier then tier_rank end)) as default_rank,
        coalesce(min(case when is_excluded then tier_rank end), max(case when is_sales_tier then tier_rank end)) as excluded_rank,
        {{ sum_of_hashes(['tier', 'tier_rank', 'sales_share', 'minimum_amount', 'is_default', 'is_excluded']) }} as tiers_hash
    from {{ ref('int_segment_tiers_recorded') }}
    group by rules_number
)

select
    types.*,
    {% for position in range(1, sales_tier_limit() + 1) -%}
    {% for column in ['tier_rank', 'sales_share', 'cumulative_cut', 'minimum_amount'] -%}
    cuts.{{ column }}_{{ position }},
    {% endfor -%}
    {% endfor -%}
    cuts.lowest_rank,
    cuts.default_rank,
    cuts.excluded_rank,
    {{ key_hash(['types.segment_type_id', 'types.boundary', 'types.method', 'types.ties', 'types.denominator', 'types.roster_kind',
        'types.min_net_sales', 'types.new_customer_days', 'types.hysteresis_months', 'cuts.tiers_hash']) }} as rules_hash
from types
inner join cuts
    on types.rules_number = cuts.rules_number
