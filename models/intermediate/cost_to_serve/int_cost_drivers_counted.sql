-- R15: what every customer used of every driver in a month, each unit counted once. A unit that cannot be traced to a customer
-- has none, and still counts in the volume of its driver: nobody else pays for it. Its organisation is that of the ERP it stands in;
-- a visit to a stranger names none, so it belongs to the only organisation there is, or else to the company alone. Quantities
-- below zero use nothing.
with

customers as (
    select customer_id, organisation_id from {{ ref('int_customers_identified') }}
),

organisations as (
    select {{ cell_text('organisation_id') }} as organisation_id, lower({{ cell_text('source_system') }}) as source_system
    from {{ ref('organisations') }}
),

only_organisation as (
    select case when count(distinct organisation_id) = 1 then min(organisation_id) end as organisation_id from organisations
),

orders as (
    select source_system, order_id, order_date, {{ global_id('source_system', 'customer_id') }} as customer_id
    from {{ ref('stg_erp__orders') }}
    where record_status = 'staged' and order_date is not null
),

-- Typing a cancelled order was work as well.
order_lines as (
    select source_system, order_id from {{ ref('stg_erp__order_lines') }} where record_status = 'staged'
),

invoices as (
    select source_system, customer_id, invoice_date
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged' and document_type = 'invoice'
),

shipments as (
    select * from {{ ref('int_shipments_traced') }} where shipped_on is not null
),

returns_received as (
    select received_on, order_source_system as source_system, customer_id from {{ ref('int_returns_traced') }}
),

-- An account that stands for several customers counts for the one that is linked best, then for the first id.
accounts_ranked as (
    select
        party_id,
        customer_id,
        row_number() over (partition by party_id order by confidence desc, customer_id asc) as preference
    from {{ ref('int_customers_matched_to_parties') }}
    where party_kind = 'crm_account' and not is_ambiguous
),

activities as (
    select
        activities.activity_type,
        activities.performed_on,
        accounts_ranked.customer_id
    from {{ ref('stg_crm__activities') }} as activities
    left join accounts_ranked
        on {{ global_id('activities.source_system', 'activities.account_id') }} = accounts_ranked.party_id
        and accounts_ranked.preference = 1
    where activities.record_status = 'staged' and activities.performed_on is not null
),

sales as (
    select member_id as customer_id, period_from as driver_month, sum(quantity) as quantity, sum(net_sales) as net_sales
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'customer' and is_month
    group by member_id, period_from
),

landed_quantities as (
    select
        driver,
        source_system,
        {{ global_id('source_system', 'customer_id') }} as customer_id,
        driver_month,
        quantity
    from {{ ref('stg_erp__driver_quantities') }}
    where record_status = 'staged'
        and driver not in ('none', '{{ counted_drivers() | join("', '") }}')
),

quantities as (
    select 'orders' as driver, {{ month_start('order_date') }} as driver_month, customer_id, source_system, cast(count(*) as numeric(18, 4)) as quantity
    from orders
    group by {{ month_start('order_date') }}, customer_id, source_system
    union all
    select
        'order_lines' as driver,
        {{ month_start('orders.order_date') }} as driver_month,
        orders.customer_id,
        orders.source_system,
        cast(count(*) as numeric(18, 4)) as quantity
    from orders
    inner join order_lines
        on orders.source_system = order_lines.source_system
        and orders.order_id = order_lines.order_id
    group by {{ month_start('orders.order_date') }}, orders.customer_id, orders.source_system
    union all
    select 'invoices' as driver, {{ month_start('invoice_date') }} as driver_month, customer_id, source_system, cast(count(*) as numeric(18, 4)) as quantity
    from invoices
    group by {{ month_start('invoice_date') }}, customer_id, source_system
    union all
    select 'returns' as driver, {{ month_start('received_on') }} as driver_month, customer_id, source_system, cast(count(*) as numeric(18, 4)) as quantity
    from returns_received
    group by {{ month_start('received_on') }}, customer_id, source_system
    {%- for driver, activity_type in [('visits', 'visit'), ('calls', 'call'), ('support_cases', 'support_case')] %}
    union all
    select '{{ driver }}' as driver, {{ month_start('performed_on') }} as driver_month, customer_id, cast(null as {{ dbt.type_string() }}) as source_system, cast(count(*) as numeric(18, 4)) as quantity
    from activities
    where lower(activity_type) = '{{ activity_type }}'
    group by {{ month_start('performed_on') }}, customer_id
    {%- endfor %}
    union all
    select 'units' as driver, driver_month, customer_id, cast(null as {{ dbt.type_string() }}) as source_system, cast(quantity as numeric(18, 4)) as quantity
    from sales
    union all
    select 'net_sales' as driver, driver_month, customer_id, cast(null as {{ dbt.type_string() }}) as source_system, cast(net_sales as numeric(18, 4)) as quantity
    from sales
    union all
    select 'days_outstanding_value' as driver, cost_month as driver_month, customer_id, cast(null as {{ dbt.type_string() }}) as source_system, cast(value_days as numeric(18, 4)) as quantity
    from {{ ref('int_days_outstanding_valued') }}
    union all
    select driver, {{ month_start('driver_month') }} as driver_month, customer_id, source_system, cast(sum(quantity) as numeric(18, 4)) as quantity
    from landed_quantities
    where driver_month is not null
    group by driver, {{ month_start('driver_month') }}, customer_id, source_system
),

quantities_placed as (
    select
        quantities.driver,
        case
            when customers.customer_id is not null then customers.organisation_id
            when quantities.source_system is not null then organisations.organisation_id
            else only_organisation.organisation_id
        end as organisation_id,
        quantities.driver_month,
        customers.customer_id,
        quantities.quantity
    from quantities
    left join customers
        on quantities.customer_id = customers.customer_id
    left join organisations
        on quantities.source_system = organisations.source_system
    cross join only_organisation
    union all
    {%- for driver, measure in [
        ('shipments', '1'),
        ('shipment_weight', 'weight_kg'),
        ('packages', 'package_count'),
        ('expedited_shipments', 'case when is_expedited then 1 end'),
    ] %}
    select '{{ driver }}' as driver, organisation_id, {{ month_start('shipped_on') }} as driver_month, customer_id, cast(sum({{ measure }}) as numeric(18, 4)) as quantity
    from shipments
    group by organisation_id, {{ month_start('shipped_on') }}, customer_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    driver,
    organisation_id,
    driver_month,
    customer_id,
    cast(sum(quantity) as numeric(18, 4)) as quantity
from quantities_placed
where quantity is not null
group by driver, organisation_id, driver_month, customer_id
having sum(quantity) > 0
