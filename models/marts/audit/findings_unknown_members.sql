-- Products, branches and representatives that sales name and no master table lists: their sales count as "unknown".
with

invoices as (
    select * from {{ ref('int_invoices_judged') }} where record_status = 'staged'
),

lines as (
    select * from {{ ref('int_invoice_lines_judged') }} where record_status = 'staged' and product_id = 'unknown'
),

unknown_members as (
    select
        'product_unknown' as finding,
        coalesce(landed_product_id, source_system || ':(empty)') as member_id,
        count(*) as record_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        min(invoice_date) as first_seen_on,
        max(invoice_date) as last_seen_on
    from lines
    group by coalesce(landed_product_id, source_system || ':(empty)')
    {%- for member in ['branch', 'sales_rep'] %}
    union all
    select
        '{{ member }}_unknown' as finding,
        landed_{{ member }}_id as member_id,
        count(*) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        min(invoice_date) as first_seen_on,
        max(invoice_date) as last_seen_on
    from invoices
    where {{ member }}_id = 'unknown' and landed_{{ member }}_id is not null
    group by landed_{{ member }}_id
    {%- endfor %}
),

found as (
    select
        finding || '|' || member_id as finding_id,
        finding,
        member_id,
        record_count,
        net_sales,
        first_seen_on,
        last_seen_on
    from unknown_members
)

select * from found
where {{ is_open_finding('findings_unknown_members') }}
