-- Driver days_outstanding_value: what a customer owed in a month, times the days it owed it. The balance is carried from event
-- to event, so a quiet month costs a row of the result and no row of the input.
with

receivables as (
    select * from {{ ref('int_receivables_summed_to_months') }}
),

months as (
    select distinct cost_month from {{ ref('int_cost_ledger_judged') }} where record_status = 'staged'
),

events as (
    select customer_id, invoice_month as event_month, net_sales as balance_change, value_days_to_month_end as value_days
    from receivables
    union all
    select customer_id, settlement_month as event_month, -net_sales as balance_change, -value_days_after_settlement as value_days
    from receivables
    where settlement_month is not null
),

events_summed as (
    select
        customer_id,
        event_month,
        cast(sum(balance_change) as numeric(18, 2)) as balance_change,
        cast(sum(value_days) as numeric(22, 2)) as value_days
    from events
    group by customer_id, event_month
),

balances as (
    select
        customer_id,
        event_month,
        value_days,
        balance_change,
        cast(sum(balance_change) over (
            partition by customer_id order by event_month asc rows between unbounded preceding and current row
        ) as numeric(18, 2)) as closing_balance,
        lead(event_month, 1, cast('9999-12-01' as date)) over (partition by customer_id order by event_month asc) as next_event_month
    from events_summed
),

-- A month of events counts what was open before it in full, and what changed from its day on.
months_valued as (
    select
        balances.customer_id,
        months.cost_month,
        case
            when months.cost_month = balances.event_month
                then (balances.closing_balance - balances.balance_change) * {{ days_in_month('months.cost_month') }} + balances.value_days
            else balances.closing_balance * {{ days_in_month('months.cost_month') }}
        end as value_days
    from balances
    inner join months
        on balances.event_month <= months.cost_month
        and balances.next_event_month > months.cost_month
)

select customer_id, cost_month, cast(value_days as numeric(22, 2)) as value_days
from months_valued
where value_days > 0
