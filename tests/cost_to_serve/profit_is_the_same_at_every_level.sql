-- Guards R16: the profit of the company is what its lines brought less what its costs were; its customers, their parents, their VAT
-- groups, the lines of their waterfalls and the tiers of every type for all of it say the same, unallocated cost on a line of its own.
with

periods as (
    select period_from, period_to from {{ ref('int_profit_periods') }}
),

costs as (
    select
        coalesce(sum(case when customer_id is not null then amount else 0 end), 0) as cost_to_serve,
        coalesce(sum(amount), 0) as all_cost
    from {{ ref('fct_cost_allocations') }} as allocations
    inner join periods
        on allocations.cost_month between periods.period_from and periods.period_to
),

sales as (
    select
        coalesce(sum(net_sales), 0) as net_sales,
        coalesce(sum(gross_margin), 0) as gross_margin
    from {{ ref('fct_invoice_lines') }} as lines
    inner join periods
        on lines.invoice_date between periods.period_from and periods.period_to
),

company as (
    select
        sales.net_sales,
        sales.gross_margin,
        costs.cost_to_serve,
        sales.gross_margin - costs.cost_to_serve as net_profit,
        sales.gross_margin - costs.all_cost as net_profit_of_company
    from sales
    cross join costs
),

company_types as (
    select segment_type_id
    from {{ ref('int_segment_types') }}
    where organisation_id is null
),

levels as (
    select
        'customer' as profit_level,
        sum(net_sales) as net_sales,
        sum(gross_margin) as gross_margin,
        sum(cost_to_serve) as cost_to_serve,
        sum(net_profit) as net_profit
    from {{ ref('fct_customer_profitability') }}
    union all
    select
        profit_level,
        sum(net_sales) as net_sales,
        sum(gross_margin) as gross_margin,
        sum(cost_to_serve) as cost_to_serve,
        sum(net_profit) as net_profit
    from {{ ref('fct_entity_profitability') }}
    group by profit_level
    union all
    select
        'profit_line' as profit_level,
        sum(case when line = 'net_sales' then amount else 0 end) as net_sales,
        sum(case when line = 'gross_margin' then amount else 0 end) as gross_margin,
        -sum(case when line in ('direct_charges', 'allocated_cost') then amount else 0 end) as cost_to_serve,
        sum(case when is_subtotal then 0 else amount end) as net_profit
    from {{ ref('fct_customer_profit_lines') }}
    union all
    select
        segment_profit.segment_type_id as profit_level,
        sum(segment_profit.net_sales) as net_sales,
        sum(segment_profit.gross_margin) as gross_margin,
        sum(case when segment_profit.is_unallocated then 0 else segment_profit.cost_to_serve end) as cost_to_serve,
        sum(case when segment_profit.is_unallocated then 0 else segment_profit.net_profit end) as net_profit
    from {{ ref('fct_segment_profit') }} as segment_profit
    inner join company_types
        on segment_profit.segment_type_id = company_types.segment_type_id
    group by segment_profit.segment_type_id
),

unallocated as (
    select segment_profit.segment_type_id, sum(segment_profit.net_profit) as net_profit_of_company
    from {{ ref('fct_segment_profit') }} as segment_profit
    inner join company_types
        on segment_profit.segment_type_id = company_types.segment_type_id
    group by segment_profit.segment_type_id
)

select levels.profit_level, levels.net_sales, levels.gross_margin, levels.cost_to_serve, levels.net_profit
from levels
cross join company
where coalesce(levels.net_sales, 0) <> company.net_sales
    or coalesce(levels.gross_margin, 0) <> company.gross_margin
    or coalesce(levels.cost_to_serve, 0) <> company.cost_to_serve
    or coalesce(levels.net_profit, 0) <> company.net_profit
union all
select
    unallocated.segment_type_id || ' with unallocated cost' as profit_level,
    null as net_sales,
    null as gross_margin,
    null as cost_to_serve,
    unallocated.net_profit_of_company as net_profit
from unallocated
cross join company
where unallocated.net_profit_of_company <> company.net_profit_of_company
