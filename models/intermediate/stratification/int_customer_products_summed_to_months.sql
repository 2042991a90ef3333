-- What every customer bought of every product in a month, for the months some stratification looks at: the one pass over the lines
-- that sales by month cannot save.
with

months as (
    select min(period_from) as first_day, max(period_to) as last_day from {{ ref('int_stratification_periods') }}
)

select
    lines.customer_id,
    lines.product_id,
    {{ month_start('lines.invoice_date') }} as sales_month,
    count(case when lines.document_type = 'invoice' then 1 end) as invoice_line_count,
    max(case when lines.document_type = 'invoice' then lines.invoice_date end) as last_invoiced_on,
    cast(coalesce(sum(case when lines.document_type = 'invoice' then lines.quantity end), 0) as numeric(18, 4)) as invoiced_quantity,
    cast(sum(lines.net_sales) as numeric(18, 2)) as net_sales,
    cast(coalesce(sum(lines.gross_margin), 0) as numeric(18, 2)) as gross_margin
from {{ ref('fct_invoice_lines') }} as lines
inner join months
    on lines.invoice_date between months.first_day and months.last_day
group by lines.customer_id, lines.product_id, {{ month_start('lines.invoice_date') }}
