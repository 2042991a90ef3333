-- R12, basis contract: the contracts in force at the end of the window of a type that ranks by them, and what each brings: its
-- committed annual amount in cents of the reporting currency at the rate of that day, for the months of the window.
{% set reporting = "contracts.currency = '" ~ var('reporting_currency') ~ "'" %}
with

evaluations as (
    select
        windows.segment_type_id,
        windows.evaluation_date,
        windows.window_to,
        case when segment_types.{{ adapter.quote('interval') }} = 'fixed_year' then 12 else segment_types.timespan_months end as months
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_segment_types') }} as segment_types
        on windows.segment_type_id = segment_types.segment_type_id
    where segment_types.metric_basis = 'contract'
),

contracts as (
    select
        source_system,
        {{ global_id('source_system', 'contract_id') }} as contract_id,
        {{ global_id('source_system', 'customer_id') }} as customer_id,
        valid_from,
        valid_to,
        upper(currency) as currency,
        committed_annual_amount
    from {{ ref('stg_erp__contracts') }}
    where record_status = 'staged'
),

contracts_in_force as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        evaluations.window_to,
        evaluations.months,
        contracts.source_system,
        contracts.contract_id,
        contracts.customer_id,
        contracts.currency,
        contracts.committed_annual_amount
    from evaluations
    inner join contracts
        on (contracts.valid_from is null or evaluations.window_to >= contracts.valid_from)
        and (contracts.valid_to is null or evaluations.window_to <= contracts.valid_to)
),

documents as (
    select distinct source_system, currency, window_to as document_date
    from contracts_in_force
    where currency <> '{{ var("reporting_currency") }}'
),

{{ rates_on_dates('documents', var('reporting_currency')) }},

contracts_converted as (
    select
        contracts.*,
        {{ in_reporting_currency('contracts.committed_annual_amount', 'rates_on_dates.rate', 'rates_on_dates.is_inverse', reporting) }} as annual_amount
    from contracts_in_force as contracts
    left join rates_on_dates
        on contracts.source_system = rates_on_dates.source_system
        and contracts.currency = rates_on_dates.currency
        and contracts.window_to = rates_on_dates.document_date
)

select
    segment_type_id,
    evaluation_date,
    contract_id,
    customer_id,
    currency,
    committed_annual_amount,
    annual_amount,
    cast(cast({{ divide_half_up('cast(annual_amount * 100 as numeric(20, 0)) * months', '12') }} as numeric(18, 0)) * 0.01 as numeric(18, 2)) as amount
from contracts_converted
