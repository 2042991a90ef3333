select
    segment_type_id,
    tier,
    tier_rank,
    is_sales_tier,
    sales_share,
    cumulative_cut,
    cast(minimum_amount as numeric(18, 2)) as minimum_amount,
    visit_every_days,
    priority,
    is_default,
    is_excluded
from {{ ref('int_segment_tiers') }}
