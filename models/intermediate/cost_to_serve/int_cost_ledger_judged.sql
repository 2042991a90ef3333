-- R13, R15: one row per landed row of the cost ledger, with the last word on it and its amount in cents of the reporting
-- currency, at the rate of the last day of its month. A missing rate quarantines it: never 1.0.
{% set currency = 'upper(ledger.currency)' %}
{% set reporting = currency ~ " = '" ~ var('reporting_currency') ~ "'" %}
with

ledger as (
    select * from {{ ref('stg_erp__cost_ledger') }}
),

documents as (
    select distinct source_system, upper(currency) as currency, {{ month_end('ledger_month') }} as document_date
    from ledger
    where record_status = 'staged' and upper(currency) <> '{{ var("reporting_currency") }}'
),

{{ rates_on_dates('documents', var('reporting_currency')) }},

ledger_converted as (
    select
        ledger.*,
        {{ in_reporting_currency('ledger.amount', 'rates_on_dates.rate', 'rates_on_dates.is_inverse', reporting) }} as cost,
        ledger.record_status = 'staged' and not {{ reporting }} and rates_on_dates.rate is null as is_rate_missing
    from ledger
    left join rates_on_dates
        on ledger.source_system = rates_on_dates.source_system
        and {{ currency }} = rates_on_dates.currency
        and {{ month_end('ledger.ledger_month') }} = rates_on_dates.document_date
)

select
    source_system,
    cost_pool_id,
    {{ month_start('ledger_month') }} as cost_month,
    organisation_id,
    amount,
    currency,
    cost,
    loaded_at,
    case when is_rate_missing then 'quarantined' else record_status end as record_status,
    case when is_rate_missing then 'exchange_rate_missing' else quarantine_rule end as quarantine_rule,
    case
        when is_rate_missing
            then 'no rate between ' || upper(currency) || ' and {{ var("reporting_currency") }} on or before '
                || {{ iso_date(month_end('ledger_month')) }}
        else quarantine_detail
    end as quarantine_detail,
    case when is_rate_missing then {{ record_key_text(['cost_pool_id', 'ledger_month', 'organisation_id']) }} else record_key end as record_key,
    case
        when is_rate_missing
            then {{ record_text(['source_system', 'cost_pool_id', 'ledger_month', 'organisation_id', 'amount', 'currency', 'loaded_at']) }}
        else raw_record
    end as raw_record
from ledger_converted
