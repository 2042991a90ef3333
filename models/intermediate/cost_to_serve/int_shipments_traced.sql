-- R15: whose a shipment is: the customer of its order, else the one customer its consignee code is linked to (R9).
with

shipments as (
    select * from {{ ref('stg_tpl__shipments') }} where record_status = 'staged'
),

orders as (
    select source_system, order_id, {{ global_id('source_system', 'customer_id') }} as customer_id
    from {{ ref('stg_erp__orders') }}
    where record_status = 'staged'
),

customers as (
    select customer_id, organisation_id from {{ ref('int_customers_identified') }}
),

consignees as (
    select party_id, customer_id
    from {{ ref('int_customers_matched_to_parties') }}
    where party_kind = 'tpl_consignee' and not is_ambiguous
),

organisations as (
    select {{ cell_text('organisation_id') }} as organisation_id, lower({{ cell_text('source_system') }}) as source_system
    from {{ ref('organisations') }}
),

only_organisation as (
    select case when count(distinct organisation_id) = 1 then min(organisation_id) end as organisation_id from organisations
),

shipments_traced as (
    select
        shipments.*,
        coalesce(customers_of_orders.customer_id, consignees.customer_id) as customer_id,
        case when customers_of_orders.customer_id is not null then 'order' when consignees.customer_id is not null then 'consignee' end as traced_by
    from shipments
    left join orders
        on lower(shipments.erp_source_system) = orders.source_system
        and shipments.order_id = orders.order_id
    left join customers as customers_of_orders
        on orders.customer_id = customers_of_orders.customer_id
    left join consignees
        on {{ global_id('shipments.source_system', 'shipments.consignee_code') }} = consignees.party_id
)

select
    {{ global_id('shipments_traced.source_system', 'shipments_traced.shipment_id') }} as shipment_id,
    {{ global_id('lower(shipments_traced.erp_source_system)', 'shipments_traced.order_id') }} as order_id,
    shipments_traced.customer_id,
    -- Untraced, it still belongs to the organisation whose system ordered it; where none is named, to the only one there is.
    case
        when shipments_traced.customer_id is not null then customers.organisation_id
        when shipments_traced.erp_source_system is not null then organisations.organisation_id
        else only_organisation.organisation_id
    end as organisation_id,
    shipments_traced.traced_by,
    shipments_traced.shipped_on,
    shipments_traced.promised_on,
    shipments_traced.delivered_on,
    lower(shipments_traced.service_level) = 'expedited' as is_expedited,
    shipments_traced.weight_kg,
    shipments_traced.package_count
from shipments_traced
left join customers
    on shipments_traced.customer_id = customers.customer_id
left join organisations
    on lower(shipments_traced.erp_source_system) = organisations.source_system
cross join only_organisation
