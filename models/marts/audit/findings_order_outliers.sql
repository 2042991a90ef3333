-- Orders far above what their customer usually orders (R14), in the windows of the as-of date. One order is one finding, however many
-- types look at it: the numbers are those of the scope in which it is largest.
with

evaluations as (
    select evaluations.segment_type_id, evaluations.scope_id, evaluations.evaluation_date, evaluations.roster_id, evaluations.roster_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.metric_basis = 'actual'
    where evaluations.is_as_of and evaluations.entity = 'customer'
),

-- A type sees the orders of the customers on its roster.
rosters as (
    select roster_id, roster_date, member_id as customer_id from {{ ref('int_segment_rosters') }}
),

orders as (
    select evaluations.segment_type_id, outliers.customer_id, outliers.order_key, outliers.net_sales, outliers.median_of_others
    from {{ ref('int_order_outliers_found') }} as outliers
    inner join evaluations
        on outliers.scope_id = evaluations.scope_id
        and outliers.evaluation_date = evaluations.evaluation_date
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and outliers.customer_id = rosters.customer_id
),

orders_numbered as (
    select
        *,
        row_number() over (partition by customer_id, order_key order by net_sales desc nulls last, segment_type_id asc) as scope_number
    from orders
),

found as (
    select
        order_key as finding_id,
        customer_id,
        order_key,
        max(case when scope_number = 1 then net_sales end) as net_sales,
        max(case when scope_number = 1 then median_of_others end) as median_of_others,
        {{ dbt.listagg('segment_type_id', "', '", 'order by segment_type_id') }} as segment_type_ids
    from orders_numbered
    group by customer_id, order_key
)

select * from found
where {{ is_open_finding('findings_order_outliers') }}
