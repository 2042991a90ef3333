-- R17: the grade of every known metric in force, by period and customer, as points: A = 4 to D = 1. Absolute limits are included;
-- shares and quartiles look at what is strictly better (R1, R3), so equal values share a grade and whoever crosses a cut keeps the
-- better one. Nothing is rounded: limits are multiplied out, and what is ordered is compared digit by digit (R4). Excluded customers
-- are graded by nobody's measure. With stratification_imputation, a missing grade is that of the median peer: same industry and
-- order of magnitude of net sales, at least three of them known; of two in the middle the worse, so that nobody gains by it. Kept from run to run by period.
{{ keep_months('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
{% set metrics = stratification_metrics() %}
{% set imputation = var('stratification_imputation') %}
with

months_due as (
    {{ months_due('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
),

metrics_in_force as (
    select * from {{ ref('int_stratification_metrics') }} where is_in_force
),

measured as (
    select * from {{ ref('int_customer_metrics_measured') }} where not is_excluded and {{ is_month_due('period_to') }}
),

fractions as (
    {%- for metric, definition in metrics.items() %}
    select
        period_to,
        customer_id,
        '{{ metric }}' as metric,
        cast({{ definition.numerator }} as numeric(24, 4)) as numerator,
        -- Wide enough to be multiplied by a limit.
        cast({{ definition.denominator | default('1') }} as numeric(20, 4)) as denominator
    from measured
    where {{ definition.numerator }} is not null
        {%- if definition.denominator is defined %}
        and {{ definition.denominator }} > 0
        {%- endif %}
        and '{{ metric }}' in (select metrics_in_force.metric from metrics_in_force)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

values_known as (
    select
        fractions.*,
        metrics.grading,
        metrics.higher_is_better,
        metrics.limit_a,
        metrics.limit_b,
        metrics.limit_c
    from fractions
    inner join metrics_in_force as metrics
        on fractions.metric = metrics.metric
),

graded_by_limits as (
    select
        period_to,
        customer_id,
        metric,
        case
            {%- for limit, points in [('limit_a', 4), ('limit_b', 3), ('limit_c', 2)] %}
            when higher_is_better and numerator >= {{ limit }} * denominator then {{ points }}
            when not higher_is_better and numerator <= {{ limit }} * denominator then {{ points }}
            {%- endfor %}
            else 1
        end as points
    from values_known
    where grading = 'absolute'
),

shares_placed as (
    select
        *,
        sum(numerator) over (
            partition by period_to, metric order by numerator desc nulls last range between unbounded preceding and current row
        ) - numerator * count(*) over (
            partition by period_to, metric, numerator rows between unbounded preceding and unbounded following
        ) as amount_before,
        sum(numerator) over (partition by period_to, metric rows between unbounded preceding and unbounded following) as total_amount
    from values_known
    where grading = 'share' and numerator > 0
),

-- Who holds the most of what is bad has the worst grade; who holds none of it the best.
graded_by_share as (
    select
        period_to,
        customer_id,
        metric,
        case
            {%- for limit, points in [('limit_a', 4), ('limit_b', 3), ('limit_c', 2)] %}
            when amount_before < {{ limit }} * total_amount then case when higher_is_better then {{ points }} else {{ 5 - points }} end
            {%- endfor %}
            when higher_is_better then 1
            else 4
        end as points
    from shares_placed
    union all
    select
        period_to,
        customer_id,
        metric,
        case when higher_is_better then 1 else 4 end as points
    from values_known
    where grading = 'share' and numerator <= 0
),

-- A fraction as its whole part and twice twelve decimals: amounts of up to ten billion differ within them.
heads_scaled as (
    select
        *,
        case when higher_is_better then 1 else -1 end * {{ to_ten_thousandths('numerator') }} as dividend,
        {{ to_ten_thousandths('denominator') }} as divisor
    from values_known
    where grading = 'quartile'
),

heads_divided as (
    select *, cast({{ integer_divide('dividend', 'divisor') }} as numeric(24, 0)) as whole_part
    from heads_scaled
),

heads_divided_further as (
    select
        *,
        cast({{ integer_divide('(dividend - whole_part * divisor) * 1000000000000', 'divisor') }} as numeric(13, 0)) as decimals
    from heads_divided
),

heads_divided_to_the_end as (
    select
        *,
        cast({{ integer_divide(
            '((dividend - whole_part * divisor) * 1000000000000 - decimals * divisor) * 1000000000000', 'divisor'
        ) }} as numeric(13, 0)) as further_decimals
    from heads_divided_further
),

heads_placed as (
    select
        *,
        rank() over (
            partition by period_to, metric order by whole_part desc nulls last, decimals desc nulls last, further_decimals desc nulls last
        ) - 1 as count_before,
        count(*) over (partition by period_to, metric rows between unbounded preceding and unbounded following) as total_count
    from heads_divided_to_the_end
),

graded_by_heads as (
    select
        period_to,
        customer_id,
        metric,
        case
            {%- for limit, points in [('limit_a', 4), ('limit_b', 3), ('limit_c', 2)] %}
            when count_before < {{ limit }} * total_count then {{ points }}
            {%- endfor %}
            else 1
        end as points
    from heads_placed
),

grades_known as (
    select period_to, customer_id, metric, points, false as is_imputed from graded_by_limits
    union all
    select period_to, customer_id, metric, points, false as is_imputed from graded_by_share
    union all
    select period_to, customer_id, metric, points, false as is_imputed from graded_by_heads
),
{%- if imputation %}

peers as (
    select
        measured.period_to,
        measured.customer_id,
        customers.industry,
        case
            {%- for magnitude in [10000000, 1000000, 100000, 10000, 1000, 0] %}
            when measured.net_sales >= {{ magnitude }} then {{ loop.revindex }}
            {%- endfor %}
        end as size_class
    from measured
    inner join {{ ref('int_customers_identified') }} as customers
        on measured.customer_id = customers.customer_id
    where customers.industry is not null and measured.net_sales >= 0
),

peer_grades_counted as (
    select peers.period_to, peers.industry, peers.size_class, grades_known.metric, grades_known.points, count(*) as peer_count
    from grades_known
    inner join peers
        on grades_known.period_to = peers.period_to
        and grades_known.customer_id = peers.customer_id
    group by peers.period_to, peers.industry, peers.size_class, grades_known.metric, grades_known.points
),

peer_grades_added as (
    select
        *,
        sum(peer_count) over (
            partition by period_to, industry, size_class, metric order by points asc rows between unbounded preceding and current row
        ) as count_through,
        sum(peer_count) over (
            partition by period_to, industry, size_class, metric rows between unbounded preceding and unbounded following
        ) as total_count
    from peer_grades_counted
),

peer_medians as (
    select period_to, industry, size_class, metric, min(points) as points
    from peer_grades_added
    where count_through * 2 >= total_count and total_count >= 3
    group by period_to, industry, size_class, metric
),

grades_imputed as (
    select peers.period_to, peers.customer_id, peer_medians.metric, peer_medians.points, true as is_imputed
    from peers
    inner join peer_medians
        on peers.period_to = peer_medians.period_to
        and peers.industry = peer_medians.industry
        and peers.size_class = peer_medians.size_class
    left join grades_known
        on peers.period_to = grades_known.period_to
        and peers.customer_id = grades_known.customer_id
        and peer_medians.metric = grades_known.metric
    where grades_known.customer_id is null
),
{%- endif %}

grades as (
    select * from grades_known
    {%- if imputation %}
    union all
    select * from grades_imputed
    {%- endif %}
)

select
    grades.period_to,
    grades.customer_id,
    metrics.dimension,
    grades.metric,
    cast(grades.points as integer) as points,
    metrics.weight_units,
    grades.is_imputed,
    months_due.input_fingerprint
from grades
inner join metrics_in_force as metrics
    on grades.metric = metrics.metric
left join months_due
    on grades.period_to = months_due.month_from
