-- What each customer cost to serve in a month: the charges traced to it, and its shares of the pools. Kept from run to run by month.
{{ keep_months('cost_month', 'int_cost_months', 'costs_fingerprint') }}
{% set charge_types = ['freight', 'pick', 'pack', 'storage', 'return', 'accessorial'] %}
with

months_due as (
    {{ months_due('cost_month', 'int_cost_months', 'costs_fingerprint') }}
),

costs as (
    select
        customer_id,
        cost_month,
        {%- for charge_type in charge_types %}
        cast(sum(case when cost_pool_id = 'direct_{{ charge_type }}' then cost else 0 end) as numeric(18, 2)) as {{ charge_type }}_charges,
        {%- endfor %}
        cast(sum(
            case when cost_method = 'traced' and cost_pool_id not in ('direct_{{ charge_types | join("', 'direct_") }}') then cost else 0 end
        ) as numeric(18, 2)) as other_charges,
        cast(sum(case when cost_method = 'traced' then cost else 0 end) as numeric(18, 2)) as direct_charges,
        cast(sum(case when cost_method = 'allocated' then cost else 0 end) as numeric(18, 2)) as allocated_cost,
        cast(sum(cost) as numeric(18, 2)) as cost_to_serve
    from {{ ref('int_costs_allocated') }}
    where customer_id is not null and {{ is_month_due('cost_month') }}
    group by customer_id, cost_month
)

select costs.*, months_due.input_fingerprint
from costs
left join months_due
    on costs.cost_month = months_due.month_from
