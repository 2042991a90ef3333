-- R17: every period with a fingerprint of what its metrics and grades follow from: the activity of its months and whose it is, which
-- organisations record costs and returns, and the metrics in force. Metrics, grades and quadrants are kept from run to run, and a period is
-- worked out again where its fingerprint is another one.
{% set sums = ['net_sales', 'cost', 'gross_margin', 'line_count', 'cost_to_serve', 'settled_net_sales', 'settled_value_days', 'returned_quantity',
    'invoiced_quantity', 'invoiced_months', 'product_count', 'order_count', 'last_invoiced_on'] %}
{%- set activity_columns = ['activity.customer_id'] -%}
{%- for column in sums -%} {%- do activity_columns.append('activity.' ~ column) -%} {%- endfor -%}
with

periods as (
    select * from {{ ref('int_stratification_periods') }}
),

customers as (
    select customer_id, organisation_id, customer_kind, industry from {{ ref('int_customers_identified') }}
),

first_invoices as (
    select member_id as customer_id, min(first_invoiced_on) as first_invoiced_on
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'customer' and is_month
    group by member_id
),

activity_months as (
    select
        activity.activity_month as input_month,
        activity.previous_month,
        {{ sum_of_hashes(activity_columns + ['customers.organisation_id', 'customers.customer_kind', 'customers.industry', 'first_invoices.first_invoiced_on']) }} as input_hash
    from {{ ref('int_customer_activity_summed_to_months') }} as activity
    inner join customers
        on activity.customer_id = customers.customer_id
    left join first_invoices
        on activity.customer_id = first_invoices.customer_id
    group by activity.activity_month, activity.previous_month
),

cost_months as (
    select distinct cost_month as input_month, organisation_id
    from {{ ref('int_costs_allocated') }}
    where unallocated_reason is null or unallocated_reason <> 'unknown_shipment'
),

return_months as (
    select distinct {{ month_start('returns.received_on') }} as input_month, customers.organisation_id
    from {{ ref('int_returns_traced') }} as returns
    inner join customers
        on returns.customer_id = customers.customer_id
),

inputs as (
    select input_month, previous_month, input_hash from activity_months
    {%- for kind in ['cost', 'return'] %}
    union all
    select
        input_month,
        cast(null as date) as previous_month,
        {{ sum_of_hashes(["cast('" ~ kind ~ "' as " ~ dbt.type_string() ~ ")", 'input_month', 'organisation_id']) }} as input_hash
    from {{ kind }}_months
    group by input_month
    {%- endfor %}
),

metrics as (
    select coalesce({{ sum_of_hashes(['metric', 'dimension', 'weight_units', 'grading', 'higher_is_better', 'limit_a', 'limit_b', 'limit_c']) }}, 0) as metrics_hash
    from {{ ref('int_stratification_metrics') }}
    where is_in_force
),

period_inputs as (
    select periods.period_to, sum(inputs.input_hash) as input_hash
    from periods
    inner join inputs
        on inputs.input_month between periods.period_from and periods.period_to
        and (inputs.previous_month is null or periods.period_from > inputs.previous_month)
    group by periods.period_to
)

select
    periods.period_from,
    periods.period_to,
    cast({{ key_hash([
        'periods.period_from', 'period_inputs.input_hash', 'metrics.metrics_hash',
        "cast('" ~ var('stratification_imputation') ~ ' ' ~ var('code_version') ~ "' as " ~ dbt.type_string() ~ ")",
    ]) }} as numeric(38, 0)) as input_fingerprint
from periods
cross join metrics
left join period_inputs
    on periods.period_to = period_inputs.period_to
