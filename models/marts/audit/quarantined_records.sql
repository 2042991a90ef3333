-- Every raw row that takes no part, with the rule it breaks and the row itself: nothing is lost.
{% for raw_table in raw_tables() %}
select
    '{{ raw_table.system }}.{{ raw_table.table }}' as source_table,
    source_system,
    record_key,
    quarantine_rule,
    quarantine_detail as detail,
    loaded_at,
    cast({{ raw_table.get('amount', 'null') }} as numeric(18, 6)) as amount,
    raw_record
from {{ ref(raw_table.judged_in if raw_table.judged_in else 'stg_' ~ raw_table.system ~ '__' ~ raw_table.table) }}
where record_status = 'quarantined'
{{ 'union all' if not loop.last }}
{% endfor %}
