-- What each customer cost to serve over the period, by pool: charges and shares. Units of the driver come from the drivers and not from
-- the shares: a pool with a cost of one organisation and one of all of them in a month shares both by the same units.
with

periods as (
    select period_from, period_to from {{ ref('int_profit_periods') }}
),

costs as (
    select
        costs.customer_id,
        costs.cost_pool_id,
        costs.cost_method,
        costs.driver,
        cast(sum(costs.cost) as numeric(18, 2)) as cost
    from {{ ref('int_costs_allocated') }} as costs
    inner join periods
        on costs.cost_month between periods.period_from and periods.period_to
    where costs.customer_id is not null
    group by costs.customer_id, costs.cost_pool_id, costs.cost_method, costs.driver
),

drivers as (
    select
        drivers.customer_id,
        drivers.driver,
        cast(sum(drivers.quantity) as numeric(18, 4)) as quantity
    from {{ ref('int_cost_drivers_counted') }} as drivers
    inner join periods
        on drivers.driver_month between periods.period_from and periods.period_to
    where drivers.customer_id is not null
        and drivers.driver in (select pools.driver from {{ ref('int_cost_pools') }} as pools)
    group by drivers.customer_id, drivers.driver
)

select
    costs.customer_id,
    costs.cost_pool_id,
    costs.cost_method,
    costs.driver,
    drivers.quantity as driver_quantity,
    costs.cost
from costs
left join drivers
    on costs.customer_id = drivers.customer_id
    and costs.driver = drivers.driver
