-- R11, R18: the days the tiers are computed for. The as-of date is explicit, else the latest accepted invoice date, never
-- later than the day of the run; without any invoice, that day. Beside it stand the month-ends since the first accepted
-- document: a stray date of decades ago adds no more than 120. hierarchy_date is the last day on or before an evaluation on
-- which a hierarchy override began or had just ended, so that dates with the same parents share one roll-up.
-- depends_on: {{ ref('int_configuration_gate') }}
{% set as_of_date = var('as_of_date', none) %}
{% set first_month_end = var('first_month_end', none) %}
with

documents as (
    select min(invoice_date) as first_document_on, max(invoice_date) as last_document_on
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged'
),

as_of_dates as (
    select
        {% if as_of_date is not none %}cast('{{ as_of_date }}' as date){% else %}least(last_document_on, cast('{{ run_date() }}' as date)){% endif %} as as_of_date,
        {% if first_month_end is not none %}cast('{{ first_month_end }}' as date){% else %}first_document_on{% endif %} as first_date
    from documents
),

months_counted as (
    {{ dbt.generate_series(120) }}
),

month_ends as (
    select {{ month_end(add_months(add_days(month_start(add_days('as_of_dates.as_of_date', 1)), -1), '1 - cast(months_counted.generated_number as integer)')) }} as month_end, as_of_dates.first_date
    from as_of_dates
    cross join months_counted
),

evaluation_dates as (
    select as_of_date as evaluation_date from as_of_dates
    union
    select month_end as evaluation_date from month_ends where month_end >= first_date
),

hierarchy_changes as (
    select {{ parse_cell('valid_from', 'date', true) }} as changed_on from {{ ref('hierarchy_overrides') }}
    union
    select {{ add_days(parse_cell('valid_to', 'date', true), 1) }} as changed_on from {{ ref('hierarchy_overrides') }}
)

select
    evaluation_dates.evaluation_date,
    evaluation_dates.evaluation_date = as_of_dates.as_of_date as is_as_of,
    evaluation_dates.evaluation_date = {{ month_end('evaluation_dates.evaluation_date') }} as is_month_end,
    coalesce(max(hierarchy_changes.changed_on), cast('1900-01-01' as date)) as hierarchy_date
from evaluation_dates
cross join as_of_dates
left join hierarchy_changes
    on evaluation_dates.evaluation_date >= hierarchy_changes.changed_on
group by evaluation_dates.evaluation_date, as_of_dates.as_of_date
