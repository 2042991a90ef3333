-- What became of every landed row: the reconciliation of each raw table in rows and in money.
{% for raw_table in raw_tables() %}
select
    '{{ raw_table.system }}.{{ raw_table.table }}' as source_table,
    coalesce(source_system, '(empty)') as source_system,
    record_status,
    coalesce(quarantine_rule, '') as quarantine_rule,
    count(*) as record_count,
    cast(sum({{ raw_table.get('amount', 'cast(null as numeric(18, 6))') }}) as numeric(28, 6)) as amount,
    max(loaded_at) as latest_loaded_at
from {{ ref(raw_table.judged_in if raw_table.judged_in else 'stg_' ~ raw_table.system ~ '__' ~ raw_table.table) }}
group by coalesce(source_system, '(empty)'), record_status, coalesce(quarantine_rule, '')
{{ 'union all' if not loop.last }}
{% endfor %}
