-- R17: the parts of every metric by period and customer with sales, costs, payments or returns in it. What cannot be known is null:
-- missing, and never the best or the worst. Sales are known where a line was invoiced or credited; a margin where some cost of goods
-- is; costs to serve and returns where the organisation had any in the period. Kept from run to run by period.
{{ keep_months('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
{% set sums = ['net_sales', 'cost', 'gross_margin', 'line_count', 'cost_to_serve', 'settled_net_sales', 'settled_value_days', 'returned_quantity',
    'invoiced_quantity', 'invoiced_months', 'product_count', 'order_count'] %}
with

months_due as (
    {{ months_due('period_to', 'int_stratification_inputs', 'input_fingerprint', key='period_to') }}
),

periods as (
    select * from {{ ref('int_stratification_periods') }} where {{ is_month_due('period_to') }}
),

customers as (
    select customer_id, organisation_id, customer_kind in ('internal', 'test') as is_excluded from {{ ref('int_customers_identified') }}
),

first_invoices as (
    select member_id as customer_id, min(first_invoiced_on) as first_invoiced_on
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'customer' and is_month
    group by member_id
),

costs_by_organisation as (
    select distinct organisation_id, cost_month
    from {{ ref('int_costs_allocated') }}
    where unallocated_reason is null or unallocated_reason <> 'unknown_shipment'
),

-- A cost without an organisation is one of all of them.
cost_periods as (
    select distinct periods.period_to, costs_by_organisation.organisation_id
    from periods
    inner join costs_by_organisation
        on costs_by_organisation.cost_month between periods.period_from and periods.period_to
),

return_periods as (
    select distinct periods.period_to, customers.organisation_id
    from {{ ref('int_returns_traced') }} as returns
    inner join customers
        on returns.customer_id = customers.customer_id
    inner join periods
        on returns.received_on between periods.period_from and periods.period_to
),

activity as (
    select * from {{ ref('int_customer_activity_summed_to_months') }}
),

-- Months by name, so that millions of rows meet their periods by equality.
period_months as (
    select periods.period_from, periods.period_to, months.activity_month
    from (select distinct activity_month from activity) as months
    inner join periods
        on months.activity_month between periods.period_from and periods.period_to
),

activity_summed as (
    select
        period_months.period_to,
        activity.customer_id,
        {%- for measure in sums %}
        coalesce(sum(activity.{{ measure }}), 0) as {{ measure }},
        {%- endfor %}
        max(activity.last_invoiced_on) as last_invoiced_on
    from activity
    inner join period_months
        on activity.activity_month = period_months.activity_month
        and (activity.previous_month is null or activity.previous_month < period_months.period_from)
    group by period_months.period_to, activity.customer_id
),

knowledge_added as (
    select
        summed.*,
        customers.is_excluded,
        first_invoices.first_invoiced_on,
        summed.line_count > 0 as has_sales,
        summed.line_count > 0 and (summed.cost <> 0 or summed.gross_margin <> 0) as has_margin,
        own_costs.period_to is not null or common_costs.period_to is not null as has_costs,
        return_periods.period_to is not null as has_returns
    from activity_summed as summed
    inner join customers
        on summed.customer_id = customers.customer_id
    left join first_invoices
        on summed.customer_id = first_invoices.customer_id
    left join cost_periods as own_costs
        on summed.period_to = own_costs.period_to
        and customers.organisation_id = own_costs.organisation_id
    left join cost_periods as common_costs
        on summed.period_to = common_costs.period_to
        and common_costs.organisation_id is null
    left join return_periods
        on summed.period_to = return_periods.period_to
        and customers.organisation_id = return_periods.organisation_id
)

select
    period_to,
    customer_id,
    is_excluded,
    cast(case when has_sales then net_sales end as numeric(18, 2)) as net_sales,
    cast(case when has_margin then gross_margin end as numeric(18, 2)) as gross_margin,
    -- A rate of margin is one of the sales it was made on: lines of unknown cost would make it worse than it is.
    cast(case when has_margin then cost + gross_margin end as numeric(18, 2)) as net_sales_of_known_cost,
    cast(case when has_costs then cost_to_serve end as numeric(18, 2)) as cost_to_serve,
    -- Without sales there is no margin, and what was spent is the profit.
    cast(case when has_costs and (has_margin or not has_sales) then gross_margin - cost_to_serve end as numeric(18, 2)) as net_profit,
    cast(case when has_sales then order_count end as bigint) as order_count,
    cast(case when has_sales then product_count end as bigint) as product_count,
    cast(case when has_sales then invoiced_months end as bigint) as months_with_sales,
    cast(case
        when last_invoiced_on is not null
            then {{ dbt.datediff(month_start('first_invoiced_on'), month_start('period_to'), 'month') }} + 1
    end as bigint) as months_active,
    cast({{ dbt.datediff('last_invoiced_on', 'period_to', 'day') }} as bigint) as days_since_last_invoice,
    cast(settled_net_sales as numeric(18, 2)) as settled_net_sales,
    cast(settled_value_days as numeric(22, 2)) as settled_value_days,
    cast(case when has_returns and has_sales then returned_quantity end as numeric(18, 4)) as returned_quantity,
    cast(invoiced_quantity as numeric(18, 4)) as invoiced_quantity,
    months_due.input_fingerprint
from knowledge_added
left join months_due
    on knowledge_added.period_to = months_due.month_from
