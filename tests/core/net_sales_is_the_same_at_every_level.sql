-- Guards R8: rolling up moves sales from one customer to another and never makes or loses any. The sales of the customers, of their
-- ultimate parents and of their VAT groups are the sales of the invoice lines; a customer or parent that is missing would show here.
with

customers_summed as (
    select
        customer_id,
        count(*) as line_count,
        sum(net_sales) as net_sales
    from {{ ref('fct_invoice_lines') }}
    group by customer_id
),

customers as (
    select customer_id, ultimate_parent_id, vat_group_id
    from {{ ref('dim_customers') }}
),

groups_summed as (
    select
        customers.customer_id,
        customers.ultimate_parent_id,
        customers.vat_group_id,
        customers_summed.line_count,
        customers_summed.net_sales
    from customers_summed
    inner join customers
        on customers_summed.customer_id = customers.customer_id
),

levels_summed as (
    select
        'customer' as hierarchy_level,
        sum(line_count) as line_count,
        sum(net_sales) as net_sales
    from groups_summed
    union all
    select
        'ultimate_parent' as hierarchy_level,
        sum(groups_summed.line_count) as line_count,
        sum(groups_summed.net_sales) as net_sales
    from groups_summed
    inner join customers as parents
        on groups_summed.ultimate_parent_id = parents.customer_id
    union all
    select
        'vat' as hierarchy_level,
        sum(line_count) as line_count,
        sum(net_sales) as net_sales
    from groups_summed
    where vat_group_id is not null
),

company as (
    select
        coalesce(sum(line_count), 0) as line_count,
        coalesce(sum(net_sales), 0) as net_sales
    from customers_summed
)

select
    levels_summed.hierarchy_level,
    levels_summed.line_count,
    levels_summed.net_sales
from levels_summed
where coalesce(levels_summed.line_count, 0) <> (select company.line_count from company)
    or coalesce(levels_summed.net_sales, 0) <> (select company.net_sales from company)
