select
    segment_type_id,
    tier,
    tier_rank,
    sales_share,
    cumulative_cut,
    visit_every_days,
    priority,
    is_default,
    is_excluded
from {{ ref('int_segment_tiers') }}
