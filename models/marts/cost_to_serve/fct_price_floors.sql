-- The order value at which a customer pays its goods, what it costs to serve and the profit aimed at (var target_net_profit_rate).
-- Sales of unknown cost have to fit into that profit: then the floor covers the costs even if those lines earned nothing.
{% set target = var('target_net_profit_rate') %}
{% if not 0 <= target < 1 %}
    {{ exceptions.raise_compiler_error('target_net_profit_rate is a share of net sales from 0 to below 1, such as 0.05; it is ' ~ target) }}
{% endif %}
{# What is left of net sales for costs, in ten-thousandths: everything is a whole number until it is shown. #}
{% set left_for_costs = 'cast((1 - cast(' ~ target ~ ' as numeric(5, 4))) * 10000 as numeric(5, 0))' %}
with

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

periods as (
    select period_to from {{ ref('int_profit_periods') }}
),

-- R12: distinct orders that were invoiced; an order that was cancelled has no value to compare.
orders as (
    select measured.customer_id, measured.order_count
    from {{ ref('int_customer_metrics_measured') }} as measured
    inner join periods
        on measured.period_to = periods.period_to
    where measured.order_count > 0
),

customers_judged as (
    select
        customers.*,
        coalesce(orders.order_count, 0) as order_count,
        {{ left_for_costs }} as left_for_costs,
        {{ to_cents('customers.net_sales') }} as net_sales_cents,
        {{ to_cents('customers.cost + customers.cost_to_serve') }} as full_cost_cents,
        case
            when orders.order_count is null or customers.net_sales <= 0 then 'no_sales'
            when {{ to_cents('abs(customers.net_sales_of_unknown_cost)') }} * {{ left_for_costs }}
                > {{ to_cents('customers.cost + customers.cost_to_serve') }} * (10000 - {{ left_for_costs }}) then 'cost_unknown'
            else 'computed'
        end as price_floor_status
    from customers
    left join orders
        on customers.customer_id = orders.customer_id
),

floors_computed as (
    select
        *,
        {%- for column, cents in [
            ('average_order_value', 'net_sales_cents'),
            ('cost_per_order', to_cents('cost')),
            ('cost_to_serve_per_order', to_cents('cost_to_serve')),
        ] %}
        {{ from_cents(divide_half_up(cents, 'order_count')) }} as {{ column }},
        {%- endfor %}
        case
            when price_floor_status = 'computed'
                then {{ from_cents(divide_half_up('full_cost_cents * 10000', 'order_count * left_for_costs')) }}
        end as price_floor_per_order,
        case
            when price_floor_status = 'computed'
                then cast(cast({{ divide_half_up(
                    '(full_cost_cents * 10000 - net_sales_cents * left_for_costs) * 1000000',
                    'net_sales_cents * left_for_costs'
                ) }} as numeric(19, 0)) * 0.000001 as numeric(18, 6))
        end as needed_price_change_rate,
        case when price_floor_status = 'computed' then net_sales_cents * left_for_costs < full_cost_cents * 10000 end as is_below_floor
    from customers_judged
)

select
    customer_id,
    name,
    organisation_id,
    branch_id,
    sales_rep_id,
    industry,
    default_tier,
    as_of_date,
    period_from,
    period_to,
    order_count,
    net_sales,
    net_sales_of_unknown_cost,
    average_order_value,
    cost_per_order,
    cost_to_serve_per_order,
    cast({{ target }} as numeric(5, 4)) as target_net_profit_rate,
    price_floor_per_order,
    cast(average_order_value - price_floor_per_order as numeric(18, 2)) as gap_per_order,
    needed_price_change_rate,
    is_below_floor,
    price_floor_status
from floors_computed
