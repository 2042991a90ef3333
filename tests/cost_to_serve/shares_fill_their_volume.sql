-- Guards R15: what everybody used of a driver, with what nobody is charged for, is the volume that a pool was shared by; nobody
-- stands for the same units twice, and no share goes against its pool.
select
    cost_pool_id,
    cost_month,
    organisation_id,
    min(driver_volume) as driver_volume,
    sum(driver_quantity) as quantity_shared
from {{ ref('fct_cost_allocations') }}
where driver_volume is not null
group by cost_pool_id, cost_month, organisation_id
having min(driver_volume) <> max(driver_volume)
    or min(driver_volume) <> sum(driver_quantity)
    or min(pool_amount) <> max(pool_amount)
    or min(pool_amount * amount) < 0
    or min(driver_quantity) < 0
