-- What every customer bought of every product in a month, for the months some stratification looks at: the one pass over the lines
-- that sales by month cannot save. Kept from run to run by month.
{{ keep_months('sales_month', 'int_sales_months', 'purchases_fingerprint') }}
with

months_due as (
    {{ months_due('sales_month', 'int_sales_months', 'purchases_fingerprint') }}
),

lines as (
    select customer_id, product_id, {{ month_start('invoice_date') }} as sales_month, document_type, invoice_date, quantity, net_sales, gross_margin
    from {{ ref('fct_invoice_lines') }}
    where {{ is_month_due(month_start('invoice_date')) }}
)

select
    lines.customer_id,
    lines.product_id,
    lines.sales_month,
    count(case when lines.document_type = 'invoice' then 1 end) as invoice_line_count,
    max(case when lines.document_type = 'invoice' then lines.invoice_date end) as last_invoiced_on,
    cast(coalesce(sum(case when lines.document_type = 'invoice' then lines.quantity end), 0) as numeric(18, 4)) as invoiced_quantity,
    cast(sum(lines.net_sales) as numeric(18, 2)) as net_sales,
    cast(coalesce(sum(lines.gross_margin), 0) as numeric(18, 2)) as gross_margin,
    months_due.input_fingerprint
from lines
inner join months_due
    on lines.sales_month = months_due.month_from
group by lines.customer_id, lines.product_id, lines.sales_month, months_due.input_fingerprint
