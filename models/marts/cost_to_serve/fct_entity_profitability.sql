-- The profit of groups: the same sums once by ultimate parent and once by VAT number (R8). A level sums to all customers.
{% set measures = ['net_sales', 'cost', 'net_sales_of_unknown_cost', 'gross_margin', 'direct_charges', 'allocated_cost', 'cost_to_serve', 'net_profit',
    'previous_net_sales', 'previous_gross_margin', 'previous_cost_to_serve', 'previous_net_profit'] %}
with

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

entities as (
    {%- for level, column in [('ultimate_parent', 'ultimate_parent_id'), ('vat', 'vat_group_id')] %}
    select
        '{{ level }}' as profit_level,
        {{ column }} as entity_id,
        count(*) as customer_count,
        {%- for measure in measures %}
        cast(sum({{ measure }}) as numeric(18, 2)) as {{ measure }},
        {%- endfor %}
        min(as_of_date) as as_of_date,
        min(period_from) as period_from,
        min(period_to) as period_to
    from customers
    group by {{ column }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    profit_level,
    entity_id,
    customer_count,
    as_of_date,
    period_from,
    period_to,
    {%- for measure in measures %}
    {{ measure }},
    {%- endfor %}
    {{ rate_of('gross_margin', 'net_sales - net_sales_of_unknown_cost') }} as gross_margin_rate,
    {{ rate_of('cost_to_serve', 'net_sales') }} as cost_to_serve_rate,
    {{ rate_of('net_profit', 'net_sales') }} as net_profit_rate
from entities
