-- R19: what stands between a build with known_on and an exact reproduction, a sentence per raw table; without known_on nothing, for
-- then nothing is reproduced. Three things can be known: rows stand in that landed later (var overwritten_tables); something that had
-- landed names masters of which no version had, in a table that keeps no second version of anything; and rows which an earlier run
-- has read, by the run log, are there no more.
{% if var('known_on', none) is none -%}
select cast(null as {{ dbt.type_string() }}) as source_table, cast(null as {{ dbt.type_string() }}) as obstacle
where false
{%- else -%}
{% set masters = master_tables() %}
{% set named_by = {
    'erp.customers': [('int_invoices_judged', 'billed_customer_id', "quarantine_rule = 'customer_unknown'")],
    'erp.products': [('int_invoice_lines_judged', 'landed_product_id', "record_status = 'staged' and landed_product_id is not null")],
    'erp.branches': [('int_invoices_judged', 'landed_branch_id', "record_status = 'staged' and branch_id = 'unknown'")],
    'erp.sales_reps': [('int_invoices_judged', 'landed_sales_rep_id', "record_status = 'staged' and sales_rep_id = 'unknown'")],
    'crm.accounts': [
        ('stg_crm__activities', global_id('source_system', 'account_id'), "record_status = 'staged'"),
        ('stg_crm__opportunities', global_id('source_system', 'account_id'), "record_status = 'staged'"),
    ],
} %}
with

stand_ins as (
    select cast(null as {{ dbt.type_string() }}) as source_table, cast(null as bigint) as record_count where false
    {%- for name in masters if is_overwritten(*name.split('.')) %}
    union all
    select '{{ name }}' as source_table, count(*) as record_count
    from {{ ref('stg_' ~ name | replace('.', '__')) }}
    where record_status = 'staged' and loaded_at >= {{ known_until() }}
    {%- endfor %}
),

-- Global ids of masters that what had landed names and that had not landed.
names_missing as (
    {% for name, namings in named_by.items() -%}
    {%- set outer_loop = loop -%}
    {%- for model, id, condition in namings -%}
    select distinct '{{ name }}' as source_table, {{ id }} as member_id
    from {{ ref(model) }}
    where {{ condition }}
    {{ 'union' if not (loop.last and outer_loop.last) }}
    {% endfor -%}
    {% endfor %}
),

masters_landed as (
    select cast(null as {{ dbt.type_string() }}) as source_table, cast(null as {{ dbt.type_string() }}) as member_id, cast(null as timestamp) as first_landed_at,
        cast(null as timestamp) as last_landed_at where false
    {%- for name, key in masters.items() if not is_absent(*name.split('.')) and not is_overwritten(*name.split('.')) %}
    {%- set relation = source(*name.split('.')) %}
    {%- set loaded_at = parse_cell('loaded_at', 'timestamp', raw_column_types(relation).get('loaded_at', true)) %}
    union all
    select
        '{{ name }}' as source_table,
        {{ global_id('lower(' ~ cell_text('source_system') ~ ')', cell_text(key)) }} as member_id,
        min({{ loaded_at }}) as first_landed_at,
        max({{ loaded_at }}) as last_landed_at
    from {{ relation }}
    group by {{ global_id('lower(' ~ cell_text('source_system') ~ ')', cell_text(key)) }}
    {%- endfor %}
),

tables_without_versions as (
    select source_table
    from masters_landed
    group by source_table
    having max(case when first_landed_at < last_landed_at then 1 else 0 end) = 0
),

overwritten as (
    select masters_landed.source_table, count(*) as record_count
    from masters_landed
    inner join tables_without_versions
        on masters_landed.source_table = tables_without_versions.source_table
    inner join names_missing
        on masters_landed.source_table = names_missing.source_table
        and masters_landed.member_id = names_missing.member_id
    where masters_landed.first_landed_at >= {{ known_until() }}
    group by masters_landed.source_table
),

-- Of what a run had read, all that landed by its last landing has to be there still. The run that had read furthest is asked.
readings as (
    select
        source_table,
        record_count,
        latest_loaded_at,
        row_number() over (partition by source_table order by latest_loaded_at desc, record_count desc, run_id asc) as place
    from {{ source('audit', 'run_log_inputs') }}
    where latest_loaded_at < {{ known_until() }}
),

vanished as (
    select cast(null as {{ dbt.type_string() }}) as source_table, cast(null as bigint) as record_count where false
    {%- for raw_table in raw_tables() if not is_absent(raw_table.system, raw_table.table) and not is_overwritten(raw_table.system, raw_table.table) %}
    union all
    select readings.source_table, max(readings.record_count) - count(landed.record_status) as record_count
    from readings
    left join {{ ref('stg_' ~ raw_table.system ~ '__' ~ raw_table.table) }} as landed
        on readings.latest_loaded_at >= landed.loaded_at or landed.loaded_at is null
    where readings.source_table = '{{ raw_table.system }}.{{ raw_table.table }}'
        and readings.place = 1
    group by readings.source_table
    {%- endfor %}
)

select
    source_table,
    source_table || ': ' || cast(record_count as {{ dbt.type_string() }}) || ' rows stand in that landed after known_on; their attributes and parents are those recorded, where a build has recorded them, else those of today' as obstacle
from stand_ins
where record_count > 0
union all
select
    source_table,
    source_table || ': ' || cast(record_count as {{ dbt.type_string() }}) || ' rows that had landed documents name have landed after known_on, and no row has an older version; if the feed overwrites, name the table in overwritten_tables' as obstacle
from overwritten
union all
select
    source_table,
    source_table || ': ' || cast(record_count as {{ dbt.type_string() }}) || ' rows that an earlier run had read are there no more' as obstacle
from vanished
where record_count > 0
{%- endif %}
