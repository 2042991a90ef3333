-- The invoices of a customer by the month they were issued and the month they were paid (null: not yet), with the value-days
-- that follow from both: an amount times the days it is open, counted from the day after the invoice to the day of payment.
-- Days are the same for every line of an invoice, so lines add up without invoices; credit notes name no payment and are not here.
-- Kept from run to run by the month of the invoice.
{{ keep_months('invoice_month', 'int_sales_months', 'receivables_fingerprint') }}
with

months_due as (
    {{ months_due('invoice_month', 'int_sales_months', 'receivables_fingerprint') }}
),

lines as (
    select
        customer_id,
        invoice_date,
        -- Paid in advance is paid at once.
        case when paid_on < invoice_date then invoice_date else paid_on end as settled_on,
        net_sales
    from {{ ref('fct_invoice_lines') }}
    where document_type = 'invoice' and {{ is_month_due(month_start('invoice_date')) }}
),

receivables as (
    select
        customer_id,
        {{ month_start('invoice_date') }} as invoice_month,
        {{ month_start('settled_on') }} as settlement_month,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(net_sales * {{ dbt.datediff('invoice_date', month_end('invoice_date'), 'day') }}) as numeric(22, 2)) as value_days_to_month_end,
        cast(sum(net_sales * {{ dbt.datediff('settled_on', month_end('settled_on'), 'day') }}) as numeric(22, 2)) as value_days_after_settlement,
        cast(sum(net_sales * {{ dbt.datediff('invoice_date', 'settled_on', 'day') }}) as numeric(22, 2)) as value_days_to_settlement
    from lines
    group by customer_id, {{ month_start('invoice_date') }}, {{ month_start('settled_on') }}
)

select receivables.*, months_due.input_fingerprint
from receivables
left join months_due
    on receivables.invoice_month = months_due.month_from
