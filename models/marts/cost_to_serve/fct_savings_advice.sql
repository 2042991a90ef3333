-- What would be freed if a customer ordered once a week at most, or sent half as much back. Costs are taken in proportion: of the
-- pools driven by orders, the part of the orders that would go; of the pools driven by returns and the charges for returns, half.
with

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

periods as (
    select period_from, period_to from {{ ref('int_profit_periods') }}
),

costs as (
    select
        customer_id,
        cast(sum(case when driver = 'orders' then cost else 0 end) as numeric(18, 2)) as order_cost,
        cast(sum(case when driver = 'returns' or cost_pool_id = 'direct_return' then cost else 0 end) as numeric(18, 2)) as return_cost
    from {{ ref('int_customer_costs_summed_to_pools') }}
    group by customer_id
),

-- As the driver counts them: cancelled orders cost work as well. A week begins on Monday, as ISO weeks do.
orders as (
    select
        {{ global_id('orders.source_system', 'orders.customer_id') }} as customer_id,
        count(*) as order_count,
        count(distinct {{ dbt.date_trunc('week', 'orders.order_date') }}) as week_count
    from {{ ref('stg_erp__orders') }} as orders
    inner join periods
        on orders.order_date between periods.period_from and periods.period_to
    where orders.record_status = 'staged'
    group by {{ global_id('orders.source_system', 'orders.customer_id') }}
),

returns_received as (
    select drivers.customer_id, sum(drivers.quantity) as quantity
    from {{ ref('int_cost_drivers_counted') }} as drivers
    inner join periods
        on drivers.driver_month between periods.period_from and periods.period_to
    where drivers.driver = 'returns'
    group by drivers.customer_id
),

advice_computed as (
    select
        costs.customer_id,
        'consolidate_orders' as advice,
        cast(orders.order_count as numeric(18, 4)) as quantity,
        cast(orders.week_count as numeric(18, 4)) as advised_quantity,
        costs.order_cost as affected_cost,
        {{ from_cents(divide_half_up(
            to_cents('costs.order_cost') ~ ' * (orders.order_count - orders.week_count)',
            'orders.order_count'
        )) }} as cost_freed
    from costs
    inner join orders
        on costs.customer_id = orders.customer_id
    union all
    select
        costs.customer_id,
        'halve_returns' as advice,
        cast(coalesce(returns_received.quantity, 0) as numeric(18, 4)) as quantity,
        cast(coalesce(returns_received.quantity, 0) * 0.5 as numeric(18, 4)) as advised_quantity,
        costs.return_cost as affected_cost,
        {{ from_cents(divide_half_up(to_cents('costs.return_cost'), '2')) }} as cost_freed
    from costs
    left join returns_received
        on costs.customer_id = returns_received.customer_id
)

select
    customers.customer_id,
    advice_computed.advice,
    customers.name,
    customers.organisation_id,
    customers.branch_id,
    customers.sales_rep_id,
    customers.default_tier,
    customers.as_of_date,
    customers.period_from,
    customers.period_to,
    advice_computed.quantity,
    advice_computed.advised_quantity,
    customers.cost_to_serve,
    advice_computed.affected_cost,
    advice_computed.cost_freed
from advice_computed
inner join customers
    on advice_computed.customer_id = customers.customer_id
where advice_computed.cost_freed > 0
