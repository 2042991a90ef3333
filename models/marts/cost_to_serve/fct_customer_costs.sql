-- One row per customer and month with sales or costs: from net sales to net profit.
with

sales as (
    select
        member_id as customer_id,
        period_from as cost_month,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(cost) as numeric(18, 2)) as cost,
        cast(sum(gross_margin) as numeric(18, 2)) as gross_margin
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'customer' and is_month
    group by member_id, period_from
),

costs as (
    select * from {{ ref('int_customer_costs_summed_to_months') }}
)

select
    coalesce(sales.customer_id, costs.customer_id) as customer_id,
    coalesce(sales.cost_month, costs.cost_month) as cost_month,
    coalesce(sales.net_sales, 0) as net_sales,
    coalesce(sales.cost, 0) as cost,
    -- Lines of unknown cost are in no margin (R13), and named so that the bridge from sales to margin closes.
    cast(coalesce(sales.net_sales - sales.cost - sales.gross_margin, 0) as numeric(18, 2)) as net_sales_of_unknown_cost,
    coalesce(sales.gross_margin, 0) as gross_margin,
    coalesce(costs.freight_charges, 0) as freight_charges,
    coalesce(costs.pick_charges, 0) as pick_charges,
    coalesce(costs.pack_charges, 0) as pack_charges,
    coalesce(costs.storage_charges, 0) as storage_charges,
    coalesce(costs.return_charges, 0) as return_charges,
    coalesce(costs.accessorial_charges, 0) as accessorial_charges,
    coalesce(costs.other_charges, 0) as other_charges,
    coalesce(costs.direct_charges, 0) as direct_charges,
    coalesce(costs.allocated_cost, 0) as allocated_cost,
    coalesce(costs.cost_to_serve, 0) as cost_to_serve,
    cast(coalesce(sales.gross_margin, 0) - coalesce(costs.cost_to_serve, 0) as numeric(18, 2)) as net_profit
from sales
full outer join costs
    on sales.customer_id = costs.customer_id
    and sales.cost_month = costs.cost_month
