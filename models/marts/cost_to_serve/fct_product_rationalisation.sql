-- Products a range review begins with: those in the lowest tier of the product type that ranks by gross margin, and what speaks for and
-- against taking them out: how they fit (product_fit.csv), whether Core customers buy them, whether they have had their chance. Without a
-- quadrant for anybody nobody knows what Core customers buy, and nothing is a candidate.
-- depends_on: {{ ref('int_configuration_gate') }}
{% set low_fit = var('low_product_fit') %}
with

periods as (
    select * from {{ ref('int_profit_periods') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

product_fits as (
    select
        {{ cell_text('product_id') }} as product_id,
        {{ parse_cell('strategic_fit', 'integer', true) }} as strategic_fit,
        {{ parse_cell('operational_fit', 'integer', true) }} as operational_fit,
        {{ cell_text('reason') }} as fit_reason,
        {{ cell_text('rated_by') }} as rated_by
    from {{ ref('product_fit') }}
),

segment_types as (
    select segment_type_id, organisation_id, is_default
    from {{ ref('int_segment_types') }}
    where entity = 'product' and metric = 'gross_margin' and status = 'active'
),

sales_tiers as (
    select
        segment_type_id,
        tier,
        row_number() over (partition by segment_type_id order by tier_rank desc) as place_from_below
    from {{ ref('int_segment_tiers') }}
    where is_sales_tier
),

-- One type for each product: the default one, else that of its own organisation, else the first by id.
segments_ranked as (
    select
        segments.*,
        row_number() over (
            partition by segments.product_id
            order by
                case when segment_types.is_default then 0 else 1 end asc,
                case when segment_types.organisation_id is not null then 0 else 1 end asc,
                segments.segment_type_id asc
        ) as preference
    from {{ ref('fct_product_segments') }} as segments
    inner join segment_types
        on segments.segment_type_id = segment_types.segment_type_id
),

long_tail as (
    select segments_ranked.*
    from segments_ranked
    inner join sales_tiers
        on segments_ranked.segment_type_id = sales_tiers.segment_type_id
        and segments_ranked.tier = sales_tiers.tier
        and sales_tiers.place_from_below = 1
    where segments_ranked.preference = 1
),

quadrants as (
    select customer_id, quadrant from {{ ref('fct_customer_stratification') }}
),

core_counted as (
    select count(case when quadrant = 'Core' then 1 end) as core_count from quadrants
),

purchases as (
    select
        purchases.product_id,
        purchases.customer_id,
        sum(purchases.invoice_line_count) as invoice_line_count,
        sum(purchases.net_sales) as net_sales
    from {{ ref('int_customer_products_summed_to_months') }} as purchases
    inner join periods
        on purchases.sales_month between periods.period_from and periods.period_to
    where purchases.product_id in (select long_tail.product_id from long_tail)
    group by purchases.product_id, purchases.customer_id
),

purchases_summed as (
    select
        purchases.product_id,
        count(case when purchases.invoice_line_count > 0 then 1 end) as customer_count,
        count(case when purchases.invoice_line_count > 0 and quadrants.quadrant = 'Core' then 1 end) as core_customer_count,
        cast(sum(case when quadrants.quadrant = 'Core' then purchases.net_sales else 0 end) as numeric(18, 2)) as core_net_sales
    from purchases
    left join quadrants
        on purchases.customer_id = quadrants.customer_id
    group by purchases.product_id
),

reasons_found as (
    select
        long_tail.product_id,
        products.name,
        products.brand,
        products.category,
        products.organisation_id,
        periods.as_of_date,
        periods.period_from,
        periods.period_to,
        long_tail.segment_type_id,
        long_tail.tier,
        long_tail.reason_code,
        long_tail.window_from,
        long_tail.window_to,
        long_tail.net_sales,
        long_tail.gross_margin,
        product_fits.strategic_fit,
        product_fits.operational_fit,
        product_fits.fit_reason,
        product_fits.rated_by,
        coalesce(purchases_summed.customer_count, 0) as customer_count,
        coalesce(purchases_summed.core_customer_count, 0) as core_customer_count,
        coalesce(purchases_summed.core_net_sales, 0) as core_net_sales,
        coalesce(products.discontinued_on <= periods.as_of_date, false) as is_discontinued,
        coalesce(coalesce(products.launched_on, long_tail.first_invoice_date) >= periods.period_from, false) as is_launched_in_period,
        product_fits.product_id is not null as is_rated,
        product_fits.strategic_fit <= {{ low_fit }} as is_low_strategic_fit,
        product_fits.operational_fit <= {{ low_fit }} as is_low_operational_fit,
        case
            when core_counted.core_count > 0 then coalesce(purchases_summed.core_customer_count, 0) > {{ var('core_customers_tolerated') }}
        end as is_bought_by_core
    from long_tail
    cross join periods
    cross join core_counted
    inner join products
        on long_tail.product_id = products.product_id
    left join product_fits
        on long_tail.product_id = product_fits.product_id
    left join purchases_summed
        on long_tail.product_id = purchases_summed.product_id
)

select
    product_id,
    name,
    brand,
    category,
    organisation_id,
    as_of_date,
    period_from,
    period_to,
    segment_type_id,
    tier,
    reason_code,
    window_from,
    window_to,
    net_sales,
    gross_margin,
    strategic_fit,
    operational_fit,
    fit_reason,
    rated_by,
    customer_count,
    core_customer_count,
    core_net_sales,
    is_discontinued,
    is_launched_in_period,
    is_rated,
    is_low_strategic_fit,
    is_low_operational_fit,
    is_bought_by_core,
    coalesce(
        is_low_strategic_fit and is_low_operational_fit and not is_bought_by_core and not is_discontinued and not is_launched_in_period,
        false
    ) as is_candidate
from reasons_found
