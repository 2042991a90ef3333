-- R14: the orders in a scope that stand far above the customer's others: more than k times the exact median of at least three
-- others, and above the floor. Taking one order out of a sorted row moves only those behind it, so the two middle ones of
-- the others are found from the middle of all. Every flag is decided on the orders as they are, and kept_ is what a type that
-- caps them leaves in its metric. Scopes of types that only flag are looked at on the as-of date.
{% set multiple = var('outlier_multiple') %}
with

scopes as (
    select distinct evaluations.evaluation_date, evaluations.scope_id, evaluations.filter_set_id,
        evaluations.window_from, evaluations.window_to
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due
        and evaluations.entity = 'customer'
        and segment_types.metric_basis = 'actual'
        and (evaluations.is_as_of or segment_types.outlier_treatment in ('cap', 'exclude'))
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

scopes_described as (
    select
        scopes.*,
        exists(select 1 from branches where branches.filter_set_id = scopes.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = scopes.filter_set_id) as has_brands
    from scopes
),

order_days as (
    select * from {{ ref('int_customer_orders_summed_to_days') }}
),

orders_in_scope as (
    select
        scopes_described.scope_id,
        scopes_described.evaluation_date,
        order_days.customer_id,
        order_days.order_key,
        cast(sum(order_days.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(order_days.gross_margin) as numeric(18, 2)) as gross_margin,
        cast(sum(order_days.quantity) as numeric(18, 4)) as quantity
    from order_days
    inner join scopes_described
        on order_days.invoice_date between scopes_described.window_from and scopes_described.window_to
    left join branches
        on scopes_described.filter_set_id = branches.filter_set_id
        and order_days.branch_id = branches.branch_id
    left join brands
        on scopes_described.filter_set_id = brands.filter_set_id
        and order_days.brand = brands.brand
    where (not scopes_described.has_branches or branches.branch_id is not null)
        and (not scopes_described.has_brands or brands.brand is not null)
    group by scopes_described.scope_id, scopes_described.evaluation_date, order_days.customer_id, order_days.order_key
    -- Credit notes belong to an order and make none.
    having sum(order_days.invoice_line_count) > 0
),

orders_numbered as (
    select
        *,
        row_number() over (partition by scope_id, evaluation_date, customer_id order by net_sales asc, order_key asc) as order_position,
        count(*) over (partition by scope_id, evaluation_date, customer_id rows between unbounded preceding and unbounded following) as order_count
    from orders_in_scope
),

middles_found as (
    select
        *,
        {% for name, position in [('middle_low', 'floor(order_count / 2)'), ('next_after_low', 'floor(order_count / 2) + 1'), ('middle_high', 'floor((order_count + 1) / 2)'), ('next_after_high', 'floor((order_count + 1) / 2) + 1')] -%}
        max(case when order_position = {{ position }} then net_sales end)
            over (partition by scope_id, evaluation_date, customer_id rows between unbounded preceding and unbounded following) as {{ name }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from orders_numbered
    where order_count >= 4
),

medians_found as (
    select
        *,
        cast(
            case
                when order_position > floor((order_count + 1) / 2) then middle_low + middle_high
                when order_position <= floor(order_count / 2) then next_after_low + next_after_high
                else middle_low + next_after_high
            end as numeric(19, 2)
        ) as twice_the_median
    from middles_found
),

outliers as (
    select
        *,
        cast(greatest(round(cast({{ multiple }} as numeric(9, 4)) * twice_the_median * 0.5, 2), 0) as numeric(18, 2)) as kept_net_sales
    from medians_found
    where net_sales > cast({{ var('outlier_minimum_amount') }} as numeric(18, 2))
        and 2 * net_sales > cast({{ multiple }} as numeric(9, 4)) * twice_the_median
)

select
    scope_id,
    evaluation_date,
    customer_id,
    order_key,
    order_count,
    cast(twice_the_median * 0.5 as numeric(18, 3)) as median_of_others,
    net_sales,
    gross_margin,
    quantity,
    kept_net_sales,
    cast(cast({{ divide_half_up('cast(gross_margin * 100 as numeric(20, 0)) * cast(kept_net_sales * 100 as numeric(20, 0))', 'cast(net_sales * 100 as numeric(20, 0))') }} as numeric(18, 0)) * 0.01 as numeric(18, 2)) as kept_gross_margin,
    cast(cast({{ divide_half_up('cast(quantity * 10000 as numeric(20, 0)) * cast(kept_net_sales * 100 as numeric(18, 0))', 'cast(net_sales * 100 as numeric(20, 0))') }} as numeric(18, 0)) * 0.0001 as numeric(18, 4)) as kept_quantity
from outliers
