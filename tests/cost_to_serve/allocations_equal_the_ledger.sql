-- Guards R15: allocated and unallocated are the ledger, traced and untraced are the charges, to the cent, for every pool, month and
-- organisation. A side that is missing is a difference, also where the other one is nothing.
with

ledger as (
    select 'allocated' as cost_method, cost_pool_id, cost_month, organisation_id, sum(cost) as amount
    from {{ ref('int_cost_ledger_judged') }}
    where record_status = 'staged'
    group by cost_pool_id, cost_month, organisation_id
    union all
    select
        'traced' as cost_method,
        'direct_' || charge_type as cost_pool_id,
        {{ month_start('charged_on') }} as cost_month,
        organisation_id,
        sum(cost) as amount
    from {{ ref('int_charges_judged') }}
    where record_status = 'staged'
    group by charge_type, {{ month_start('charged_on') }}, organisation_id
),

allocations as (
    select cost_method, cost_pool_id, cost_month, organisation_id, sum(amount) as amount
    from {{ ref('fct_cost_allocations') }}
    group by cost_method, cost_pool_id, cost_month, organisation_id
)

select
    coalesce(ledger.cost_method, allocations.cost_method) as cost_method,
    coalesce(ledger.cost_pool_id, allocations.cost_pool_id) as cost_pool_id,
    coalesce(ledger.cost_month, allocations.cost_month) as cost_month,
    coalesce(ledger.organisation_id, allocations.organisation_id) as organisation_id,
    ledger.amount as ledger_amount,
    allocations.amount as allocated_amount
from ledger
full outer join allocations
    on ledger.cost_method = allocations.cost_method
    and ledger.cost_pool_id = allocations.cost_pool_id
    and ledger.cost_month = allocations.cost_month
    and coalesce(ledger.organisation_id, '') = coalesce(allocations.organisation_id, '')
where ledger.cost_pool_id is null
    or allocations.cost_pool_id is null
    or ledger.amount <> allocations.amount
