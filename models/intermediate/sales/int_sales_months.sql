-- Every month of documents with fingerprints of what its sums follow from: tables of sums by month are kept from run to run, and a month is
-- summed again where its fingerprint is another one. A fingerprint is made of what the sums read and of nothing else: a payment
-- changes what is owed, and no sales. has_days: a window begins or ends inside of the month, so its days are summed by themselves.
--   lines_fingerprint          the lines
--   receivables_fingerprint    with the day they were paid
--   purchases_fingerprint      the lines, where the month is stratified; null where not
--   purchases_through_fingerprint  the lines of all months from the first that is stratified; null before it
--   periods_fingerprint        with the branches and brands some type asks for, and has_days
--   order_days_fingerprint     with the days and filters of every set of types that counts orders or looks for outliers
with

months as (
    select
        {{ month_start('invoice_date') }} as month_from,
        {{ sum_of_hashes([
            'record_hash', 'document_type', 'invoice_date', 'customer_id', 'order_key', 'product_id', 'branch_id', 'brand', 'net_sales', 'cost',
        ]) }} as lines_fingerprint,
        {{ sum_of_hashes(['record_hash', 'document_type', 'invoice_date', 'customer_id', 'net_sales', 'paid_on']) }} as receivables_fingerprint
    from {{ ref('int_invoice_lines_judged') }}
    where record_status = 'staged'
    group by {{ month_start('invoice_date') }}
),

windows as (
    select distinct window_from, window_to from {{ ref('int_segment_windows') }}
),

months_with_days as (
    select {{ month_start('window_from') }} as month_from from windows where window_from <> {{ month_start('window_from') }}
    union
    select {{ month_start('window_to') }} as month_from from windows where window_to <> {{ month_end('window_to') }}
),

filters as (
    select segment_type_id as filter_set_id, filter_kind, filter_value from {{ ref('int_segment_type_filters') }}
),

filters_known as (
    select coalesce({{ sum_of_hashes(['filter_kind', 'filter_value']) }}, 0) as filters_hash
    from (select distinct filter_kind, filter_value from filters) as filter_values
),

order_filter_sets as (
    select
        order_filter_sets.filter_set_id,
        order_filter_sets.first_day,
        order_filter_sets.last_day,
        coalesce({{ sum_of_hashes(['filters.filter_kind', 'filters.filter_value']) }}, 0) as filters_hash
    from {{ ref('int_order_filter_sets') }} as order_filter_sets
    left join filters
        on order_filter_sets.filter_set_id = filters.filter_set_id
    group by order_filter_sets.filter_set_id, order_filter_sets.first_day, order_filter_sets.last_day
),

order_months as (
    select
        months.month_from,
        order_filter_sets.filter_set_id,
        order_filter_sets.filters_hash,
        greatest(order_filter_sets.first_day, months.month_from) as first_day,
        least(order_filter_sets.last_day, {{ month_end('months.month_from') }}) as last_day
    from months
    inner join order_filter_sets
        on {{ month_end('months.month_from') }} >= order_filter_sets.first_day
        and months.month_from <= order_filter_sets.last_day
),

order_months_hashed as (
    select month_from, {{ sum_of_hashes(['filter_set_id', 'filters_hash', 'first_day', 'last_day']) }} as filter_sets_hash
    from order_months
    group by month_from
),

stratified as (
    select min(period_from) as first_day, max(period_to) as last_day from {{ ref('int_stratification_periods') }}
),

purchases as (
    select
        months.month_from,
        months.lines_fingerprint as purchases_fingerprint,
        sum(months.lines_fingerprint) over (order by months.month_from asc rows between unbounded preceding and current row) as purchases_through_fingerprint
    from months
    inner join stratified
        on months.month_from between stratified.first_day and stratified.last_day
)

select
    months.month_from,
    months_with_days.month_from is not null as has_days,
    cast(months.lines_fingerprint as numeric(38, 0)) as lines_fingerprint,
    cast(months.receivables_fingerprint as numeric(38, 0)) as receivables_fingerprint,
    cast(purchases.purchases_fingerprint as numeric(38, 0)) as purchases_fingerprint,
    cast(purchases.purchases_through_fingerprint as numeric(38, 0)) as purchases_through_fingerprint,
    cast({{ key_hash(['months.lines_fingerprint', 'filters_known.filters_hash', 'months_with_days.month_from']) }} as numeric(38, 0)) as periods_fingerprint,
    cast({{ key_hash(['months.lines_fingerprint', 'order_months_hashed.filter_sets_hash']) }} as numeric(38, 0)) as order_days_fingerprint
from months
cross join filters_known
left join months_with_days
    on months.month_from = months_with_days.month_from
left join order_months_hashed
    on months.month_from = order_months_hashed.month_from
left join purchases
    on months.month_from = purchases.month_from
