-- Every month in which some driver was used, with a fingerprint of what is counted in it: documents by whose they are, what they measure, and
-- which of their customers are known. Drivers are kept from run to run, and a month is counted again where its fingerprint is another one.
{% set counted = [
    {'driver': 'orders', 'from': ref('stg_erp__orders') ~ " where record_status = 'staged'", 'day': 'order_date', 'customer_id': global_id('source_system', 'customer_id'), 'hashed': ['source_system', 'customer_id']},
    {'driver': 'order_lines', 'from': ref('stg_erp__order_lines') ~ " where record_status = 'staged'", 'day': 'order_date', 'hashed': ['source_system', 'customer_id']},
    {'driver': 'invoices', 'from': ref('int_invoices_judged') ~ " where record_status = 'staged' and document_type = 'invoice'", 'day': 'invoice_date', 'hashed': ['source_system', 'customer_id']},
    {'driver': 'shipments', 'from': ref('int_shipments_traced'), 'day': 'shipped_on', 'hashed': ['organisation_id', 'customer_id', 'weight_kg', 'package_count', 'is_expedited']},
    {'driver': 'returns', 'from': ref('int_returns_traced'), 'day': 'received_on', 'hashed': ['order_source_system', 'customer_id']},
    {'driver': 'activities', 'from': ref('int_activities_traced'), 'day': 'performed_on', 'hashed': ['activity_type', 'customer_id']},
    {'driver': 'days_outstanding_value', 'from': ref('int_days_outstanding_valued'), 'day': 'cost_month', 'hashed': ['customer_id', 'value_days']},
    {'driver': 'landed', 'from': ref('stg_erp__driver_quantities') ~ " where record_status = 'staged'", 'day': 'driver_month', 'customer_id': global_id('source_system', 'customer_id'), 'hashed': ['driver', 'source_system', 'customer_id', 'quantity']},
] %}
with

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

-- An organisation is that of a system, so a customer has another one when this has.
configuration as (
    select coalesce({{ sum_of_hashes(['organisation_id', 'source_system']) }}, 0) as configuration_hash
    from (
        select {{ cell_text('organisation_id') }} as organisation_id, lower({{ cell_text('source_system') }}) as source_system
        from {{ ref('organisations') }}
    ) as organisations
),

inputs as (
    select month_from, lines_fingerprint as input_hash from {{ ref('int_sales_months') }}
    {%- for documents in counted %}
    union all
    {%- set hashed = ["cast('" ~ documents.driver ~ "' as " ~ dbt.type_string() ~ ")"] + documents.hashed %}
    {%- if documents.customer_id is defined %}
    -- Strangers' quantities are nobody's until they are known. The lines of an order are whose the order is.
    select month_from, {{ sum_of_hashes(['documents.row_hash', 'customers.customer_id']) }} as input_hash
    from (
        select {{ month_start(documents.day) }} as month_from, {{ key_hash(hashed) }} as row_hash, {{ documents.customer_id }} as customer_id
        from {{ documents.from }}
    ) as documents
    left join customers
        on documents.customer_id = customers.customer_id
    group by month_from
    {%- else %}
    select {{ month_start(documents.day) }} as month_from, {{ sum_of_hashes(hashed) }} as input_hash
    from {{ documents.from }}
    group by {{ month_start(documents.day) }}
    {%- endif %}
    {%- endfor %}
),

months as (
    select month_from, sum(input_hash) as input_hash
    from inputs
    where month_from is not null
    group by month_from
)

select
    months.month_from,
    cast({{ key_hash([
        'months.input_hash', 'configuration.configuration_hash',
        "cast('" ~ var('code_version') ~ ' ' ~ counted_drivers() | join(' ') ~ "' as " ~ dbt.type_string() ~ ")",
    ]) }} as numeric(38, 0)) as drivers_fingerprint
from months
cross join configuration
