-- R13: the rate of each foreign currency on each document date.
with

documents as (
    select distinct source_system, upper(currency) as currency, invoice_date as document_date
    from {{ ref('stg_erp__invoices') }}
    where record_status = 'staged' and upper(currency) <> '{{ var("reporting_currency") }}'
),

{{ rates_on_dates('documents', var('reporting_currency')) }}

select source_system, currency, document_date, rate, is_inverse, rate_date
from rates_on_dates
