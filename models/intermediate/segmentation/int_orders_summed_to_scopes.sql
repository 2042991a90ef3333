-- Orders of every member inside every scope of a type that counts them (R12).
with

scopes as (
    select distinct evaluations.entity, evaluations.evaluation_date, evaluations.scope_id, evaluations.filter_set_id,
        evaluations.window_from, evaluations.window_to
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due and segment_types.metric = 'order_count'
),

orders as (
    select * from {{ ref('int_orders_summed_to_days') }}
)

select
    scopes.entity,
    scopes.evaluation_date,
    scopes.scope_id,
    orders.member_id,
    cast(sum(orders.order_count) as bigint) as order_count
from orders
inner join scopes
    on orders.entity = scopes.entity
    and orders.filter_set_id = scopes.filter_set_id
    and orders.invoice_date between scopes.window_from and scopes.window_to
    and (orders.previous_on is null or orders.previous_on < scopes.window_from)
group by scopes.entity, scopes.evaluation_date, scopes.scope_id, orders.member_id
