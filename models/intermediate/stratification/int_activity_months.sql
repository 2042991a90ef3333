-- R17: every month of activity with a fingerprint of what it follows from: sales and purchases, costs, payments and returns. Activity is kept
-- from run to run, and a month is summed again where its fingerprint is another one.
{% set text = dbt.type_string() %}
with

inputs as (
    select
        month_from,
        cast({{ key_hash([
            "cast('sales' as " ~ text ~ ")", 'lines_fingerprint', 'purchases_fingerprint', 'purchases_through_fingerprint',
        ]) }} as numeric(38, 0)) as input_hash
    from {{ ref('int_sales_months') }}
    union all
    select month_from, cast({{ key_hash(["cast('costs' as " ~ text ~ ")", 'costs_fingerprint']) }} as numeric(38, 0)) as input_hash
    from {{ ref('int_cost_months') }}
    union all
    select
        settlement_month as month_from,
        {{ sum_of_hashes(["cast('payments' as " ~ text ~ ")", 'customer_id', 'net_sales', 'value_days_to_settlement']) }} as input_hash
    from {{ ref('int_receivables_summed_to_months') }}
    where settlement_month is not null
    group by settlement_month
    union all
    select
        {{ month_start('received_on') }} as month_from,
        {{ sum_of_hashes(["cast('returns' as " ~ text ~ ")", 'customer_id', 'quantity']) }} as input_hash
    from {{ ref('int_returns_traced') }}
    where customer_id is not null
    group by {{ month_start('received_on') }}
),

months as (
    select month_from, sum(input_hash) as input_hash from inputs group by month_from
)

select
    month_from,
    cast({{ key_hash(['input_hash', "cast('" ~ var('code_version') ~ "' as " ~ text ~ ")"]) }} as numeric(38, 0)) as activity_fingerprint
from months
