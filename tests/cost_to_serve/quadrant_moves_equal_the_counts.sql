-- Guards R17: the margins of the migration are the quadrants of the month-ends, and the last month-end is what the customers' own mart says.
with

counts as (
    select month_end, quadrant, count(*) as customer_count
    from {{ ref('fct_customer_stratification_monthly') }}
    group by month_end, quadrant
),

moves as (
    select * from {{ ref('fct_stratification_migration') }}
),

months as (
    select distinct month_end, previous_month_end from moves
),

expected as (
    select 'from' as side, months.month_end, counts.quadrant, counts.customer_count
    from months
    inner join counts
        on months.previous_month_end = counts.month_end
    union all
    select 'to' as side, months.month_end, counts.quadrant, counts.customer_count
    from months
    inner join counts
        on months.month_end = counts.month_end
    union all
    -- Who is silent is unknown in the one, or excluded, and has no row in the other.
    select 'last' as side, counts.month_end, counts.quadrant, counts.customer_count
    from counts
    inner join {{ ref('int_profit_periods') }} as periods
        on counts.month_end = periods.period_to
    where counts.quadrant not in ('unknown', 'excluded')
),

found as (
    {% for side in ['from', 'to'] -%}
    select '{{ side }}' as side, month_end, {{ side }}_quadrant as quadrant, sum(customer_count) as customer_count
    from moves
    where {{ side }}_quadrant <> '(inactive)'
    group by month_end, {{ side }}_quadrant
    union all
    {% endfor -%}
    select 'last' as side, period_to as month_end, quadrant, count(*) as customer_count
    from {{ ref('fct_customer_stratification') }}
    where quadrant not in ('unknown', 'excluded')
    group by period_to, quadrant
)

select
    coalesce(expected.side, found.side) as side,
    coalesce(expected.month_end, found.month_end) as month_end,
    coalesce(expected.quadrant, found.quadrant) as quadrant,
    coalesce(expected.customer_count, 0) as expected_count,
    coalesce(found.customer_count, 0) as found_count
from expected
full outer join found
    on expected.side = found.side
    and expected.month_end = found.month_end
    and expected.quadrant = found.quadrant
where coalesce(expected.customer_count, 0) <> coalesce(found.customer_count, 0)
