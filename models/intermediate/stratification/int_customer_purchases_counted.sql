-- What a period counts once however often it comes back, an order or a product, by customer and month with the month before in which it
-- was there: it counts in the month whose predecessor lies before the period, so that a period is a sum. Kept from run to run: a month
-- follows from all months before it, and of those the last of each order or product is all it needs.
{{ keep_months('sales_month', 'int_sales_months', 'purchases_through_fingerprint') }}
{% set counted = {
    'product': {'key': 'product_id', 'from': ref('int_customer_products_summed_to_months') ~ ' where invoice_line_count > 0'},
    'order': {'key': 'order_key', 'from': ref('int_customer_orders_summed_to_months')},
} %}
with

months_due as (
    {{ months_due('sales_month', 'int_sales_months', 'purchases_through_fingerprint') }}
),

first_months as (
    select min(month_from) as first_month from months_due
),

{% for thing, source in counted.items() %}
{{ thing }}s as (
    select purchases.*, purchases.sales_month >= first_months.first_month as is_due
    from (select customer_id, {{ source.key }} as counted_id, sales_month from {{ source.from }}) as purchases
    cross join first_months
),

-- Found by hash: one number to compare. Who shares it by chance has no month after and is nobody's predecessor.
{{ thing }}s_before as (
    select customer_id, counted_id, max(sales_month) as sales_month
    from {{ thing }}s
    where not is_due
        and {{ key_hash(['customer_id', 'counted_id']) }} in (select {{ key_hash(['customer_id', 'counted_id']) }} from {{ thing }}s where is_due)
    group by customer_id, counted_id
),

{{ thing }}s_linked as (
    select
        customer_id,
        sales_month,
        is_due,
        lag(sales_month) over (partition by customer_id, counted_id order by sales_month asc) as previous_month
    from (
        select customer_id, counted_id, sales_month, is_due from {{ thing }}s where is_due
        union all
        select customer_id, counted_id, sales_month, false as is_due from {{ thing }}s_before
    ) as {{ thing }}s_needed
),

{% endfor -%}
purchases as (
    {% for thing in counted -%}
    select
        {%- for measure in counted %}
        cast({{ 'count(*)' if measure == thing else '0' }} as bigint) as {{ measure }}_count,
        {%- endfor %}
        customer_id,
        sales_month,
        previous_month
    from {{ thing }}s_linked
    where is_due
    group by customer_id, sales_month, previous_month
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    purchases.customer_id,
    purchases.sales_month,
    purchases.previous_month,
    {%- for measure in counted %}
    cast(sum(purchases.{{ measure }}_count) as bigint) as {{ measure }}_count,
    {%- endfor %}
    months_due.input_fingerprint
from purchases
inner join months_due
    on purchases.sales_month = months_due.month_from
group by purchases.customer_id, purchases.sales_month, purchases.previous_month, months_due.input_fingerprint
