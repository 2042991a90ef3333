-- Every order and customer once, nothing empty, and what is left is margin less charges: all in one pass over a view of all orders.
select
    order_id,
    customer_id,
    count(*) as record_count
from {{ ref('fct_order_pocket_margins') }}
group by order_id, customer_id
having count(*) > 1
    or order_id is null
    or customer_id is null
    or count(net_sales + cost + gross_margin + direct_charges + pocket_margin) < count(*)
    or sum(pocket_margin) <> sum(gross_margin) - sum(direct_charges)
