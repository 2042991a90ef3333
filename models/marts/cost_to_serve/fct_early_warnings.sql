-- What somebody should call about, before the year is over: the last early_warning_months against the same months a year before. A customer
-- may have several; internal and test customers have none.
{% set smallest = var('early_warning_minimum_amount') %}
with

customers as (
    select * from {{ ref('fct_customer_stratification') }} where quadrant <> 'excluded'
),

trends as (
    select * from {{ ref('int_customer_trends_compared') }}
),

{% set warnings = {
    'core_falling': {
        'when': "(customers.quadrant = 'Core' or customers.previous_quadrant = 'Core' or customers.year_before_quadrant = 'Core') and trends.sales_trend = 'falling'",
        'recent': 'recent_net_sales', 'before': 'year_before_net_sales'},
    'core_left': {
        'when': "customers.previous_quadrant = 'Core' and customers.quadrant <> 'Core'",
        'recent': 'recent_net_sales', 'before': 'year_before_net_sales', 'any_amount': true},
    'small_rising': {
        'when': "customers.quadrant in ('Opportunistic', 'Marginal') and trends.sales_trend = 'rising'",
        'recent': 'recent_net_sales', 'before': 'year_before_net_sales'},
    'turned_unprofitable': {
        'when': 'trends.year_before_net_profit > 0 and trends.recent_net_profit < 0',
        'recent': 'recent_net_profit', 'before': 'year_before_net_profit'},
    'cost_without_sales': {
        'when': 'trends.recent_net_sales <= 0 and trends.recent_cost_to_serve >= ' ~ smallest,
        'recent': 'recent_cost_to_serve', 'before': 'year_before_cost_to_serve', 'any_amount': true},
} %}
warnings as (
    {%- for kind, warning in warnings.items() %}
    select
        customers.customer_id,
        '{{ kind }}' as warning_kind,
        '{{ warning.recent | replace("recent_", "") }}' as compared_measure,
        trends.{{ warning.recent }} as recent_amount,
        trends.{{ warning.before }} as year_before_amount
    from customers
    inner join trends
        on customers.customer_id = trends.customer_id
    where {{ warning.when }}
        {%- if not warning.any_amount %}
        and abs(trends.{{ warning.recent }} - trends.{{ warning.before }}) >= {{ smallest }}
        {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    warnings.customer_id,
    warnings.warning_kind,
    customers.name,
    customers.organisation_id,
    customers.branch_id,
    customers.sales_rep_id,
    customers.quadrant,
    customers.previous_quadrant,
    customers.year_before_quadrant,
    customers.as_of_date,
    trends.recent_from,
    trends.recent_to,
    warnings.compared_measure,
    warnings.recent_amount,
    warnings.year_before_amount,
    cast(warnings.recent_amount - warnings.year_before_amount as numeric(18, 2)) as change_amount,
    customers.net_sales as period_net_sales,
    customers.net_profit as period_net_profit
from warnings
inner join customers
    on warnings.customer_id = customers.customer_id
inner join trends
    on warnings.customer_id = trends.customer_id
