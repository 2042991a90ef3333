-- R14: the orders in a scope that stand far above the customer's others: more than k times the exact median of at least three
-- others, and above the floor. Taking one order out of a sorted row moves only those behind it, so the two middle ones of
-- the others are found from the middle of all. Every flag is decided on the orders as they are, and kept_ is what a type that
-- caps them leaves in its metric. Scopes of types that only flag are looked at on the as-of date.
{% set multiple = "cast(" ~ var('outlier_multiple') ~ " as numeric(9, 4))" %}
with

scopes as (
    select distinct
        evaluations.evaluation_date, evaluations.scope_id, evaluations.filter_set_id,
        evaluations.window_from, evaluations.window_to
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due
        and evaluations.entity = 'customer'
        and segment_types.metric_basis = 'actual'
        and (evaluations.is_as_of or segment_types.outlier_treatment in ('cap', 'exclude'))
),

-- A fiscal year is looked at from many dates and decided once.
windows as (
    select
        filter_set_id, window_from, window_to,
        cast(row_number() over (order by filter_set_id asc, window_from asc, window_to asc) as integer) as window_number
    from scopes
    group by filter_set_id, window_from, window_to
),

order_days as (
    select * from {{ ref('int_customer_orders_summed_to_days') }}
),

-- The median of the others lies below 1/k of an order only if at least half of them do. Counted with parts of orders for those
-- that may, and with whole orders for all, this leaves out the customers whose windows cannot hold an outlier, before anything
-- is sorted. On the edge of a window a month counts for the first and not for the second.
customer_months as (
    select
        filter_set_id,
        customer_id,
        {{ month_start('invoice_date') }} as month_from,
        count(case when net_sales * {{ multiple }} < largest_order then 1 end) as small_part_count,
        count(case when is_first_invoiced then 1 end) as order_count,
        max(order_ceiling) as highest_ceiling
    from order_days
    group by filter_set_id, customer_id, {{ month_start('invoice_date') }}
),

months as (
    select distinct month_from from customer_months
),

window_months as (
    select
        windows.window_number,
        windows.filter_set_id,
        months.month_from,
        months.month_from >= windows.window_from and {{ month_end('months.month_from') }} <= windows.window_to as is_inside
    from windows
    inner join months
        on windows.window_to >= months.month_from
        and {{ month_end('months.month_from') }} >= windows.window_from
),

candidates as (
    select window_months.window_number, customer_months.customer_id
    from customer_months
    inner join window_months
        on customer_months.filter_set_id = window_months.filter_set_id
        and customer_months.month_from = window_months.month_from
    group by window_months.window_number, customer_months.customer_id
    having 2 * sum(customer_months.small_part_count) >= sum(case when window_months.is_inside then customer_months.order_count else 0 end) - 1
        and sum(customer_months.small_part_count) >= 2
        and max(customer_months.highest_ceiling) > cast({{ var('outlier_minimum_amount') }} as numeric(18, 2))
),

-- Only what decides is carried along; what an outlier has besides is added up for the few that are found.
orders_in_windows as (
    select
        candidates.window_number,
        candidates.customer_id,
        order_days.order_key,
        cast(sum(order_days.net_sales) as numeric(18, 2)) as net_sales
    from candidates
    inner join windows
        on candidates.window_number = windows.window_number
    inner join order_days
        on windows.filter_set_id = order_days.filter_set_id
        and candidates.customer_id = order_days.customer_id
        and order_days.invoice_date between windows.window_from and windows.window_to
    group by candidates.window_number, candidates.customer_id, order_days.order_key
    -- Credit notes belong to an order and make none.
    having sum(order_days.invoice_line_count) > 0
),

-- Equals have the same median of the others, whichever of them comes first.
orders_numbered as (
    select
        *,
        row_number() over (partition by window_number, customer_id order by net_sales asc, order_key asc) as order_position,
        count(*) over (partition by window_number, customer_id rows between unbounded preceding and unbounded following) as order_count
    from orders_in_windows
),

-- Low is position floor(n / 2) among all n, high is floor((n + 1) / 2): the middles of the others for an order behind or before them.
middles_found as (
    select
        window_number,
        customer_id,
        max(case when order_count - 2 * order_position in (0, 1) then net_sales end) as middle_low,
        max(case when order_count - 2 * order_position in (-2, -1) then net_sales end) as next_after_low,
        max(case when order_count - 2 * order_position in (-1, 0) then net_sales end) as middle_high,
        max(case when order_count - 2 * order_position in (-3, -2) then net_sales end) as next_after_high
    from orders_numbered
    where order_count >= 4
    group by window_number, customer_id
),

medians_found as (
    select
        orders_numbered.*,
        cast(
            case
                when 2 * orders_numbered.order_position > orders_numbered.order_count + 1 then middles_found.middle_low + middles_found.middle_high
                when 2 * orders_numbered.order_position <= orders_numbered.order_count then middles_found.next_after_low + middles_found.next_after_high
                else middles_found.middle_low + middles_found.next_after_high
            end as numeric(19, 2)
        ) as twice_the_median
    from orders_numbered
    inner join middles_found
        on orders_numbered.window_number = middles_found.window_number
        and orders_numbered.customer_id = middles_found.customer_id
    where orders_numbered.net_sales > cast({{ var('outlier_minimum_amount') }} as numeric(18, 2))
),

outliers as (
    select
        medians_found.window_number,
        medians_found.customer_id,
        medians_found.order_key,
        medians_found.order_count,
        medians_found.twice_the_median,
        medians_found.net_sales,
        cast(sum(order_days.gross_margin) as numeric(18, 2)) as gross_margin,
        cast(sum(order_days.quantity) as numeric(18, 4)) as quantity,
        cast(greatest(round({{ multiple }} * medians_found.twice_the_median * 0.5, 2), 0) as numeric(18, 2)) as kept_net_sales
    from medians_found
    inner join windows
        on medians_found.window_number = windows.window_number
    inner join order_days
        on windows.filter_set_id = order_days.filter_set_id
        and medians_found.customer_id = order_days.customer_id
        and medians_found.order_key = order_days.order_key
        and order_days.invoice_date between windows.window_from and windows.window_to
    where 2 * medians_found.net_sales > {{ multiple }} * medians_found.twice_the_median
    group by
        medians_found.window_number, medians_found.customer_id, medians_found.order_key, medians_found.order_count,
        medians_found.twice_the_median, medians_found.net_sales
)

select
    scopes.scope_id,
    scopes.evaluation_date,
    outliers.customer_id,
    outliers.order_key,
    outliers.order_count,
    cast(outliers.twice_the_median * 0.5 as numeric(18, 3)) as median_of_others,
    outliers.net_sales,
    outliers.gross_margin,
    outliers.quantity,
    outliers.kept_net_sales,
    cast(cast({{ divide_half_up('cast(outliers.gross_margin * 100 as numeric(20, 0)) * cast(outliers.kept_net_sales * 100 as numeric(20, 0))', 'cast(outliers.net_sales * 100 as numeric(20, 0))') }} as numeric(18, 0)) * 0.01 as numeric(18, 2)) as kept_gross_margin,
    cast(cast({{ divide_half_up('cast(outliers.quantity * 10000 as numeric(20, 0)) * cast(outliers.kept_net_sales * 100 as numeric(18, 0))', 'cast(outliers.net_sales * 100 as numeric(20, 0))') }} as numeric(18, 0)) * 0.0001 as numeric(18, 4)) as kept_quantity
from outliers
inner join windows
    on outliers.window_number = windows.window_number
inner join scopes
    on windows.filter_set_id = scopes.filter_set_id
    and windows.window_from = scopes.window_from
    and windows.window_to = scopes.window_to
