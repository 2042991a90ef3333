-- Customers from the most to the least profitable, and what they add up to: the curve rises to its peak and falls to the total.
with

customers as (
    select
        customer_id, name, organisation_id, default_tier, as_of_date, period_from, period_to, net_sales, net_profit,
        cast(row_number() over (order by net_profit desc, customer_id asc) as bigint) as profit_rank
    from {{ ref('fct_customer_profitability') }}
    where net_sales <> 0 or gross_margin <> 0 or cost_to_serve <> 0
),

profits_added as (
    select
        *,
        cast(sum(net_profit) over (order by profit_rank asc rows between unbounded preceding and current row) as numeric(18, 2)) as cumulative_net_profit,
        cast(sum(net_profit) over (partition by period_to rows between unbounded preceding and unbounded following) as numeric(18, 2)) as total_net_profit,
        cast(sum(case when net_profit > 0 then net_profit else 0 end) over (partition by period_to rows between unbounded preceding and unbounded following) as numeric(18, 2)) as peak_net_profit,
        count(*) over (partition by period_to rows between unbounded preceding and unbounded following) as customer_count,
        count(case when net_profit > 0 then 1 end) over (partition by period_to rows between unbounded preceding and unbounded following) as profitable_count
    from customers
)

select
    profit_rank,
    customer_id,
    name,
    organisation_id,
    default_tier,
    as_of_date,
    period_from,
    period_to,
    net_sales,
    net_profit,
    cumulative_net_profit,
    {{ display_share('profit_rank', 'customer_count') }} as cumulative_customer_share,
    {{ rate_of('cumulative_net_profit', 'total_net_profit') }} as cumulative_profit_share,
    profit_rank = profitable_count as is_peak,
    peak_net_profit,
    total_net_profit
from profits_added
