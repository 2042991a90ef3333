-- Every month of costs with a fingerprint of what its shares follow from: the ledger and its pools, the drivers and the charges. Shares are
-- kept from run to run, and a month is shared out again where its fingerprint is another one.
with

configuration as (
    select
        (
            select coalesce({{ sum_of_hashes(['cost_pool_id', 'driver', 'cost_level', 'practical_capacity']) }}, 0) from {{ ref('int_cost_pools') }}
        ) + (
            select coalesce({{ sum_of_hashes(['organisation_id']) }}, 0)
            from (select distinct {{ cell_text('organisation_id') }} as organisation_id from {{ ref('organisations') }}) as organisation_ids
        ) as configuration_hash
),

inputs as (
    select cost_month as month_from, {{ sum_of_hashes(["cast('ledger' as " ~ dbt.type_string() ~ ")", 'cost_pool_id', 'organisation_id', 'cost']) }} as input_hash
    from {{ ref('int_cost_ledger_judged') }}
    where record_status = 'staged'
    group by cost_month
    union all
    select month_from, drivers_fingerprint as input_hash from {{ ref('int_driver_months') }}
    union all
    select
        {{ month_start('charged_on') }} as month_from,
        {{ sum_of_hashes(["cast('charge' as " ~ dbt.type_string() ~ ")", 'charge_type', 'organisation_id', 'customer_id', 'shipment_id', 'cost']) }} as input_hash
    from {{ ref('int_charges_judged') }}
    where record_status = 'staged'
    group by {{ month_start('charged_on') }}
),

months as (
    select month_from, sum(input_hash) as input_hash from inputs group by month_from
)

select
    months.month_from,
    cast({{ key_hash([
        'months.input_hash', 'configuration.configuration_hash', "cast('" ~ var('code_version') ~ "' as " ~ dbt.type_string() ~ ")",
    ]) }} as numeric(38, 0)) as costs_fingerprint
from months
cross join configuration
