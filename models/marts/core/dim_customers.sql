-- Every customer once, with its place in the hierarchy and the tier of its default segment type.
with

customers as (
    select * from {{ ref('int_customers_identified') }}
),

evaluation_dates as (
    select evaluation_date, hierarchy_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

rolled_up as (
    select hierarchy_date, customer_id, parent_id, parent_source, ultimate_parent_id, hierarchy_status
    from {{ ref('int_customers_rolled_up') }}
),

invoices as (
    select customer_id, min(invoice_date) as first_invoice_date, max(invoice_date) as last_invoice_date
    from {{ ref('int_invoices_judged') }} as judged
    inner join evaluation_dates
        on judged.invoice_date <= evaluation_dates.evaluation_date
    where record_status = 'staged' and document_type = 'invoice'
    group by customer_id
),

default_types as (
    select segment_type_id, organisation_id, new_customer_days
    from {{ ref('int_segment_types') }}
    where is_default and entity = 'customer' and status = 'active'
),

tiers as (
    select segment_type_id, customer_id, tier from {{ ref('fct_customer_segments') }}
),

-- The default type of the customer's own organisation comes before that of all.
default_types_found as (
    select
        customers.customer_id,
        coalesce(own_types.segment_type_id, common_types.segment_type_id) as segment_type_id,
        coalesce(own_types.new_customer_days, common_types.new_customer_days, 90) as new_customer_days
    from customers
    left join default_types as own_types
        on customers.organisation_id = own_types.organisation_id
    left join default_types as common_types
        on common_types.organisation_id is null
)

select
    customers.customer_id,
    customers.source_system,
    customers.native_customer_id,
    customers.organisation_id,
    customers.name,
    customers.vat_number,
    customers.vat_group_id,
    rolled_up.parent_id as parent_customer_id,
    rolled_up.parent_source,
    rolled_up.ultimate_parent_id,
    rolled_up.hierarchy_status,
    customers.branch_id,
    customers.sales_rep_id,
    customers.country,
    customers.region,
    customers.city,
    customers.postal_code,
    customers.industry,
    customers.payment_terms_days,
    cast(customers.credit_limit as numeric(18, 2)) as credit_limit,
    customers.credit_status,
    customers.customer_kind,
    customers.created_on,
    customers.is_active,
    invoices.first_invoice_date,
    invoices.last_invoice_date,
    case
        when invoices.first_invoice_date is null then 'prospect'
        when {{ dbt.datediff('invoices.first_invoice_date', 'evaluation_dates.evaluation_date', 'day') }} < default_types_found.new_customer_days then 'new'
        when {{ dbt.datediff('invoices.last_invoice_date', 'evaluation_dates.evaluation_date', 'day') }} > {{ var('lapsed_after_days') }} then 'lapsed'
        else 'active'
    end as lifecycle,
    tiers.segment_type_id as default_segment_type_id,
    tiers.tier as default_tier,
    evaluation_dates.evaluation_date as as_of_date
from customers
cross join evaluation_dates
inner join rolled_up
    on customers.customer_id = rolled_up.customer_id
    and evaluation_dates.hierarchy_date = rolled_up.hierarchy_date
left join invoices
    on customers.customer_id = invoices.customer_id
left join default_types_found
    on customers.customer_id = default_types_found.customer_id
left join tiers
    on default_types_found.segment_type_id = tiers.segment_type_id
    and customers.customer_id = tiers.customer_id
