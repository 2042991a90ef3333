-- R13, R15: one row per landed charge of the 3PL, with the last word on it, its cost in cents of the reporting currency
-- at the rate of the day it was charged, and the customer its shipment is traced to. Kept from run to run: what goes out before the insert is
-- drop_records_due's and drop_charges_of_other_shipments'.
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', pre_hook=[
    "{{ drop_records_due(source('tpl', 'charges'), columns_landed(charge_columns()), ['source_system', 'charge_id'], kept_key='key_hash') }}",
    "{{ drop_charges_of_other_shipments() }}",
]) }}
{% set currency = 'upper(charges.currency)' %}
{% set reporting = currency ~ " = '" ~ var('reporting_currency') ~ "'" %}
{% set staged_charges = ref('stg_tpl__charges') %}
with

charges_staged as (
    {% if is_incremental() -%}
    {{ stage_charges(kept_key='key_hash') }}
    {%- else -%}
    select * from {{ staged_charges }}
    {%- endif %}
),

charges as (
    select
        *,
        {{ global_id('source_system', 'shipment_id') }} as global_shipment_id,
        {{ key_hash(['source_system', 'charge_id']) }} as key_hash
    from charges_staged
),

shipments as (
    select shipment_id, order_id, customer_id, organisation_id, {{ shipment_hash() }} as shipment_hash from {{ ref('int_shipments_traced') }}
),

documents as (
    select distinct source_system, upper(currency) as currency, charged_on as document_date
    from charges
    where record_status = 'staged' and upper(currency) <> '{{ var("reporting_currency") }}'
),

{{ rates_on_dates('documents', var('reporting_currency')) }},

charges_converted as (
    select
        charges.*,
        shipments.shipment_id as traced_shipment_id,
        shipments.order_id,
        shipments.customer_id,
        shipments.organisation_id,
        shipments.shipment_hash,
        -- Rates were looked for on the days of what is staged.
        case when charges.record_status = 'staged' then rates_on_dates.rate end as rate,
        coalesce(charges.record_status = 'staged' and rates_on_dates.is_inverse, false) as is_inverse_rate,
        case
            when charges.record_status = 'staged'
                then {{ in_reporting_currency('charges.amount', 'rates_on_dates.rate', 'rates_on_dates.is_inverse', reporting) }}
        end as cost,
        charges.record_status = 'staged' and not {{ reporting }} and rates_on_dates.rate is null as is_rate_missing
    from charges
    left join rates_on_dates
        on charges.source_system = rates_on_dates.source_system
        and {{ currency }} = rates_on_dates.currency
        and charges.charged_on = rates_on_dates.document_date
    left join shipments
        on charges.global_shipment_id = shipments.shipment_id
)

select
    source_system,
    {{ global_id('source_system', 'charge_id') }} as charge_id,
    traced_shipment_id as shipment_id,
    case when traced_shipment_id is null then global_shipment_id end as landed_shipment_id,
    order_id,
    customer_id,
    organisation_id,
    coalesce(lower(charge_type), 'other') as charge_type,
    charged_on,
    amount,
    currency,
    cost,
    loaded_at,
    case when is_rate_missing then 'quarantined' else record_status end as record_status,
    case when is_rate_missing then 'exchange_rate_missing' else quarantine_rule end as quarantine_rule,
    case
        when is_rate_missing
            then 'no rate between ' || upper(currency) || ' and {{ var("reporting_currency") }} on or before ' || {{ iso_date('charged_on') }}
        else quarantine_detail
    end as quarantine_detail,
    case when is_rate_missing then {{ record_key_text(['charge_id']) }} else record_key end as record_key,
    case
        when is_rate_missing
            then {{ record_text(['source_system', 'charge_id', 'shipment_id', 'charge_type', 'amount', 'currency', 'charged_on', 'loaded_at']) }}
        else raw_record
    end as raw_record,
    rate,
    is_inverse_rate,
    key_hash,
    record_hash,
    shipment_hash
from charges_converted
