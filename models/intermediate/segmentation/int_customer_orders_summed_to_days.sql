-- R14: the orders among which an outlier can be: those of customers with at least one order above the floor, by day, branch
-- and brand, so that every window and filter can add them up. All other customers cannot have one and stay out.
with

windows as (
    select min(windows.window_from) as first_day, max(windows.window_to) as last_day
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_segment_types') }} as segment_types
        on windows.segment_type_id = segment_types.segment_type_id
    inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
        on windows.evaluation_date = evaluation_dates.evaluation_date
    where windows.entity = 'customer'
        and segment_types.metric_basis = 'actual'
        and (evaluation_dates.is_as_of or segment_types.outlier_treatment in ('cap', 'exclude'))
),

lines as (
    select
        invoice_lines.customer_id,
        invoice_lines.order_key,
        invoice_lines.invoice_date,
        invoice_lines.branch_id,
        invoice_lines.brand,
        invoice_lines.document_type,
        invoice_lines.quantity,
        invoice_lines.net_sales,
        invoice_lines.gross_margin
    from {{ ref('fct_invoice_lines') }} as invoice_lines
    inner join windows
        on invoice_lines.invoice_date between windows.first_day and windows.last_day
),

orders as (
    select customer_id, order_key
    from lines
    where document_type = 'invoice'
    group by customer_id, order_key
    having sum(case when net_sales > 0 then net_sales else 0 end) > cast({{ var('outlier_minimum_amount') }} as numeric(18, 2))
),

candidates as (
    select distinct customer_id from orders
)

select
    lines.customer_id,
    lines.order_key,
    lines.invoice_date,
    lines.branch_id,
    lines.brand,
    count(case when lines.document_type = 'invoice' then 1 end) as invoice_line_count,
    cast(sum(lines.net_sales) as numeric(18, 2)) as net_sales,
    cast(coalesce(sum(lines.gross_margin), 0) as numeric(18, 2)) as gross_margin,
    cast(coalesce(sum(lines.quantity), 0) as numeric(18, 4)) as quantity
from lines
inner join candidates
    on lines.customer_id = candidates.customer_id
group by lines.customer_id, lines.order_key, lines.invoice_date, lines.branch_id, lines.brand
