-- Orders by filter set, customer and day (R12, R14): what order counts and outliers follow from, for the filter sets and days that either
-- needs. A credit note stands under the order it corrects.
with

windows as (
    select windows.filter_set_id, min(windows.window_from) as first_day, max(windows.window_to) as last_day
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_segment_types') }} as segment_types
        on windows.segment_type_id = segment_types.segment_type_id
    inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
        on windows.evaluation_date = evaluation_dates.evaluation_date
    where windows.entity = 'customer'
        and segment_types.metric_basis = 'actual'
        and (evaluation_dates.is_as_of or segment_types.outlier_treatment in ('cap', 'exclude') or segment_types.metric = 'order_count')
    group by windows.filter_set_id
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

filter_sets as (
    select
        windows.*,
        cast(row_number() over (order by windows.filter_set_id asc) as integer) as filter_set_number,
        exists(select 1 from branches where branches.filter_set_id = windows.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = windows.filter_set_id) as has_brands
    from windows
),

lines as (
    select customer_id, order_key, invoice_date, document_type, branch_id, brand, quantity, net_sales, gross_margin
    from {{ ref('fct_invoice_lines') }}
),

order_days as (
    select
        filter_sets.filter_set_number,
        lines.customer_id,
        lines.order_key,
        lines.invoice_date,
        count(case when lines.document_type = 'invoice' then 1 end) as invoice_line_count,
        cast(sum(lines.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(case when lines.net_sales > 0 then lines.net_sales else 0 end) as numeric(18, 2)) as positive_net_sales,
        cast(coalesce(sum(lines.gross_margin), 0) as numeric(18, 2)) as gross_margin,
        cast(coalesce(sum(lines.quantity), 0) as numeric(18, 4)) as quantity
    from lines
    inner join filter_sets
        on lines.invoice_date between filter_sets.first_day and filter_sets.last_day
    left join branches
        on filter_sets.filter_set_id = branches.filter_set_id
        and lines.branch_id = branches.branch_id
    left join brands
        on filter_sets.filter_set_id = brands.filter_set_id
        and lines.brand = brands.brand
    where (not filter_sets.has_branches or branches.branch_id is not null)
        and (not filter_sets.has_brands or brands.brand is not null)
    group by filter_sets.filter_set_number, lines.customer_id, lines.order_key, lines.invoice_date
)

select
    filter_sets.filter_set_id,
    order_days.customer_id,
    order_days.order_key,
    order_days.invoice_date,
    order_days.invoice_line_count,
    order_days.net_sales,
    order_days.positive_net_sales,
    order_days.gross_margin,
    order_days.quantity
from order_days
inner join filter_sets
    on order_days.filter_set_number = filter_sets.filter_set_number
