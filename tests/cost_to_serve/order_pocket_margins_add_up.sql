-- The orders together are the lines of orders and the charges that went out with orders, none of them empty: in one pass over a view of all
-- of them. An order that was lost, or counted twice, tells in the sums; one by one they are compared by a unit test and by the recomputation.
with

orders as (
    select
        count(*) as order_count,
        count(order_id) as id_count,
        count(customer_id) as customer_count,
        sum(net_sales) as net_sales,
        sum(gross_margin) as gross_margin,
        sum(direct_charges) as direct_charges,
        sum(pocket_margin) as pocket_margin
    from {{ ref('fct_order_pocket_margins') }}
),

lines as (
    select coalesce(sum(net_sales), 0) as net_sales, coalesce(sum(gross_margin), 0) as gross_margin
    from {{ ref('fct_invoice_lines') }}
    where order_key not like 'invoice:%'
),

charges as (
    select coalesce(sum(cost), 0) as direct_charges
    from {{ ref('int_charges_judged') }}
    where record_status = 'staged' and order_id is not null and customer_id is not null
)

select
    orders.*,
    lines.net_sales as net_sales_of_lines,
    lines.gross_margin as gross_margin_of_lines,
    charges.direct_charges as direct_charges_of_shipments
from orders
cross join lines
cross join charges
where orders.id_count < orders.order_count
    or orders.customer_count < orders.order_count
    or coalesce(orders.net_sales, 0) <> lines.net_sales
    or coalesce(orders.gross_margin, 0) <> lines.gross_margin
    or coalesce(orders.direct_charges, 0) <> charges.direct_charges
    or coalesce(orders.pocket_margin, 0) <> lines.gross_margin - charges.direct_charges
