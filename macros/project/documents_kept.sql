{# How headers and lines of documents are kept from run to run (records_kept says why without a mark): before the insert those go out
   whose record, or anything else their row was made of, is another one now. #}

{# int_invoices_judged. Credit notes follow the document they correct, headers in quarantine may wait for a customer: few, and judged every time. #}
{% macro drop_invoices_due() -%}
    {%- set invoices, customers, rates = ref('stg_erp__invoices'), ref('int_customers_identified'), ref('int_exchange_rates_found') -%}
    {%- set members = {'branch': ref('stg_erp__branches'), 'sales_rep': ref('stg_erp__sales_reps')} -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where staged_hash in (
        select kept.staged_hash
        from {{ this }} as kept
        left join (select {{ staged_hash() }} as staged_hash from {{ invoices }}) as invoices
            on kept.staged_hash = invoices.staged_hash
        left join {{ customers }} as customers
            on kept.billed_customer_id = customers.customer_id
        left join {{ rates }} as rates
            on kept.source_system = rates.source_system
            and kept.currency = rates.currency
            and kept.invoice_date = rates.document_date
        {%- for member, relation in members.items() %}
        left join (select {{ global_id('source_system', member ~ '_id') }} as member_id from {{ relation }} where record_status = 'staged') as {{ member }}s
            on kept.landed_{{ member }}_id = {{ member }}s.member_id
        {%- endfor %}
        where invoices.staged_hash is null
            or kept.record_status <> 'staged'
            or kept.document_type = 'credit_note'
            or customers.customer_id is null
            or coalesce(kept.rate, -1) <> coalesce(rates.rate, -1)
            or kept.is_inverse_rate <> coalesce(rates.is_inverse, false)
            {%- for member in members %}
            or kept.{{ member }}_id <> {{ known_member_id('kept.landed_' ~ member ~ '_id', member ~ 's.member_id', 'erp.' ~ member ~ ('es' if member == 'branch' else 's')) }}
            {%- endfor %}
    )
    {%- endif -%}
{%- endmacro %}


{# int_invoice_lines_judged. Lines without a header stay until one is there, or until it is another reason why there is none. #}
{% macro drop_invoice_lines_of_other_headers() -%}
    {%- set headers, products = ref('int_invoices_judged'), ref('int_products_identified') -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where key_hash in (
        select kept.key_hash
        from {{ this }} as kept
        left join (select header_hash from {{ headers }} where record_status = 'staged') as headers
            on kept.header_hash = headers.header_hash
        left join {{ products }} as products
            on coalesce(kept.landed_product_id, kept.product_id) = products.product_id
        where (kept.header_hash is not null and headers.header_hash is null)
            or kept.product_id <> coalesce(products.product_id, 'unknown')
            or coalesce(kept.brand, '') <> coalesce(products.brand, '')
        union all
        select waiting.key_hash
        from (select * from {{ this }} where landed_invoice_id is not null) as waiting
        left join (
            select invoice_id, max(case when record_status = 'staged' then 1 else 0 end) as is_staged
            from {{ headers }}
            where invoice_id in (select landed_invoice_id from {{ this }} where landed_invoice_id is not null)
            group by invoice_id
        ) as headers
            on waiting.landed_invoice_id = headers.invoice_id
        where headers.is_staged = 1
            or (waiting.quarantine_rule = 'header_missing' and headers.invoice_id is not null)
            or (waiting.quarantine_rule = 'header_quarantined' and headers.invoice_id is null)
    )
    {%- endif -%}
{%- endmacro %}


{# int_charges_judged: of another shipment, of one that has arrived, at another rate. #}
{% macro drop_charges_of_other_shipments() -%}
    {%- set shipments = ref('int_shipments_traced') -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where key_hash in (
        with

        converted as (
            select key_hash, source_system, upper(currency) as currency, charged_on, rate, is_inverse_rate
            from {{ this }}
            where (record_status = 'staged' or quarantine_rule = 'exchange_rate_missing')
                and upper(currency) <> '{{ var("reporting_currency") }}'
        ),

        documents as (
            select distinct source_system, currency, charged_on as document_date from converted
        ),

        {{ rates_on_dates('documents', var('reporting_currency')) }}

        select kept.key_hash
        from {{ this }} as kept
        left join (select {{ shipment_hash() }} as shipment_hash from {{ shipments }}) as shipments
            on kept.shipment_hash = shipments.shipment_hash
        where kept.shipment_hash is not null and shipments.shipment_hash is null
        union all
        select key_hash from {{ this }} where landed_shipment_id in (select shipment_id from {{ shipments }})
        union all
        select converted.key_hash
        from converted
        left join rates_on_dates
            on converted.source_system = rates_on_dates.source_system
            and converted.currency = rates_on_dates.currency
            and converted.charged_on = rates_on_dates.document_date
        where coalesce(converted.rate, -1) <> coalesce(rates_on_dates.rate, -1)
            or converted.is_inverse_rate <> coalesce(rates_on_dates.is_inverse, false)
    )
    {%- endif -%}
{%- endmacro %}


{# What a charge takes from its shipment. #}
{% macro shipment_hash() -%}
    {{ key_hash(['shipment_id', 'order_id', 'customer_id', 'organisation_id']) }}
{%- endmacro %}


{# A staged record with its verdict: what a judged row was made of. #}
{% macro staged_hash() -%}
    {{ key_hash(['record_hash', 'record_status']) }}
{%- endmacro %}
