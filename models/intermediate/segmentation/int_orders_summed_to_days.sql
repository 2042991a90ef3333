-- Orders by filter set, customer and day (R12, R14): what order counts and outliers follow from, for the filter sets and days that either
-- needs. A credit note stands under the order it corrects. Kept from run to run by month.
{{ keep_months('sales_month', 'int_sales_months', 'order_days_fingerprint') }}
with

months_due as (
    {{ months_due('sales_month', 'int_sales_months', 'order_days_fingerprint') }}
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

filter_sets as (
    select
        filter_sets.*,
        exists(select 1 from branches where branches.filter_set_id = filter_sets.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = filter_sets.filter_set_id) as has_brands
    from {{ ref('int_order_filter_sets') }} as filter_sets
),

lines as (
    select customer_id, order_key, invoice_date, document_type, branch_id, brand, quantity, net_sales, gross_margin
    from {{ ref('fct_invoice_lines') }}
    where {{ is_month_due(month_start('invoice_date')) }}
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
    order_days.quantity,
    {{ month_start('order_days.invoice_date') }} as sales_month,
    months_due.input_fingerprint
from order_days
inner join filter_sets
    on order_days.filter_set_number = filter_sets.filter_set_number
left join months_due
    on {{ month_start('order_days.invoice_date') }} = months_due.month_from
