-- The quadrants of each region, branch, sales representative, industry and category: how many customers, and what they bring. A customer has
-- one quadrant, that of the whole company; groups of the master data hold each customer once, a category what was bought of it. Costs
-- to serve are those of a customer and not of a product, so a category has a margin and no profit.
{% set groups = {'region': 'region', 'branch': 'branch_id', 'sales_rep': 'sales_rep_id', 'industry': 'industry'} %}
with

customers as (
    select customer_id, quadrant from {{ ref('fct_customer_stratification') }}
),

profits as (
    select * from {{ ref('fct_customer_profitability') }}
),

periods as (
    select * from {{ ref('int_profit_periods') }}
),

category_sales as (
    select
        products.customer_id,
        coalesce(dim_products.category, 'unknown') as category,
        cast(sum(products.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(products.gross_margin) as numeric(18, 2)) as gross_margin
    from {{ ref('int_customer_products_summed_to_months') }} as products
    inner join periods
        on products.sales_month between periods.period_from and periods.period_to
    left join {{ ref('dim_products') }} as dim_products
        on products.product_id = dim_products.product_id
    group by products.customer_id, coalesce(dim_products.category, 'unknown')
),

members as (
    {%- for group_kind, column in groups.items() %}
    select
        '{{ group_kind }}' as group_kind,
        coalesce(profits.{{ column }}, 'unknown') as group_id,
        customers.quadrant,
        profits.net_sales,
        profits.gross_margin,
        profits.cost_to_serve,
        profits.net_profit
    from profits
    inner join customers
        on profits.customer_id = customers.customer_id
    union all
    {%- endfor %}
    select
        'category' as group_kind,
        category_sales.category as group_id,
        customers.quadrant,
        category_sales.net_sales,
        category_sales.gross_margin,
        cast(null as numeric(18, 2)) as cost_to_serve,
        cast(null as numeric(18, 2)) as net_profit
    from category_sales
    inner join customers
        on category_sales.customer_id = customers.customer_id
),

members_summed as (
    select
        group_kind,
        group_id,
        quadrant,
        count(*) as customer_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(gross_margin) as numeric(18, 2)) as gross_margin,
        cast(sum(cost_to_serve) as numeric(18, 2)) as cost_to_serve,
        cast(sum(net_profit) as numeric(18, 2)) as net_profit
    from members
    group by group_kind, group_id, quadrant
),

totals_added as (
    select
        *,
        sum(customer_count) over (partition by group_kind, group_id rows between unbounded preceding and unbounded following) as group_customer_count,
        cast(sum(net_sales) over (partition by group_kind, group_id rows between unbounded preceding and unbounded following) as numeric(18, 2)) as group_net_sales
    from members_summed
)

select
    totals_added.group_kind,
    totals_added.group_id,
    totals_added.quadrant,
    periods.as_of_date,
    periods.period_from,
    periods.period_to,
    totals_added.customer_count,
    totals_added.net_sales,
    totals_added.gross_margin,
    totals_added.cost_to_serve,
    totals_added.net_profit,
    {{ display_share('totals_added.customer_count', 'totals_added.group_customer_count') }} as customer_share,
    {{ rate_of('totals_added.net_sales', 'totals_added.group_net_sales') }} as net_sales_share
from totals_added
cross join periods
