-- Every customer and product once, with what decides where and since when it takes part: R8's identity, R18's first
-- appearance (created or first documented, whichever came first) and R7's first invoice. Internal and test customers stand
-- apart: they are their own entity and do not count for their group. member_number stands for the id where millions of rows are joined; it
-- is another one tomorrow.
with

customers as (
    select customer_id, organisation_id, vat_group_id, created_on, customer_kind in ('internal', 'test') as stands_apart
    from {{ ref('int_customers_identified') }}
),

products as (
    select product_id, organisation_id, launched_on from {{ ref('int_products_identified') }}
),

customer_documents as (
    select
        customer_id,
        min(invoice_date) as first_document_on,
        min(case when document_type = 'invoice' then invoice_date end) as first_invoice_date
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged'
    group by customer_id
),

product_documents as (
    select
        member_id as product_id,
        min(first_document_on) as first_document_on,
        min(first_invoiced_on) as first_invoice_date
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'product' and is_month
    group by member_id
),

members as (
    select
        'customer' as entity,
        customers.customer_id as member_id,
        customers.organisation_id,
        customers.vat_group_id,
        customers.stands_apart,
        customers.created_on as begun_on,
        customer_documents.first_document_on,
        customer_documents.first_invoice_date
    from customers
    left join customer_documents
        on customers.customer_id = customer_documents.customer_id
    union all
    select
        'product' as entity,
        products.product_id as member_id,
        products.organisation_id,
        products.product_id as vat_group_id,
        false as stands_apart,
        products.launched_on as begun_on,
        product_documents.first_document_on,
        product_documents.first_invoice_date
    from products
    left join product_documents
        on products.product_id = product_documents.product_id
)

select
    entity,
    member_id,
    cast(row_number() over (partition by entity order by member_id asc) as integer) as member_number,
    organisation_id,
    vat_group_id,
    stands_apart,
    coalesce(
        least(coalesce(begun_on, first_document_on), coalesce(first_document_on, begun_on)),
        cast('9999-12-31' as date)
    ) as appeared_on,
    first_invoice_date
from members
