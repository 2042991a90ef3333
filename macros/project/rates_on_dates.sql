{# CTEs that find the rate of a currency on a date (R13), the latest on or before it: direct, else inverse; rates of the
   document's own source first, else of any other. No triangulation; a pair that is not in the last CTE, rates_on_dates, has no rate.
   `documents` is a CTE of source_system, currency (upper case, not the reporting one) and document_date. #}
{% macro rates_on_dates(documents, reporting_currency) -%}
rates as (
    select
        source_system,
        rate_date,
        case when upper(to_currency) = '{{ reporting_currency }}' then upper(from_currency) else upper(to_currency) end as currency,
        upper(from_currency) = '{{ reporting_currency }}' as is_inverse,
        rate
    from {{ ref('stg_erp__exchange_rates') }}
    where record_status = 'staged'
        and (upper(to_currency) = '{{ reporting_currency }}' or upper(from_currency) = '{{ reporting_currency }}')
),

rate_periods as (
    select
        *,
        lead(rate_date, 1, cast('9999-12-31' as date)) over (
            partition by source_system, currency, is_inverse order by rate_date asc, rate asc
        ) as next_rate_date
    from rates
),

candidates as (
    select
        documents.source_system,
        documents.currency,
        documents.document_date,
        rate_periods.rate,
        rate_periods.is_inverse,
        rate_periods.rate_date,
        row_number() over (
            partition by documents.source_system, documents.currency, documents.document_date
            order by
                case when rate_periods.source_system = documents.source_system then 0 else 1 end asc,
                case when rate_periods.is_inverse then 1 else 0 end asc,
                rate_periods.rate_date desc,
                rate_periods.source_system asc,
                rate_periods.rate asc
        ) as preference
    from {{ documents }} as documents
    inner join rate_periods
        on documents.currency = rate_periods.currency
        and documents.document_date >= rate_periods.rate_date
        and documents.document_date < rate_periods.next_rate_date
),

rates_on_dates as (
    select source_system, currency, document_date, rate, is_inverse, rate_date
    from candidates
    where preference = 1
)
{%- endmacro %}
