-- Guards the list people work from: it holds as many records, and as much money, per table and rule as the reconciliation counts.
with

counted as (
    select
        source_table,
        quarantine_rule,
        sum(record_count) as record_count,
        sum(amount) as amount
    from {{ ref('fct_record_counts') }}
    where record_status = 'quarantined'
    group by source_table, quarantine_rule
),

listed as (
    select
        source_table,
        quarantine_rule,
        count(*) as record_count,
        sum(amount) as amount
    from {{ ref('quarantined_records') }}
    group by source_table, quarantine_rule
)

select
    coalesce(counted.source_table, listed.source_table) as source_table,
    coalesce(counted.quarantine_rule, listed.quarantine_rule) as quarantine_rule,
    coalesce(counted.record_count, 0) as counted_records,
    coalesce(listed.record_count, 0) as listed_records,
    coalesce(counted.amount, 0) as counted_amount,
    coalesce(listed.amount, 0) as listed_amount
from counted
full outer join listed
    on counted.source_table = listed.source_table
    and counted.quarantine_rule = listed.quarantine_rule
where coalesce(counted.record_count, 0) <> coalesce(listed.record_count, 0)
    or coalesce(counted.amount, 0) <> coalesce(listed.amount, 0)
