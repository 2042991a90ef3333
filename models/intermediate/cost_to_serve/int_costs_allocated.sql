-- R15: every cent of the ledger and of the 3PL, on a customer or unallocated with the reason. Charges are traced, pools are shared
-- out by their driver: pool / volume, never a rounded rate. Each share is the whole cents of amount x quantity / volume; the cents
-- left over go to the largest remainders, then the larger quantity, then the id. What nobody can be charged for takes its share
-- like a customer: untraced volume, and what is missing to the practical capacity. Negative pools by their absolute value.
-- Kept from run to run by month.
{{ keep_months('cost_month', 'int_cost_months', 'costs_fingerprint') }}
with

months_due as (
    {{ months_due('cost_month', 'int_cost_months', 'costs_fingerprint') }}
),

pools as (
    select * from {{ ref('int_cost_pools') }}
),

ledger as (
    select cost_pool_id, cost_month, organisation_id, cast(sum(cost) as numeric(18, 2)) as cost
    from {{ ref('int_cost_ledger_judged') }}
    where record_status = 'staged' and {{ is_month_due('cost_month') }}
    group by cost_pool_id, cost_month, organisation_id
),

organisations as (
    select distinct {{ cell_text('organisation_id') }} as organisation_id from {{ ref('organisations') }}
),

drivers as (
    select driver, organisation_id, driver_month, customer_id, quantity
    from {{ ref('int_cost_drivers_counted') }}
    where {{ is_month_due('driver_month') }}
),

-- A number stands for pool, month and organisation where shares are made by the million.
ledger_numbered as (
    select
        ledger.*,
        cast(row_number() over (
            order by ledger.cost_month asc, ledger.cost_pool_id asc, ledger.organisation_id asc nulls last
        ) as integer) as ledger_number,
        pools.driver,
        pools.practical_capacity,
        case
            when pools.cost_pool_id is null then 'unknown_pool'
            when ledger.organisation_id is not null and organisations.organisation_id is null then 'unknown_organisation'
            when pools.cost_level = 'organisation' then 'organisation_level'
        end as unallocated_reason
    from ledger
    left join pools
        on ledger.cost_pool_id = pools.cost_pool_id
    left join organisations
        on ledger.organisation_id = organisations.organisation_id
),

-- A cost without an organisation is one of all of them.
users as (
    select ledger_numbered.ledger_number, drivers.customer_id, sum(drivers.quantity) as quantity
    from ledger_numbered
    inner join drivers
        on ledger_numbered.driver = drivers.driver
        and ledger_numbered.cost_month = drivers.driver_month
        and (ledger_numbered.organisation_id is null or ledger_numbered.organisation_id = drivers.organisation_id)
    where ledger_numbered.unallocated_reason is null
    group by ledger_numbered.ledger_number, drivers.customer_id
),

volumes as (
    select ledger_number, sum(quantity) as volume from users group by ledger_number
),

-- Whole ten-thousandths, as quantities have four decimals: everything from here on is a whole number. More used than there is
-- capacity for is shared by what was used.
amounts as (
    select
        ledger_numbered.ledger_number,
        cast(abs(ledger_numbered.cost) * 100 as numeric(19, 0)) as cents,
        cast(coalesce(volumes.volume, 0) * 10000 as numeric(19, 0)) as volume_units,
        cast(greatest(coalesce(volumes.volume, 0), coalesce(ledger_numbered.practical_capacity, 0)) * 10000 as numeric(19, 0)) as divisor_units
    from ledger_numbered
    left join volumes
        on ledger_numbered.ledger_number = volumes.ledger_number
    where ledger_numbered.unallocated_reason is null
),

claims as (
    select
        users.ledger_number,
        users.customer_id,
        case when users.customer_id is null then 'untraced_volume' end as unallocated_reason,
        {{ to_ten_thousandths('users.quantity') }} as quantity_units
    from users
    union all
    select
        ledger_number,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        case when divisor_units = 0 then 'no_driver_volume' else 'unused_capacity' end as unallocated_reason,
        divisor_units - volume_units as quantity_units
    from amounts
    where divisor_units = 0 or divisor_units > volume_units
),

shares_begun as (
    select
        claims.*,
        amounts.cents,
        amounts.divisor_units,
        case
            when amounts.divisor_units = 0 then amounts.cents
            else cast({{ whole_quotient('amounts.cents * claims.quantity_units', 'amounts.divisor_units') }} as numeric(19, 0))
        end as whole_cents
    from claims
    inner join amounts
        on claims.ledger_number = amounts.ledger_number
),

cents_given as (
    select ledger_number, sum(whole_cents) as whole_cents from shares_begun group by ledger_number
),

remainders as (
    select
        shares_begun.*,
        shares_begun.cents * shares_begun.quantity_units - shares_begun.whole_cents * shares_begun.divisor_units as remainder,
        shares_begun.cents - cents_given.whole_cents as cents_left
    from shares_begun
    inner join cents_given
        on shares_begun.ledger_number = cents_given.ledger_number
),

shares_ranked as (
    select
        *,
        row_number() over (
            partition by ledger_number
            order by remainder desc, quantity_units desc, customer_id asc nulls last, unallocated_reason asc nulls last
        ) as remainder_rank
    from remainders
),

pool_costs as (
    select
        ledger_numbered.cost_pool_id,
        'allocated' as cost_method,
        ledger_numbered.cost_month,
        ledger_numbered.organisation_id,
        shares_ranked.customer_id,
        shares_ranked.unallocated_reason,
        ledger_numbered.driver,
        cast(shares_ranked.quantity_units * 0.0001 as numeric(18, 4)) as driver_quantity,
        cast(shares_ranked.divisor_units * 0.0001 as numeric(18, 4)) as driver_volume,
        ledger_numbered.cost as pool_cost,
        cast(
            (shares_ranked.whole_cents + case when shares_ranked.remainder_rank <= shares_ranked.cents_left then 1 else 0 end)
            * case when ledger_numbered.cost < 0 then -0.01 else 0.01 end as numeric(18, 2)
        ) as cost
    from shares_ranked
    inner join ledger_numbered
        on shares_ranked.ledger_number = ledger_numbered.ledger_number
    union all
    select
        cost_pool_id,
        'allocated' as cost_method,
        cost_month,
        organisation_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        unallocated_reason,
        driver,
        cast(null as numeric(18, 4)) as driver_quantity,
        cast(null as numeric(18, 4)) as driver_volume,
        cost as pool_cost,
        cost
    from ledger_numbered
    where unallocated_reason is not null
),

charges_traced as (
    select
        'direct_' || charge_type as cost_pool_id,
        {{ month_start('charged_on') }} as cost_month,
        organisation_id,
        customer_id,
        case
            when shipment_id is null then 'unknown_shipment'
            when customer_id is null then 'untraced_shipment'
        end as unallocated_reason,
        cost
    from {{ ref('int_charges_judged') }}
    where record_status = 'staged' and {{ is_month_due(month_start('charged_on')) }}
),

charges as (
    select cost_pool_id, cost_month, organisation_id, customer_id, unallocated_reason, cast(sum(cost) as numeric(18, 2)) as cost
    from charges_traced
    group by cost_pool_id, cost_month, organisation_id, customer_id, unallocated_reason
),

costs as (
    select * from pool_costs
    union all
    select
        cost_pool_id,
        'traced' as cost_method,
        cost_month,
        organisation_id,
        customer_id,
        unallocated_reason,
        'charges' as driver,
        cast(null as numeric(18, 4)) as driver_quantity,
        cast(null as numeric(18, 4)) as driver_volume,
        cost as pool_cost,
        cost
    from charges
)

select costs.*, months_due.input_fingerprint
from costs
left join months_due
    on costs.cost_month = months_due.month_from
