{# CTEs up to amounts_gathered (R12, R14): what each member brings to the metric of the due evaluations in the CTE `evaluations`, one row per place it
   comes from. #}
{% macro member_amounts_gathered() -%}
segment_types as (
    select segment_type_id, metric, metric_basis
    from {{ ref('int_segment_types') }}
),

customers as (
    select member_id, member_number from {{ ref('int_segment_population') }} where entity = 'customer'
),

sales as (
    select scope_number, member_number, line_count, net_sales, gross_margin, quantity
    from {{ ref('int_sales_summed_to_scopes') }}
),

orders as (
    select scope_number, member_number, order_count from {{ ref('int_orders_summed_to_scopes') }}
),

contracts as (
    select contracts.segment_type_id, contracts.evaluation_date, customers.member_number, count(*) as contract_count, sum(contracts.amount) as amount
    from {{ ref('int_contracts_valued') }} as contracts
    inner join customers
        on contracts.customer_id = customers.member_id
    where contracts.amount is not null
    group by contracts.segment_type_id, contracts.evaluation_date, customers.member_number
),

months as (
    select distinct cost_month from {{ ref('int_customer_costs_summed_to_months') }}
),

-- Windows of this metric hold whole months only, as costs do.
cost_months as (
    select evaluations.evaluation_number, months.cost_month
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.metric = 'net_profit_after_cost_to_serve'
    inner join months
        on evaluations.window_from <= months.cost_month
        and evaluations.window_to >= months.cost_month
),

costs as (
    select cost_months.evaluation_number, customers.member_number, sum(customer_costs.cost_to_serve) as cost_to_serve
    from cost_months
    inner join {{ ref('int_customer_costs_summed_to_months') }} as customer_costs
        on cost_months.cost_month = customer_costs.cost_month
    inner join customers
        on customer_costs.customer_id = customers.member_id
    group by cost_months.evaluation_number, customers.member_number
),

outliers as (
    select outliers.evaluation_number, customers.member_number, outliers.removed_amount
    from {{ ref('int_segment_outliers_summed_to_members') }} as outliers
    inner join customers
        on outliers.member_id = customers.member_id
    where outliers.removed_amount is not null
),

-- What each member brings, from wherever it comes.
amounts_gathered as (
    select
        evaluations.evaluation_number,
        sales.member_number,
        case when segment_types.metric_basis = 'actual' then sales.line_count end as record_count,
        sales.net_sales,
        case
            when segment_types.metric_basis <> 'actual' then null
            when segment_types.metric = 'net_sales' then cast(sales.net_sales as numeric(18, 4))
            when segment_types.metric in ('gross_margin', 'net_profit_after_cost_to_serve') then cast(sales.gross_margin as numeric(18, 4))
            when segment_types.metric = 'quantity' then cast(sales.quantity as numeric(18, 4))
        end as metric_amount
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    inner join sales
        on evaluations.scope_number = sales.scope_number
    union all
    select
        evaluations.evaluation_number,
        orders.member_number,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(orders.order_count as numeric(18, 4)) as metric_amount
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.metric = 'order_count'
    inner join orders
        on evaluations.scope_number = orders.scope_number
    union all
    select
        evaluations.evaluation_number,
        contracts.member_number,
        contracts.contract_count as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(contracts.amount as numeric(18, 4)) as metric_amount
    from evaluations
    inner join contracts
        on evaluations.segment_type_id = contracts.segment_type_id
        and evaluations.evaluation_date = contracts.evaluation_date
    union all
    select
        costs.evaluation_number,
        costs.member_number,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(-costs.cost_to_serve as numeric(18, 4)) as metric_amount
    from costs
    union all
    select
        outliers.evaluation_number,
        outliers.member_number,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(-outliers.removed_amount as numeric(18, 4)) as metric_amount
    from outliers
    inner join evaluations
        on outliers.evaluation_number = evaluations.evaluation_number
)
{%- endmacro %}
