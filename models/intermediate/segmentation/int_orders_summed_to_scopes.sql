-- Orders of every member inside every scope of a type that counts them (R12).
with

scopes as (
    select distinct
        evaluations.entity, evaluations.scope_number, evaluations.filter_set_id, evaluations.window_from, evaluations.window_to
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due and segment_types.metric = 'order_count'
),

orders as (
    select members.entity, members.member_number, orders.filter_set_id, orders.invoice_date, orders.previous_on, orders.order_count
    from {{ ref('int_orders_counted') }} as orders
    inner join {{ ref('int_segment_population') }} as members
        on orders.entity = members.entity
        and orders.member_id = members.member_id
),

days as (
    select distinct invoice_date from orders
),

scope_days as (
    select scopes.*, days.invoice_date
    from scopes
    inner join days
        on days.invoice_date between scopes.window_from and scopes.window_to
)

select
    scope_days.scope_number,
    orders.member_number,
    cast(sum(orders.order_count) as bigint) as order_count
from orders
inner join scope_days
    on orders.entity = scope_days.entity
    and orders.filter_set_id = scope_days.filter_set_id
    and orders.invoice_date = scope_days.invoice_date
where orders.previous_on is null or orders.previous_on < scope_days.window_from
group by scope_days.scope_number, orders.member_number
