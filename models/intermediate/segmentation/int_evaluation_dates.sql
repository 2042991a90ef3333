-- R11: the day the tiers are computed for. Without an explicit one, the latest accepted invoice date, never later than
-- the day of the run; without any invoice, that day. hierarchy_date is the last day on or before it on which a hierarchy override began or had just
-- ended, so that dates with the same parents share one roll-up.
-- depends_on: {{ ref('int_configuration_gate') }}
{% set as_of_date = var('as_of_date', none) %}
with

as_of_dates as (
    {% if as_of_date is not none -%}
    select cast('{{ as_of_date }}' as date) as evaluation_date
    {%- else -%}
    select least(max(invoice_date), cast('{{ run_date() }}' as date)) as evaluation_date
    from {{ ref('int_invoices_judged') }}
    where record_status = 'staged'
    {%- endif %}
),

hierarchy_changes as (
    select {{ parse_cell('valid_from', 'date', true) }} as changed_on from {{ ref('hierarchy_overrides') }}
    union
    select {{ add_days(parse_cell('valid_to', 'date', true), 1) }} as changed_on from {{ ref('hierarchy_overrides') }}
)

select
    as_of_dates.evaluation_date,
    true as is_as_of,
    coalesce(max(hierarchy_changes.changed_on), cast('1900-01-01' as date)) as hierarchy_date
from as_of_dates
left join hierarchy_changes
    on as_of_dates.evaluation_date >= hierarchy_changes.changed_on
group by as_of_dates.evaluation_date
