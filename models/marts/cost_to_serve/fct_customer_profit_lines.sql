-- The profit of a customer line by line, for a waterfall: net sales, cost of goods, one line per activity, and what remains.
-- Signed, so that the lines that are no subtotal add up to net profit.
with

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

activity_costs as (
    select
        costs.customer_id,
        costs.cost_method,
        coalesce(pools.activity, substring(costs.cost_pool_id, 8)) as activity,
        cast(sum(costs.cost) as numeric(18, 2)) as amount
    from {{ ref('int_customer_costs_summed_to_pools') }} as costs
    left join {{ ref('int_cost_pools') }} as pools
        on costs.cost_pool_id = pools.cost_pool_id
        and costs.cost_method = 'allocated'
    group by costs.customer_id, costs.cost_method, coalesce(pools.activity, substring(costs.cost_pool_id, 8))
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
