-- One row per landed invoice line, with the last word on it and its amounts in reporting currency (R13): rounded half
-- up to cents per line, so that every sum is a sum of cents. Written once; fct_invoice_lines is the view of the staged. Kept from run to
-- run: what goes out before the insert is drop_records_due's and drop_invoice_lines_of_other_headers'.
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', pre_hook=[
    "{{ drop_records_due(source('erp', 'invoice_lines'), columns_landed(invoice_line_columns()), ['source_system', 'invoice_id', 'line_number'], kept_key='key_hash') }}",
    "{{ drop_invoice_lines_of_other_headers() }}",
]) }}
{% set reporting = "headers.currency = '" ~ var('reporting_currency') ~ "'" %}
with

{% set staged_lines = ref('stg_erp__invoice_lines') -%}
lines as (
    {% if is_incremental() -%}
    {{ stage_invoice_lines(kept_key='key_hash') }}
    {%- else -%}
    select * from {{ staged_lines }}
    {%- endif %}
),

headers as (
    select * from {{ ref('int_invoices_judged') }} where record_status = 'staged'
),

quarantined_headers as (
    select distinct source_system, native_invoice_id
    from {{ ref('int_invoices_judged') }}
    where record_status = 'quarantined' and native_invoice_id is not null
),

products as (
    select product_id, brand, native_product_id, source_system from {{ ref('int_products_identified') }}
),

lines_completed as (
    select
        lines.*,
        headers.invoice_id as global_invoice_id,
        headers.document_type,
        headers.invoice_date,
        headers.due_on,
        headers.paid_on,
        headers.order_id,
        headers.original_invoice_id,
        headers.order_key,
        headers.customer_id,
        headers.billed_customer_id,
        headers.branch_id,
        headers.sales_rep_id,
        headers.currency,
        headers.header_hash,
        {{ key_hash(['source_system', 'invoice_id', 'line_number'], prefix='lines.') }} as key_hash,
        coalesce(products.product_id, 'unknown') as known_product_id,
        products.brand,
        {{ in_reporting_currency('lines.net_amount', 'headers.rate', 'headers.is_inverse_rate', reporting) }} as net_sales,
        {{ in_reporting_currency('lines.cost_amount', 'headers.rate', 'headers.is_inverse_rate', reporting) }} as cost,
        case
            when lines.record_status <> 'staged' then null
            when headers.invoice_id is null and quarantined_headers.native_invoice_id is not null then 'header_quarantined'
            when headers.invoice_id is null then 'header_missing'
            when headers.is_rate_missing then 'exchange_rate_missing'
        end as line_rule
    from lines
    left join headers
        on lines.source_system = headers.source_system
        and lines.invoice_id = headers.native_invoice_id
    left join quarantined_headers
        on lines.source_system = quarantined_headers.source_system
        and lines.invoice_id = quarantined_headers.native_invoice_id
    left join products
        on lines.source_system = products.source_system
        and lines.product_id = products.native_product_id
)

select
    source_system,
    global_invoice_id as invoice_id,
    case when global_invoice_id is null then {{ global_id('source_system', 'invoice_id') }} end as landed_invoice_id,
    line_number,
    document_type,
    invoice_date,
    due_on,
    paid_on,
    order_id,
    original_invoice_id,
    order_key,
    customer_id,
    billed_customer_id,
    known_product_id as product_id,
    case when known_product_id = 'unknown' then {{ global_id('source_system', 'product_id') }} end as landed_product_id,
    brand,
    branch_id,
    sales_rep_id,
    quantity,
    currency,
    net_amount,
    net_sales,
    cost,
    cast(net_sales - cost as numeric(18, 2)) as gross_margin,
    loaded_at,
    case when line_rule is not null then 'quarantined' else record_status end as record_status,
    coalesce(quarantine_rule, line_rule) as quarantine_rule,
    case
        when line_rule = 'header_missing' then 'no invoice ' || invoice_id || ' has landed; released when it arrives'
        when line_rule = 'header_quarantined' then 'the header of invoice ' || invoice_id || ' is quarantined'
        when line_rule = 'exchange_rate_missing'
            then 'no rate between ' || currency || ' and {{ var("reporting_currency") }} on or before ' || cast(invoice_date as {{ dbt.type_string() }})
        else quarantine_detail
    end as quarantine_detail,
    case when line_rule is not null then {{ record_key_text(['invoice_id', 'line_number']) }} else record_key end as record_key,
    case
        when line_rule is not null
            then {{ record_text(['source_system', 'invoice_id', 'line_number', 'product_id', 'quantity', 'list_amount',
                'discount_amount', 'net_amount', 'cost_amount', 'loaded_at']) }}
        else raw_record
    end as raw_record,
    key_hash,
    record_hash,
    header_hash
from lines_completed
