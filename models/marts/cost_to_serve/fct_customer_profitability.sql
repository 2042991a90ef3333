-- Every customer once, over the last whole months (var profit_months): from net sales to net profit, beside the months before and
-- the last two months. Customers without sales or costs are here with zeros: nobody is missing.
{% set measures = ['net_sales', 'gross_margin', 'cost_to_serve', 'net_profit'] %}
{% set details = ['cost', 'net_sales_of_unknown_cost', 'freight_charges', 'pick_charges', 'pack_charges', 'storage_charges', 'return_charges',
    'accessorial_charges', 'other_charges', 'direct_charges', 'allocated_cost'] %}
with

periods as (
    select * from {{ ref('int_profit_periods') }}
),

customers as (
    select * from {{ ref('dim_customers') }}
),

months as (
    select * from {{ ref('fct_customer_costs') }}
),

customers_summed as (
    select
        months.customer_id,
        {%- for measure in measures + details %}
        cast(sum(case when months.cost_month >= periods.period_from then months.{{ measure }} else 0 end) as numeric(18, 2)) as {{ measure }},
        {%- endfor %}
        {%- for measure in measures %}
        cast(sum(case when months.cost_month < periods.period_from then months.{{ measure }} else 0 end) as numeric(18, 2)) as previous_{{ measure }},
        cast(sum(case when months.cost_month = periods.last_month then months.{{ measure }} else 0 end) as numeric(18, 2)) as last_month_{{ measure }},
        cast(sum(case when months.cost_month = periods.month_before then months.{{ measure }} else 0 end) as numeric(18, 2)) as month_before_{{ measure }},
        {%- endfor %}
        count(case when months.cost_month >= periods.period_from and months.net_sales <> 0 then 1 end) as months_with_sales
    from months
    cross join periods
    where months.cost_month between periods.previous_period_from and periods.period_to
    group by months.customer_id
),

customers_completed as (
    select
        customers.customer_id,
        customers.name,
        customers.organisation_id,
        customers.ultimate_parent_id,
        customers.vat_group_id,
        customers.branch_id,
        customers.sales_rep_id,
        customers.region,
        customers.industry,
        customers.customer_kind,
        customers.default_tier,
        periods.as_of_date,
        periods.period_from,
        periods.period_to,
        {%- for measure in measures + details %}
        coalesce(summed.{{ measure }}, 0) as {{ measure }},
        {%- endfor %}
        {%- for measure in measures %}
        coalesce(summed.previous_{{ measure }}, 0) as previous_{{ measure }},
        coalesce(summed.last_month_{{ measure }}, 0) as last_month_{{ measure }},
        coalesce(summed.month_before_{{ measure }}, 0) as month_before_{{ measure }},
        {%- endfor %}
        coalesce(summed.months_with_sales, 0) as months_with_sales
    from customers
    cross join periods
    left join customers_summed as summed
        on customers.customer_id = summed.customer_id
)

select
    customer_id,
    name,
    organisation_id,
    ultimate_parent_id,
    vat_group_id,
    branch_id,
    sales_rep_id,
    region,
    industry,
    customer_kind,
    default_tier,
    as_of_date,
    period_from,
    period_to,
    net_sales,
    cost,
    net_sales_of_unknown_cost,
    gross_margin,
    freight_charges,
    pick_charges,
    pack_charges,
    storage_charges,
    return_charges,
    accessorial_charges,
    other_charges,
    direct_charges,
    allocated_cost,
    cost_to_serve,
    net_profit,
    {{ rate_of('gross_margin', 'net_sales - net_sales_of_unknown_cost') }} as gross_margin_rate,
    {{ rate_of('cost_to_serve', 'net_sales') }} as cost_to_serve_rate,
    {{ rate_of('net_profit', 'net_sales') }} as net_profit_rate,
    months_with_sales,
    {%- for measure in measures %}
    previous_{{ measure }},
    {%- endfor %}
    {%- for measure in measures %}
    last_month_{{ measure }},
    {%- endfor %}
    {%- for measure in measures %}
    month_before_{{ measure }},
    {%- endfor %}
    cast(net_profit - previous_net_profit as numeric(18, 2)) as net_profit_change,
    cast(last_month_net_profit - month_before_net_profit as numeric(18, 2)) as last_month_net_profit_change
from customers_completed
