-- R15: what every customer used of every driver in a month, each unit counted once. A unit that cannot be traced to a customer
-- has none, and still counts in the volume of its driver: nobody else pays for it. Its organisation is that of the ERP it stands in;
-- a visit to a stranger names none, so it belongs to the only organisation there is, or else to the company alone. Quantities
-- below zero use nothing. Kept from run to run by month.
{{ keep_months('driver_month', 'int_driver_months', 'drivers_fingerprint') }}
with

months_due as (
    {{ months_due('driver_month', 'int_driver_months', 'drivers_fingerprint') }}
),

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
    select source_system, {{ month_start('order_date') }} as driver_month, {{ global_id('source_system', 'customer_id') }} as customer_id
    from {{ ref('stg_erp__orders') }}
    where record_status = 'staged' and order_date is not null and {{ is_month_due(month_start('order_date')) }}
),

-- Typing a cancelled order was work as well.
order_lines as (
    select source_system, {{ month_start('order_date') }} as driver_month, {{ global_id('source_system', 'customer_id') }} as customer_id
    from {{ ref('stg_erp__order_lines') }}
    where record_status = 'staged' and order_date is not null and {{ is_month_due(month_start('order_date')) }}
),

invoices as (
    select source_system, {{ month_start('invoice_date') }} as driver_month, customer_id
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged' and document_type = 'invoice' and {{ is_month_due(month_start('invoice_date')) }}
),

shipments as (
    select * from {{ ref('int_shipments_traced') }} where shipped_on is not null and {{ is_month_due(month_start('shipped_on')) }}
),

returns_received as (
    select order_source_system as source_system, {{ month_start('received_on') }} as driver_month, customer_id
    from {{ ref('int_returns_traced') }}
    where {{ is_month_due(month_start('received_on')) }}
),

activities as (
    select activity_type, {{ month_start('performed_on') }} as driver_month, customer_id
    from {{ ref('int_activities_traced') }}
    where {{ is_month_due(month_start('performed_on')) }}
),

sales as (
    select member_id as customer_id, period_from as driver_month, sum(quantity) as quantity, sum(net_sales) as net_sales
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'customer' and is_month and {{ is_month_due('period_from') }}
    group by member_id, period_from
),

landed_quantities as (
    select
        driver,
        source_system,
        {{ global_id('source_system', 'customer_id') }} as customer_id,
        {{ month_start('driver_month') }} as driver_month,
        quantity
    from {{ ref('stg_erp__driver_quantities') }}
    where record_status = 'staged' and driver_month is not null and {{ is_month_due(month_start('driver_month')) }}
        and driver not in ('none', '{{ counted_drivers() | join("', '") }}')
),

quantities as (
    {%- for driver, documents in {'orders': 'orders', 'order_lines': 'order_lines', 'invoices': 'invoices', 'returns': 'returns_received'}.items() %}
    select '{{ driver }}' as driver, driver_month, customer_id, source_system, cast(count(*) as numeric(18, 4)) as quantity
    from {{ documents }}
    group by driver_month, customer_id, source_system
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {%- for driver, activity_type in [('visits', 'visit'), ('calls', 'call'), ('support_cases', 'support_case')] %}
    union all
    select '{{ driver }}' as driver, driver_month, customer_id, cast(null as {{ dbt.type_string() }}) as source_system, cast(count(*) as numeric(18, 4)) as quantity
    from activities
    where activity_type = '{{ activity_type }}'
    group by driver_month, customer_id
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
    where {{ is_month_due('cost_month') }}
    union all
    select driver, driver_month, customer_id, source_system, cast(sum(quantity) as numeric(18, 4)) as quantity
    from landed_quantities
    group by driver, driver_month, customer_id, source_system
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
    quantities_placed.driver,
    quantities_placed.organisation_id,
    quantities_placed.driver_month,
    quantities_placed.customer_id,
    cast(sum(quantities_placed.quantity) as numeric(18, 4)) as quantity,
    months_due.input_fingerprint
from quantities_placed
left join months_due
    on quantities_placed.driver_month = months_due.month_from
where quantities_placed.quantity is not null
group by
    quantities_placed.driver, quantities_placed.organisation_id, quantities_placed.driver_month, quantities_placed.customer_id,
    months_due.input_fingerprint
having sum(quantities_placed.quantity) > 0
