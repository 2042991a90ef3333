-- Tiers typed. Sales tiers are those a ranking hands out: with a share of the total, or under method absolute with a minimum
-- amount. Each has its position among them and its cumulative cut, the shares of this tier and all better ones (R2).
-- depends_on: {{ ref('int_configuration_gate') }}
with

tiers as (
    select
        {{ cell_text('segment_type_id') }} as segment_type_id,
        {{ cell_text('tier') }} as tier,
        cast({{ parse_cell('sales_share', 'rate', true) }} as numeric(10, 8)) as sales_share,
        cast({{ parse_cell('minimum_amount', 'amount', true) }} as numeric(18, 4)) as minimum_amount,
        {{ parse_cell('tier_rank', 'integer', true) }} as tier_rank,
        {{ parse_cell('visit_every_days', 'integer', true) }} as visit_every_days,
        {{ parse_cell('priority', 'integer', true) }} as priority,
        coalesce({{ parse_cell('is_default', 'boolean', true) }}, false) as is_default,
        coalesce({{ parse_cell('is_excluded', 'boolean', true) }}, false) as is_excluded
    from {{ ref('segment_tiers') }}
),

segment_types as (
    select segment_type_id, method from {{ ref('int_segment_types') }}
),

tiers_sorted_out as (
    select
        tiers.*,
        case
            when tiers.is_excluded then false
            when segment_types.method = 'absolute' then tiers.minimum_amount is not null
            else tiers.sales_share is not null
        end as is_sales_tier
    from tiers
    inner join segment_types
        on tiers.segment_type_id = segment_types.segment_type_id
)

select
    segment_type_id,
    tier,
    tier_rank,
    is_sales_tier,
    case
        when is_sales_tier
            then row_number() over (partition by segment_type_id, is_sales_tier order by tier_rank)
    end as sales_tier_position,
    sales_share,
    case
        when is_sales_tier and sales_share is not null
            then cast(
                    sum(coalesce(sales_share, 0)) over (
                        partition by segment_type_id order by tier_rank rows between unbounded preceding and current row
                    ) as numeric(10, 8)
                )
    end as cumulative_cut,
    minimum_amount,
    visit_every_days,
    priority,
    is_default,
    is_excluded
from tiers_sorted_out
