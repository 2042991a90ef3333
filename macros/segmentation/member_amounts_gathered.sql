{# CTEs up to amounts_gathered (R12, R14): what each member brings to the metric of the due evaluations in the CTE `evaluations`, one row per place it
   comes from. #}
{% macro member_amounts_gathered() -%}
segment_types as (
    select segment_type_id, metric, metric_basis
    from {{ ref('int_segment_types') }}
),

sales as (
    select scope_id, evaluation_date, member_id, line_count, net_sales, gross_margin, quantity
    from {{ ref('int_sales_summed_to_scopes') }}
),

orders as (
    select scope_id, evaluation_date, member_id, order_count from {{ ref('int_orders_summed_to_scopes') }}
),

contracts as (
    select segment_type_id, evaluation_date, customer_id as member_id, count(*) as contract_count, sum(amount) as amount
    from {{ ref('int_contracts_valued') }}
    where amount is not null
    group by segment_type_id, evaluation_date, customer_id
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
    select cost_months.evaluation_number, customer_costs.customer_id as member_id, sum(customer_costs.cost_to_serve) as cost_to_serve
    from cost_months
    inner join {{ ref('int_customer_costs_summed_to_months') }} as customer_costs
        on cost_months.cost_month = customer_costs.cost_month
    group by cost_months.evaluation_number, customer_costs.customer_id
),

outliers as (
    select evaluation_number, member_id, removed_amount from {{ ref('int_segment_outliers_summed_to_members') }}
),

-- What each member brings, from wherever it comes.
amounts_gathered as (
    select
        evaluations.evaluation_number,
        sales.member_id,
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
        on evaluations.scope_id = sales.scope_id
        and evaluations.evaluation_date = sales.evaluation_date
    union all
    select
        evaluations.evaluation_number,
        orders.member_id,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(orders.order_count as numeric(18, 4)) as metric_amount
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.metric = 'order_count'
    inner join orders
        on evaluations.scope_id = orders.scope_id
        and evaluations.evaluation_date = orders.evaluation_date
    union all
    select
        evaluations.evaluation_number,
        contracts.member_id,
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
        costs.member_id,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(-costs.cost_to_serve as numeric(18, 4)) as metric_amount
    from costs
    union all
    select
        outliers.evaluation_number,
        outliers.member_id,
        cast(null as bigint) as record_count,
        cast(null as numeric(18, 2)) as net_sales,
        cast(-outliers.removed_amount as numeric(18, 4)) as metric_amount
    from outliers
    inner join evaluations
        on outliers.evaluation_number = evaluations.evaluation_number
    where outliers.removed_amount is not null
)
{%- endmacro %}
