-- The facts once more, small: sales per member (customer or product) and period. A period is a month, or a day in those
-- months that a window begins or ends inside. A branch or brand keeps its name only where some type asks for it, so the
-- grain grows with the configuration and not with the catalogue.
with

lines as (
    select * from {{ ref('fct_invoice_lines') }}
),

windows as (
    select distinct window_from, window_to from {{ ref('int_segment_windows') }}
),

months_with_edges as (
    select {{ month_start('window_from') }} as edge_month from windows where window_from <> {{ month_start('window_from') }}
    union
    select {{ month_start('window_to') }} as edge_month from windows where window_to <> {{ month_end('window_to') }}
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
        case when months_with_edges.edge_month is null then {{ month_start('lines.invoice_date') }} else lines.invoice_date end as period_from,
        case when months_with_edges.edge_month is null then {{ month_end('lines.invoice_date') }} else lines.invoice_date end as period_to,
        branches.branch_id,
        brands.brand,
        case when lines.document_type = 'invoice' then lines.invoice_date end as invoiced_on,
        lines.quantity,
        lines.net_sales,
        lines.cost,
        lines.gross_margin
    from lines
    left join months_with_edges
        on {{ month_start('lines.invoice_date') }} = months_with_edges.edge_month
    left join branches
        on lines.branch_id = branches.branch_id
    left join brands
        on lines.brand = brands.brand
)

{% for entity in ['customer', 'product'] %}
select
    '{{ entity }}' as entity,
    {{ entity }}_id as member_id,
    period_from,
    period_to,
    branch_id,
    brand,
    count(*) as line_count,
    min(invoiced_on) as first_invoiced_on,
    cast(sum(quantity) as numeric(18, 4)) as quantity,
    cast(sum(net_sales) as numeric(18, 2)) as net_sales,
    cast(sum(cost) as numeric(18, 2)) as cost,
    cast(sum(gross_margin) as numeric(18, 2)) as gross_margin
from lines_placed
group by {{ entity }}_id, period_from, period_to, branch_id, brand
{{ 'union all' if not loop.last }}
{% endfor %}
