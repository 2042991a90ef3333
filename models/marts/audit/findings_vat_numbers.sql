-- VAT numbers that somebody typed because the form insisted; they count as missing (R8).
with

found as (
    select
        'vat_number_placeholder|' || customer_id as finding_id,
        customer_id,
        landed_vat_number as vat_number,
        vat_number_fault as problem
    from {{ ref('int_customers_identified') }}
    where vat_number_fault is not null
)

select * from found
where {{ is_open_finding('findings_vat_numbers') }}
