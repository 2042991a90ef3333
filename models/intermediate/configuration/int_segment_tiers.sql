-- Tiers typed, with the cumulative cut of each: the shares of this tier and all better ones (R2, global cuts).
-- depends_on: {{ ref('int_configuration_gate') }}
with

tiers as (
    select
        {{ cell_text('segment_type_id') }} as segment_type_id,
        {{ cell_text('tier') }} as tier,
        {{ parse_cell('sales_share', 'rate', true) }} as sales_share,
        {{ parse_cell('tier_rank', 'integer', true) }} as tier_rank,
        {{ parse_cell('visit_every_days', 'integer', true) }} as visit_every_days,
        {{ parse_cell('priority', 'integer', true) }} as priority,
        coalesce({{ parse_cell('is_default', 'boolean', true) }}, false) as is_default,
        coalesce({{ parse_cell('is_excluded', 'boolean', true) }}, false) as is_excluded
    from {{ ref('segment_tiers') }}
)

select
    segment_type_id,
    tier,
    tier_rank,
    cast(sales_share as numeric(10, 8)) as sales_share,
    case
        when sales_share is not null
            then cast(
                    sum(coalesce(sales_share, 0)) over (
                        partition by segment_type_id order by tier_rank rows between unbounded preceding and current row
                    ) as numeric(10, 8)
                )
    end as cumulative_cut,
    visit_every_days,
    priority,
    is_default,
    is_excluded
from tiers
