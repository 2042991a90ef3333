-- Orders far above what their customer usually orders (R14), in the windows of the as-of date. One order is one finding, however many
-- types look at it: the numbers are those of the scope in which it is largest.
with

evaluations as (
    select segment_type_id, scope_id, evaluation_date
    from {{ ref('int_segment_evaluations') }}
    where is_as_of and entity = 'customer'
),

orders as (
    select evaluations.segment_type_id, outliers.customer_id, outliers.order_key, outliers.net_sales, outliers.median_of_others
    from {{ ref('int_order_outliers_found') }} as outliers
    inner join evaluations
        on outliers.scope_id = evaluations.scope_id
        and outliers.evaluation_date = evaluations.evaluation_date
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
