-- Everything a metric of the stratification is made of, by customer and month, so that a period is a sum. What is counted once in a
-- period however often it comes back (an order, a product) carries the month before in which it was there: it counts in the
-- month whose predecessor lies before the period. Kept from run to run by month.
{{ keep_months('activity_month', 'int_activity_months', 'activity_fingerprint') }}
{% set measures = {
    'net_sales': 'numeric(18, 2)', 'cost': 'numeric(18, 2)', 'gross_margin': 'numeric(18, 2)', 'line_count': 'bigint',
    'cost_to_serve': 'numeric(18, 2)', 'settled_net_sales': 'numeric(18, 2)', 'settled_value_days': 'numeric(22, 2)',
    'returned_quantity': 'numeric(18, 4)', 'invoiced_quantity': 'numeric(18, 4)', 'invoiced_months': 'bigint', 'product_count': 'bigint', 'order_count': 'bigint',
} %}
{% set facts = [
    {'from': ref('int_sales_summed_to_periods'), 'where': "entity = 'customer' and is_month", 'customer_id': 'member_id', 'month': 'period_from',
     'measures': {'net_sales': 'sum(net_sales)', 'cost': 'sum(cost)', 'gross_margin': 'sum(gross_margin)', 'line_count': 'sum(line_count)'}},
    {'from': ref('int_customer_costs_summed_to_months'), 'month': 'cost_month', 'measures': {'cost_to_serve': 'sum(cost_to_serve)'}},
    {'from': ref('int_receivables_summed_to_months'), 'where': 'settlement_month is not null', 'month': 'settlement_month',
     'measures': {'settled_net_sales': 'sum(net_sales)', 'settled_value_days': 'sum(value_days_to_settlement)'}},
    {'from': ref('int_returns_traced'), 'where': 'customer_id is not null', 'month': month_start('received_on'), 'measures': {'returned_quantity': 'sum(quantity)'}},
    {'from': ref('int_customer_products_summed_to_months'), 'where': 'invoice_line_count > 0', 'month': 'sales_month', 'last_invoiced_on': 'max(last_invoiced_on)',
     'measures': {'invoiced_quantity': 'sum(invoiced_quantity)', 'invoiced_months': '1'}},
    {'from': ref('int_customer_purchases_counted'), 'month': 'sales_month', 'previous_month': 'previous_month',
     'measures': {'product_count': 'sum(product_count)', 'order_count': 'sum(order_count)'}},
] %}
with

months_due as (
    {{ months_due('activity_month', 'int_activity_months', 'activity_fingerprint') }}
),

activity as (
    {%- for fact in facts %}
    select
        {{ fact.customer_id | default('customer_id') }} as customer_id,
        {{ fact.month }} as activity_month,
        {{ fact.previous_month | default('cast(null as date)') }} as previous_month,
        {%- for measure, type in measures.items() %}
        cast({{ fact.measures.get(measure, 'null') }} as {{ type }}) as {{ measure }},
        {%- endfor %}
        {{ fact.last_invoiced_on | default('cast(null as date)') }} as last_invoiced_on
    from {{ fact.from }}
    where {{ fact.where | default('true') }} and {{ is_month_due(fact.month) }}
    group by {{ fact.customer_id | default('customer_id') }}, {{ fact.month }}{{ ', previous_month' if fact.previous_month is defined }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select activity.*, months_due.input_fingerprint
from activity
left join months_due
    on activity.activity_month = months_due.month_from
