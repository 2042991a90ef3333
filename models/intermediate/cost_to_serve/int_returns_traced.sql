-- R15: whose a return is: the customer of its order, else the one customer its consignee code is linked to (R9). Its order names the
-- ERP it stands in, also where its customer is a stranger.
with

returns_received as (
    select * from {{ ref('stg_tpl__returns') }} where record_status = 'staged' and received_on is not null
),

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

-- A return names its order without the system it stands in: an order number that several systems use says nothing.
orders_by_number as (
    select
        order_id,
        min(source_system) as source_system,
        min({{ global_id('source_system', 'customer_id') }}) as customer_id
    from {{ ref('stg_erp__orders') }}
    where record_status = 'staged' and order_id in (select order_id from returns_received)
    group by order_id
    having count(*) = 1
),

consignees as (
    select party_id, customer_id
    from {{ ref('int_customers_matched_to_parties') }}
    where party_kind = 'tpl_consignee' and not is_ambiguous
)

select
    {{ global_id('returns.source_system', 'returns.return_id') }} as return_id,
    orders_by_number.source_system as order_source_system,
    coalesce(customers.customer_id, consignees.customer_id) as customer_id,
    returns.received_on,
    returns.quantity
from returns_received as returns
left join orders_by_number
    on returns.order_id = orders_by_number.order_id
left join customers
    on orders_by_number.customer_id = customers.customer_id
left join consignees
    on {{ global_id('returns.source_system', 'returns.consignee_code') }} = consignees.party_id
