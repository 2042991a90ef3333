-- Contracts in force that a type which ranks by contracts could not count, as of the run.
with

as_of_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

found as (
    select distinct
        contracts.contract_id as finding_id,
        contracts.contract_id,
        contracts.customer_id,
        contracts.committed_annual_amount,
        contracts.currency,
        case
            when customers.customer_id is null then 'unknown customer'
            when contracts.currency is null then 'no currency'
            when contracts.committed_annual_amount is null then 'no committed annual amount'
            else 'no exchange rate'
        end as problem
    from {{ ref('int_contracts_valued') }} as contracts
    inner join as_of_dates
        on contracts.evaluation_date = as_of_dates.evaluation_date
    left join customers
        on contracts.customer_id = customers.customer_id
    where customers.customer_id is null or contracts.amount is null
)

select * from found
where {{ is_open_finding('findings_contracts') }}
