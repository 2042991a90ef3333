-- The orders every customer was invoiced for in a month, for the months some stratification looks at. Kept from run to run by month.
{{ keep_months('sales_month', 'int_sales_months', 'purchases_fingerprint') }}
with

months_due as (
    {{ months_due('sales_month', 'int_sales_months', 'purchases_fingerprint') }}
),

lines as (
    select customer_id, order_key, {{ month_start('invoice_date') }} as sales_month, document_type
    from {{ ref('fct_invoice_lines') }}
    where {{ is_month_due(month_start('invoice_date')) }}
)

select distinct lines.customer_id, lines.order_key, lines.sales_month, months_due.input_fingerprint
from lines
inner join months_due
    on lines.sales_month = months_due.month_from
where lines.document_type = 'invoice'
