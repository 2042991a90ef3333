-- R8: customers with their global ids and the VAT number they are known by. A number counts as missing when it has
-- fewer than five digits or repeats one digit: people type something when a form insists.
-- depends_on: {{ ref('int_configuration_gate') }}
{% set landed_later = 'customers.loaded_at >= ' ~ known_until() if is_overwritten('erp', 'customers') else 'false' %}
with

customers as (
    {{ customers_as_known() }}
),

parents_recorded as (
    {{ parents_recorded('erp', 'customers') }}
),

organisations as (
    select {{ cell_text('organisation_id') }} as organisation_id, lower({{ cell_text('source_system') }}) as source_system
    from {{ ref('organisations') }}
),

branches as (
    select source_system, branch_id from {{ ref('stg_erp__branches') }} where record_status = 'staged'
),

sales_reps as (
    select source_system, sales_rep_id from {{ ref('stg_erp__sales_reps') }} where record_status = 'staged'
),

vat_numbers_judged as (
    select
        source_system,
        customer_id,
        {{ normalised_vat_number('vat_number', 'country') }} as vat_number,
        {{ vat_number_fault('vat_number') }} as vat_number_fault
    from customers
    where vat_number is not null
)

select
    {{ global_id('customers.source_system', 'customers.customer_id') }} as customer_id,
    customers.source_system,
    customers.customer_id as native_customer_id,
    organisations.organisation_id,
    customers.name,
    case when vat_numbers_judged.vat_number_fault is null then vat_numbers_judged.vat_number end as vat_number,
    customers.vat_number as landed_vat_number,
    vat_numbers_judged.vat_number_fault,
    case
        when vat_numbers_judged.vat_number_fault is null and vat_numbers_judged.vat_number is not null
            then 'vat:' || vat_numbers_judged.vat_number
        else {{ global_id('customers.source_system', 'customers.customer_id') }}
    end as vat_group_id,
    case
        when parents_recorded.customer_id is not null and {{ landed_later }} then parents_recorded.parent_id
        else {{ global_id('customers.source_system', 'customers.parent_customer_id') }}
    end as erp_parent_id,
    upper(customers.country) as country,
    customers.region,
    customers.city,
    customers.postal_code,
    customers.industry,
    {{ known_member_id(global_id('customers.source_system', 'customers.branch_id'), 'branches.branch_id', 'erp.branches') }} as branch_id,
    {{ known_member_id(global_id('customers.source_system', 'customers.sales_rep_id'), 'sales_reps.sales_rep_id', 'erp.sales_reps') }} as sales_rep_id,
    customers.payment_terms_days,
    customers.credit_limit,
    customers.credit_status,
    coalesce(lower(customers.customer_kind), 'trade') as customer_kind,
    customers.created_on,
    coalesce(customers.is_active, true) as is_active,
    customers.loaded_at
from customers
left join parents_recorded
    on {{ global_id('customers.source_system', 'customers.customer_id') }} = parents_recorded.customer_id
left join vat_numbers_judged
    on customers.source_system = vat_numbers_judged.source_system
    and customers.customer_id = vat_numbers_judged.customer_id
left join organisations
    on customers.source_system = organisations.source_system
left join branches
    on customers.source_system = branches.source_system
    and customers.branch_id = branches.branch_id
left join sales_reps
    on customers.source_system = sales_reps.source_system
    and customers.sales_rep_id = sales_reps.sales_rep_id
