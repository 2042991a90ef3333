-- One row per landed invoice header: the verdict of staging, and quarantine for a customer nobody knows. A credit note
-- counts on the customer of the invoice it corrects, else on its own (R12). order_key is the order a document counts for:
-- its order, else (a credit note) that of the document it corrects, else itself. Kept from run to run: what goes out before the insert is
-- drop_invoices_due's; header_hash is what a line takes from here.
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', pre_hook="{{ drop_invoices_due() }}") }}
with

staged as (
    select *, {{ staged_hash() }} as staged_hash from {{ ref('stg_erp__invoices') }}
),

invoices as (
    select
        *,
        {{ global_id('source_system', 'customer_id') }} as billed_customer_id,
        upper(currency) as document_currency,
        case when document_type = 'credit_note' then original_invoice_id end as corrected_invoice_id
    from staged
    {%- if is_incremental() %}
    where not exists (select 1 from {{ this }} as kept where kept.staged_hash = staged.staged_hash)
    {%- endif %}
),

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

corrections as (
    select distinct source_system, corrected_invoice_id from invoices where corrected_invoice_id is not null
),

originals as (
    select
        staged.source_system,
        staged.invoice_id,
        customers.customer_id,
        {{ order_key('staged') }} as order_key
    from corrections
    inner join staged
        on corrections.source_system = staged.source_system
        and corrections.corrected_invoice_id = staged.invoice_id
    inner join customers
        on {{ global_id('staged.source_system', 'staged.customer_id') }} = customers.customer_id
    where staged.record_status = 'staged'
),

rates as (
    select source_system, currency, document_date, rate, is_inverse from {{ ref('int_exchange_rates_found') }}
),

branches as (
    select source_system, branch_id from {{ ref('stg_erp__branches') }} where record_status = 'staged'
),

sales_reps as (
    select source_system, sales_rep_id from {{ ref('stg_erp__sales_reps') }} where record_status = 'staged'
),

customers_checked as (
    select
        invoices.*,
        invoices.record_status = 'staged' and customers.customer_id is null as is_customer_unknown,
        coalesce(originals.customer_id, invoices.billed_customer_id) as counting_customer_id,
        case when invoices.order_id is null then coalesce(originals.order_key, {{ order_key('invoices') }}) else {{ order_key('invoices') }} end as order_key
    from invoices
    left join customers
        on invoices.billed_customer_id = customers.customer_id
    left join originals
        on invoices.source_system = originals.source_system
        and invoices.corrected_invoice_id = originals.invoice_id
),

judged as (
    select
        checked.source_system,
        checked.invoice_id as native_invoice_id,
        {{ global_id('checked.source_system', 'checked.invoice_id') }} as invoice_id,
        checked.document_type,
        checked.invoice_date,
        checked.due_on,
        checked.paid_on,
        {{ global_id('checked.source_system', 'checked.order_id') }} as order_id,
        {{ global_id('checked.source_system', 'checked.original_invoice_id') }} as original_invoice_id,
        checked.order_key,
        checked.counting_customer_id as customer_id,
        checked.billed_customer_id,
        {{ known_member_id(global_id('checked.source_system', 'checked.branch_id'), 'branches.branch_id', 'erp.branches') }} as branch_id,
        {{ known_member_id(global_id('checked.source_system', 'checked.sales_rep_id'), 'sales_reps.sales_rep_id', 'erp.sales_reps') }} as sales_rep_id,
        {{ global_id('checked.source_system', 'checked.branch_id') }} as landed_branch_id,
        {{ global_id('checked.source_system', 'checked.sales_rep_id') }} as landed_sales_rep_id,
        checked.document_currency as currency,
        rates.rate,
        coalesce(rates.is_inverse, false) as is_inverse_rate,
        checked.document_currency <> '{{ var("reporting_currency") }}' and rates.rate is null as is_rate_missing,
        checked.loaded_at,
        checked.staged_hash,
        case when checked.is_customer_unknown then 'quarantined' else checked.record_status end as record_status,
        case when checked.is_customer_unknown then 'customer_unknown' else checked.quarantine_rule end as quarantine_rule,
        case
            when checked.is_customer_unknown then 'customer_id ' || checked.customer_id || ' is not among the staged customers'
            else checked.quarantine_detail
        end as quarantine_detail,
        case when checked.is_customer_unknown then checked.invoice_id else checked.record_key end as record_key,
        case
            when checked.is_customer_unknown
                then {{ record_text(['source_system', 'invoice_id', 'customer_id', 'invoice_date', 'document_type', 'order_id',
                    'original_invoice_id', 'branch_id', 'sales_rep_id', 'due_on', 'paid_on', 'currency', 'loaded_at'], prefix='checked.') }}
            else checked.raw_record
        end as raw_record
    from customers_checked as checked
    left join rates
        on checked.source_system = rates.source_system
        and checked.document_currency = rates.currency
        and checked.invoice_date = rates.document_date
    left join branches
        on checked.source_system = branches.source_system
        and checked.branch_id = branches.branch_id
    left join sales_reps
        on checked.source_system = sales_reps.source_system
        and checked.sales_rep_id = sales_reps.sales_rep_id
)

select
    *,
    {{ key_hash(['invoice_id', 'document_type', 'invoice_date', 'due_on', 'paid_on', 'order_id', 'original_invoice_id', 'order_key', 'customer_id',
        'billed_customer_id', 'branch_id', 'sales_rep_id', 'currency', 'rate', 'is_inverse_rate', 'is_rate_missing']) }} as header_hash
from judged
