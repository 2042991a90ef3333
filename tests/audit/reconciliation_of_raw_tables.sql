-- Guards the promise that nothing is lost: the raw rows of every table, counted where they landed, are the staged, superseded and
-- quarantined ones of fct_record_counts, in rows and in money. A side that is missing is a difference.
{% set known_on = var('known_on', none) %}
{% set number = '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$' %}
with

landed as (
    {% for raw_table in raw_tables() if not is_absent(raw_table.system, raw_table.table) -%}
    {%- set relation = source(raw_table.system, raw_table.table) -%}
    {%- set column_is_text = raw_column_types(relation) -%}
    {%- set amount = 'landed.' ~ (raw_table.amount or 'source_system') -%}
    select
        '{{ raw_table.system }}.{{ raw_table.table }}' as source_table,
        count(*) as record_count,
        {% if not raw_table.amount -%}
        0
        {%- elif column_is_text.get(raw_table.amount, true) -%}
        sum(case when {{ matches_pattern('trim(' ~ amount ~ ')', number) }} then {{ try_to_cast('trim(' ~ amount ~ ')', 'numeric(18, 6)') }} end)
        {%- else -%}
        sum({{ try_to_cast(amount, 'numeric(18, 6)') }})
        {%- endif %} as amount
    from {{ relation }} as landed
    {%- if known_on is not none and not is_overwritten(raw_table.system, raw_table.table) %}
    {%- set loaded_at = parse_cell('landed.loaded_at', 'timestamp', column_is_text.get('loaded_at', true)) %}
    where coalesce(cast({{ loaded_at }} as date) <= cast('{{ known_on }}' as date), true)
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

accounted as (
    select
        source_table,
        sum(record_count) as record_count,
        sum(amount) as amount
    from {{ ref('fct_record_counts') }}
    where record_status in ('staged', 'superseded', 'quarantined')
    group by source_table
)

select
    coalesce(landed.source_table, accounted.source_table) as source_table,
    coalesce(landed.record_count, 0) as landed_records,
    coalesce(accounted.record_count, 0) as accounted_records,
    coalesce(landed.amount, 0) as landed_amount,
    coalesce(accounted.amount, 0) as accounted_amount
from landed
full outer join accounted
    on landed.source_table = accounted.source_table
where coalesce(landed.record_count, 0) <> coalesce(accounted.record_count, 0)
    or coalesce(landed.amount, 0) <> coalesce(accounted.amount, 0)
