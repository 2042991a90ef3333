-- The facts once more, small: sales per member (customer or product) and month, and per day in those months that a window
-- begins or ends inside. A branch or brand keeps its name only where some type asks for it, so the grain grows with the
-- configuration and not with the catalogue. Kept from run to run by month.
{{ keep_months('month_from', 'int_sales_months', 'periods_fingerprint') }}
with

months_due as (
    {{ months_due('month_from', 'int_sales_months', 'periods_fingerprint') }}
),

lines as (
    select * from {{ ref('fct_invoice_lines') }}
    where {{ is_month_due(month_start('invoice_date')) }}
),

months_with_days as (
    select month_from from {{ ref('int_sales_months') }} where has_days
),

branches as (
    select distinct filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select distinct filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

lines_placed as (
    select
        lines.customer_id,
        lines.product_id,
        lines.invoice_date,
        {{ month_start('lines.invoice_date') }} as month_from,
        branches.branch_id,
        brands.brand,
        case when lines.document_type = 'invoice' then lines.invoice_date end as invoiced_on,
        lines.quantity,
        lines.net_sales,
        lines.cost,
        lines.gross_margin
    from lines
    left join branches
        on lines.branch_id = branches.branch_id
    left join brands
        on lines.brand = brands.brand
),

periods as (
    {% for entity in ['customer', 'product'] %}
    {% for period in ['month', 'day'] %}
    select
        '{{ entity }}' as entity,
        {{ entity }}_id as member_id,
        {{ 'true' if period == 'month' else 'false' }} as is_month,
        {{ 'month_from' if period == 'month' else 'invoice_date' }} as period_from,
        branch_id,
        brand,
        count(*) as line_count,
        min(invoice_date) as first_document_on,
        min(invoiced_on) as first_invoiced_on,
        cast(coalesce(sum(quantity), 0) as numeric(18, 4)) as quantity,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(coalesce(sum(cost), 0) as numeric(18, 2)) as cost,
        cast(coalesce(sum(gross_margin), 0) as numeric(18, 2)) as gross_margin
    from lines_placed
    {% if period == 'day' -%}
    inner join months_with_days
        on lines_placed.month_from = months_with_days.month_from
    {% endif -%}
    group by {{ entity }}_id, {{ 'month_from' if period == 'month' else 'invoice_date' }}, branch_id, brand
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    periods.entity,
    periods.member_id,
    periods.is_month,
    periods.period_from,
    case when periods.is_month then {{ month_end('periods.period_from') }} else periods.period_from end as period_to,
    {{ month_start('periods.period_from') }} as month_from,
    {{ month_end('periods.period_from') }} as month_to,
    periods.branch_id,
    periods.brand,
    periods.line_count,
    periods.first_document_on,
    periods.first_invoiced_on,
    periods.quantity,
    periods.net_sales,
    periods.cost,
    periods.gross_margin,
    months_due.input_fingerprint
from periods
left join months_due
    on {{ month_start('periods.period_from') }} = months_due.month_from
