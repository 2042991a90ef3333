-- R6, R8: exactly one row for every customer (or product) of the type's organisation x type x evaluation date, with the
-- entity it is ranked as. Internal and test customers stand by themselves and do not count for their group.
with

segment_types as (
    select segment_type_id, entity, organisation_id, identity_basis, hierarchy_level
    from {{ ref('int_segment_types') }}
    where status <> 'retired'
),

evaluation_dates as (
    select evaluation_date, hierarchy_date from {{ ref('int_evaluation_dates') }}
),

customers as (
    select customer_id, organisation_id, vat_group_id, customer_kind in ('internal', 'test') as is_excluded
    from {{ ref('int_customers_identified') }}
),

rolled_up as (
    select hierarchy_date, customer_id, ultimate_parent_id from {{ ref('int_customers_rolled_up') }}
),

products as (
    select product_id, organisation_id from {{ ref('int_products_identified') }}
),

customer_invoices as (
    select customer_id as member_id, min(invoice_date) as first_invoice_date
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged' and document_type = 'invoice'
    group by customer_id
),

product_invoices as (
    select member_id, min(first_invoiced_on) as first_invoice_date
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'product'
    group by member_id
),

customer_members as (
    select
        segment_types.segment_type_id,
        evaluation_dates.evaluation_date,
        customers.customer_id as member_id,
        case
            when customers.is_excluded then customers.customer_id
            when segment_types.identity_basis = 'vat' then customers.vat_group_id
            when segment_types.hierarchy_level = 'ultimate_parent' then rolled_up.ultimate_parent_id
            else customers.customer_id
        end as entity_id,
        customers.is_excluded,
        customer_invoices.first_invoice_date
    from customers
    cross join evaluation_dates
    inner join rolled_up
        on customers.customer_id = rolled_up.customer_id
        and evaluation_dates.hierarchy_date = rolled_up.hierarchy_date
    inner join segment_types
        on segment_types.entity = 'customer'
        and (segment_types.organisation_id is null or customers.organisation_id = segment_types.organisation_id)
    left join customer_invoices
        on customers.customer_id = customer_invoices.member_id
),

product_members as (
    select
        segment_types.segment_type_id,
        evaluation_dates.evaluation_date,
        products.product_id as member_id,
        products.product_id as entity_id,
        false as is_excluded,
        product_invoices.first_invoice_date
    from products
    cross join evaluation_dates
    inner join segment_types
        on segment_types.entity = 'product'
        and (segment_types.organisation_id is null or products.organisation_id = segment_types.organisation_id)
    left join product_invoices
        on products.product_id = product_invoices.member_id
),

members as (
    select * from customer_members
    union all
    select * from product_members
)

select
    segment_type_id,
    evaluation_date,
    member_id,
    entity_id,
    case when entity_id <> member_id then entity_id end as inherited_from,
    is_excluded,
    -- What lies after the evaluation date has not happened yet.
    case when first_invoice_date <= evaluation_date then first_invoice_date end as first_invoice_date
from members
