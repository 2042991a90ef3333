-- R17: the dimensions of every customer and period as sums of weighted points, how much of their weight is known, and the quadrant that
-- follows. A dimension's score is points / weight, an axis the mean of two; both are compared by multiplication (R4). Kept from run
-- to run by period.
{{ keep_months('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
{% set dimensions = stratification_options().dimension %}
with

months_due as (
    {{ months_due('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
),

totals as (
    select
        {%- for dimension in dimensions %}
        coalesce(sum(case when dimension = '{{ dimension }}' then weight_units end), 0) as {{ dimension }}_total_weight,
        {%- endfor %}
        count(*) as metric_count
    from {{ ref('int_stratification_metrics') }}
    where is_in_force
),

measured as (
    select period_to, customer_id, is_excluded from {{ ref('int_customer_metrics_measured') }} where {{ is_month_due('period_to') }}
),

dimensions_summed as (
    select
        period_to,
        customer_id,
        {%- for dimension in dimensions %}
        sum(case when dimension = '{{ dimension }}' then points * weight_units else 0 end) as {{ dimension }}_points,
        sum(case when dimension = '{{ dimension }}' then weight_units else 0 end) as {{ dimension }}_weight,
        sum(case when dimension = '{{ dimension }}' and not is_imputed then weight_units else 0 end) as {{ dimension }}_known_weight,
        {%- endfor %}
        count(case when is_imputed then 1 end) as imputed_count
    from {{ ref('int_customer_metrics_graded') }}
    where {{ is_month_due('period_to') }}
    group by period_to, customer_id
),

customers_completed as (
    select
        measured.period_to,
        measured.customer_id,
        measured.is_excluded,
        {%- for dimension in dimensions %}
        {%- for part in ['points', 'weight', 'known_weight'] %}
        cast(coalesce(summed.{{ dimension }}_{{ part }}, 0) as numeric(12, 0)) as {{ dimension }}_{{ part }},
        {%- endfor %}
        cast(totals.{{ dimension }}_total_weight as numeric(12, 0)) as {{ dimension }}_total_weight,
        {%- endfor %}
        coalesce(summed.imputed_count, 0) as imputed_count
    from measured
    cross join totals
    left join dimensions_summed as summed
        on measured.period_to = summed.period_to
        and measured.customer_id = summed.customer_id
)

select
    customers_completed.*,
    -- Under half of the weight of some dimension is known.
    {%- for dimension in dimensions %}
    {{ 'or ' if not loop.first }}2 * {{ dimension }}_known_weight < {{ dimension }}_total_weight or {{ dimension }}_known_weight = 0
    {%- endfor %} as has_low_coverage,
    case when is_excluded then 'excluded' else {{ quadrant_of() }} end as quadrant,
    months_due.input_fingerprint
from customers_completed
left join months_due
    on customers_completed.period_to = months_due.month_from
