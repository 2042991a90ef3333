-- The profit of a customer line by line, for a waterfall: net sales, cost of goods, one line per activity, and what remains.
-- Signed, so that the lines that are no subtotal add up to net profit.
with

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

activity_costs as (
    select
        allocations.customer_id,
        allocations.cost_method,
        allocations.activity,
        cast(sum(allocations.amount) as numeric(18, 2)) as amount
    from {{ ref('fct_cost_allocations') }} as allocations
    inner join {{ ref('int_profit_periods') }} as periods
        on allocations.cost_month between periods.period_from and periods.period_to
    where allocations.customer_id is not null
    group by allocations.customer_id, allocations.cost_method, allocations.activity
),

profit_lines as (
    select customer_id, 1 as line_number, 'net_sales' as line, cast(null as {{ dbt.type_string() }}) as activity, false as is_subtotal, net_sales as amount
    from customers
    union all
    select customer_id, 2 as line_number, 'cost' as line, cast(null as {{ dbt.type_string() }}) as activity, false as is_subtotal, -cost as amount
    from customers
    union all
    select customer_id, 3 as line_number, 'net_sales_of_unknown_cost' as line, cast(null as {{ dbt.type_string() }}) as activity, false as is_subtotal, -net_sales_of_unknown_cost as amount
    from customers
    where net_sales_of_unknown_cost <> 0
    union all
    select customer_id, 4 as line_number, 'gross_margin' as line, cast(null as {{ dbt.type_string() }}) as activity, true as is_subtotal, gross_margin as amount
    from customers
    union all
    select
        customer_id,
        case when cost_method = 'traced' then 5 else 6 end as line_number,
        case when cost_method = 'traced' then 'direct_charges' else 'allocated_cost' end as line,
        activity,
        false as is_subtotal,
        -amount as amount
    from activity_costs
    union all
    select customer_id, 7 as line_number, 'net_profit' as line, cast(null as {{ dbt.type_string() }}) as activity, true as is_subtotal, net_profit as amount
    from customers
)

select
    customer_id,
    cast(line_number as integer) as line_number,
    line,
    activity,
    is_subtotal,
    amount
from profit_lines
