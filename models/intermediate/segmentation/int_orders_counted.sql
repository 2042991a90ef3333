-- Orders per member and day, for the types that count them (R12): an order is counted on every day it was invoiced on,
-- with the day before that it was. In a window it counts once, on the day whose predecessor lies before the window; so an
-- order delivered in parts is one order whatever the window, and the counts of days can be added.
with

filter_sets as (
    select distinct windows.entity, windows.filter_set_id
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_segment_types') }} as segment_types
        on windows.segment_type_id = segment_types.segment_type_id
    where segment_types.metric = 'order_count'
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

product_filter_sets as (
    select
        filter_sets.filter_set_id,
        exists(select 1 from branches where branches.filter_set_id = filter_sets.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = filter_sets.filter_set_id) as has_brands
    from filter_sets
    where filter_sets.entity = 'product'
),

order_days as (
    select
        filter_sets.entity,
        orders.filter_set_id,
        orders.customer_id as member_id,
        orders.order_key,
        orders.invoice_date
    from {{ ref('int_orders_summed_to_days') }} as orders
    inner join filter_sets
        on orders.filter_set_id = filter_sets.filter_set_id
        and filter_sets.entity = 'customer'
    where orders.invoice_line_count > 0
    union all
    select distinct
        'product' as entity,
        product_filter_sets.filter_set_id,
        lines.product_id as member_id,
        lines.order_key,
        lines.invoice_date
    from {{ ref('fct_invoice_lines') }} as lines
    cross join product_filter_sets
    left join branches
        on product_filter_sets.filter_set_id = branches.filter_set_id
        and lines.branch_id = branches.branch_id
    left join brands
        on product_filter_sets.filter_set_id = brands.filter_set_id
        and lines.brand = brands.brand
    where lines.document_type = 'invoice'
        and (not product_filter_sets.has_branches or branches.branch_id is not null)
        and (not product_filter_sets.has_brands or brands.brand is not null)
),

days_linked as (
    select
        *,
        lag(invoice_date) over (partition by entity, filter_set_id, member_id, order_key order by invoice_date asc) as previous_on
    from order_days
)

select
    entity,
    filter_set_id,
    member_id,
    invoice_date,
    previous_on,
    count(*) as order_count
from days_linked
group by entity, filter_set_id, member_id, invoice_date, previous_on
