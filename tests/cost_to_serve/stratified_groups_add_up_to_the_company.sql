-- Guards R16, R17: whatever customers are grouped by, they are the same customers and the same money, and what was bought of the
-- categories is what was sold. A side that is missing is a difference.
with

company as (
    select
        stratification.quadrant,
        count(*) as customer_count,
        sum(profits.net_sales) as net_sales,
        sum(profits.gross_margin) as gross_margin,
        sum(profits.net_profit) as net_profit
    from {{ ref('fct_customer_profitability') }} as profits
    full outer join {{ ref('fct_customer_stratification') }} as stratification
        on profits.customer_id = stratification.customer_id
    group by stratification.quadrant
),

group_kinds as (
    {% for group_kind in ['region', 'branch', 'sales_rep', 'industry', 'category'] -%}
    select '{{ group_kind }}' as group_kind
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

expected as (
    select
        group_kinds.group_kind,
        company.quadrant,
        case when group_kinds.group_kind <> 'category' then company.customer_count end as customer_count,
        company.net_sales,
        company.gross_margin,
        case when group_kinds.group_kind <> 'category' then company.net_profit end as net_profit
    from company
    cross join group_kinds
),

found as (
    select
        group_kind,
        quadrant,
        case when group_kind <> 'category' then sum(customer_count) end as customer_count,
        sum(net_sales) as net_sales,
        sum(gross_margin) as gross_margin,
        sum(net_profit) as net_profit
    from {{ ref('fct_stratification_by_group') }}
    group by group_kind, quadrant
)

select
    coalesce(expected.group_kind, found.group_kind) as group_kind,
    coalesce(expected.quadrant, found.quadrant) as quadrant,
    expected.net_sales as expected_net_sales,
    found.net_sales as found_net_sales
from expected
full outer join found
    on expected.group_kind = found.group_kind
    and expected.quadrant = found.quadrant
where coalesce(expected.customer_count, 0) <> coalesce(found.customer_count, 0)
    or coalesce(expected.net_sales, 0) <> coalesce(found.net_sales, 0)
    or coalesce(expected.gross_margin, 0) <> coalesce(found.gross_margin, 0)
    or coalesce(expected.net_profit, 0) <> coalesce(found.net_profit, 0)
