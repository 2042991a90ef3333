-- What is left of an order once what went out with it is paid: net sales less credit notes, cost of goods, and the charges of its
-- shipments. Pools are no part of it: they are shared by month, not by order. A view, read for the orders somebody asks about.
with

lines as (
    select order_key as order_id, customer_id, invoice_date, net_sales, cost, gross_margin
    from {{ ref('fct_invoice_lines') }}
    -- A credit note counts for the order of what it corrects; a document without an order is none.
    where left(order_key, 8) <> 'invoice:'
),

orders_invoiced as (
    select
        order_id,
        customer_id,
        min(invoice_date) as first_document_on,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(coalesce(sum(cost), 0) as numeric(18, 2)) as cost,
        cast(coalesce(sum(gross_margin), 0) as numeric(18, 2)) as gross_margin
    from lines
    group by order_id, customer_id
),

charges as (
    select
        order_id,
        customer_id,
        min(charged_on) as first_charge_on,
        cast(sum(cost) as numeric(18, 2)) as direct_charges
    from {{ ref('int_charges_judged') }}
    where record_status = 'staged' and order_id is not null and customer_id is not null
    group by order_id, customer_id
)

select
    coalesce(orders_invoiced.order_id, charges.order_id) as order_id,
    coalesce(orders_invoiced.customer_id, charges.customer_id) as customer_id,
    coalesce(orders_invoiced.first_document_on, charges.first_charge_on) as first_document_on,
    coalesce(orders_invoiced.net_sales, 0) as net_sales,
    coalesce(orders_invoiced.cost, 0) as cost,
    coalesce(orders_invoiced.gross_margin, 0) as gross_margin,
    coalesce(charges.direct_charges, 0) as direct_charges,
    cast(coalesce(orders_invoiced.gross_margin, 0) - coalesce(charges.direct_charges, 0) as numeric(18, 2)) as pocket_margin,
    {{ rate_of('coalesce(orders_invoiced.gross_margin, 0) - coalesce(charges.direct_charges, 0)', 'orders_invoiced.net_sales') }} as pocket_margin_rate
from orders_invoiced
full outer join charges
    on orders_invoiced.order_id = charges.order_id
    and orders_invoiced.customer_id = charges.customer_id
