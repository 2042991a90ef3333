-- VAT numbers that somebody typed because the form insisted; they count as missing (R8).
with

found as (
    select
        'vat_number_placeholder|customer|' || customer_id as finding_id,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as account_id,
        landed_vat_number as vat_number,
        vat_number_fault as problem
    from {{ ref('int_customers_identified') }}
    where vat_number_fault is not null
    union all
    select
        'vat_number_placeholder|account|' || {{ global_id('source_system', 'account_id') }} as finding_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        {{ global_id('source_system', 'account_id') }} as account_id,
        vat_number,
        {{ vat_number_fault('vat_number') }} as problem
    from {{ ref('stg_crm__accounts') }}
    where record_status = 'staged' and {{ vat_number_fault('vat_number') }} is not null
)

select * from found
where {{ is_open_finding('findings_vat_numbers') }}
