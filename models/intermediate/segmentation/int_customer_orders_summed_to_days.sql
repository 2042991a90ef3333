-- R14: the orders among which an outlier can be, by filter set and day. An order above the floor is needed, and two others so small
-- that it is k times as large; customers without them cannot have an outlier in any window and stay out.
-- order_ceiling is an upper bound of what the order can come to in any window, largest_order that of the customer's largest.
{% set multiple = "cast(" ~ var('outlier_multiple') ~ " as numeric(9, 4))" %}
with

order_days as (
    select * from {{ ref('int_orders_summed_to_days') }}
),

orders as (
    select
        filter_set_id,
        customer_id,
        order_key,
        sum(positive_net_sales) as positive_net_sales,
        min(case when invoice_line_count > 0 then invoice_date end) as first_invoiced_on
    from order_days
    group by filter_set_id, customer_id, order_key
),

large_customers as (
    select filter_set_id, customer_id, cast(max(positive_net_sales) as numeric(18, 2)) as largest_order
    from orders
    group by filter_set_id, customer_id
    having max(positive_net_sales) > cast({{ var('outlier_minimum_amount') }} as numeric(18, 2))
),

candidates as (
    select order_days.filter_set_id, order_days.customer_id, large_customers.largest_order
    from order_days
    inner join large_customers
        on order_days.filter_set_id = large_customers.filter_set_id
        and order_days.customer_id = large_customers.customer_id
    group by order_days.filter_set_id, order_days.customer_id, large_customers.largest_order
    having count(case when order_days.net_sales * {{ multiple }} < large_customers.largest_order then 1 end) >= 2
)

select
    order_days.filter_set_id,
    order_days.customer_id,
    order_days.order_key,
    order_days.invoice_date,
    order_days.invoice_line_count,
    coalesce(order_days.invoice_date = orders.first_invoiced_on, false) as is_first_invoiced,
    order_days.net_sales,
    order_days.gross_margin,
    order_days.quantity,
    orders.positive_net_sales as order_ceiling,
    candidates.largest_order
from order_days
inner join candidates
    on order_days.filter_set_id = candidates.filter_set_id
    and order_days.customer_id = candidates.customer_id
inner join orders
    on order_days.filter_set_id = orders.filter_set_id
    and order_days.customer_id = orders.customer_id
    and order_days.order_key = orders.order_key
