-- Costs that reached nobody for a reason somebody can mend, and quantities that were not used as they landed (R15). Unused capacity
-- and pools of the organisation are results and no findings.
with

costs as (
    select * from {{ ref('int_costs_allocated') }}
),

pools as (
    select cost_pool_id, practical_capacity from {{ ref('int_cost_pools') }}
),

ignored_quantities as (
    select driver, {{ month_start('driver_month') }} as driver_month, count(*) as record_count
    from {{ ref('stg_erp__driver_quantities') }}
    where record_status = 'staged' and driver in ('none', '{{ counted_drivers() | join("', '") }}')
    group by driver, {{ month_start('driver_month') }}
),

problems as (
    select
        unallocated_reason as problem,
        cost_pool_id as subject,
        cost_month,
        organisation_id,
        cast(sum(cost) as numeric(18, 2)) as amount
    from costs
    where unallocated_reason not in ('organisation_level', 'unused_capacity')
    group by unallocated_reason, cost_pool_id, cost_month, organisation_id
    union all
    select distinct
        'over_capacity' as problem,
        costs.cost_pool_id as subject,
        costs.cost_month,
        costs.organisation_id,
        costs.pool_cost as amount
    from costs
    inner join pools
        on costs.cost_pool_id = pools.cost_pool_id
    where costs.driver_volume > pools.practical_capacity
    union all
    select
        'driver_counted_from_facts' as problem,
        driver as subject,
        driver_month as cost_month,
        cast(null as {{ dbt.type_string() }}) as organisation_id,
        cast(0 as numeric(18, 2)) as amount
    from ignored_quantities
),

found as (
    select
        problem || ':' || subject || ':' || {{ iso_date('cost_month') }} || coalesce(':' || organisation_id, '') as finding_id,
        problem,
        subject,
        cost_month,
        organisation_id,
        amount
    from problems
)

select * from found
where {{ is_open_finding('findings_costs') }}
