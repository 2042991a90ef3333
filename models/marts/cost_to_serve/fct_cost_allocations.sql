-- A view: int_costs_allocated has already written every share once.
with

costs as (
    select * from {{ ref('int_costs_allocated') }}
),

pools as (
    select cost_pool_id, name, activity from {{ ref('int_cost_pools') }}
)

select
    costs.cost_pool_id,
    coalesce(pools.name, costs.cost_pool_id) as cost_pool_name,
    coalesce(pools.activity, case when costs.cost_method = 'traced' then substring(costs.cost_pool_id, 8) else 'unknown' end) as activity,
    costs.cost_method,
    costs.cost_month,
    costs.organisation_id,
    costs.customer_id,
    costs.unallocated_reason,
    costs.driver,
    costs.driver_quantity,
    costs.driver_volume,
    costs.pool_cost as pool_amount,
    costs.cost as amount
from costs
left join pools
    on costs.cost_pool_id = pools.cost_pool_id
    and costs.cost_method = 'allocated'
