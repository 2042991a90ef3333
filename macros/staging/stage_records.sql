{# One row per landed record of a raw table: its columns typed, and the verdict on the record.

   staged       the latest valid version of its key
   superseded   an exact copy, or an older version of a key whose later version is valid
   quarantined  with the rule it breaks, the detail in words and the raw row as fixed-order text

   Re-deliveries are rare, so only the keys that stand more than once are compared with each other; every
   other record passes by without a window. The keys are told apart by a hash, which one narrow join compares also
   where a part of the key may be empty; two keys that share a hash only take the longer way, where windows compare
   the keys themselves. Each branch reads the source by itself, so that the engine can leave out what it does not need.
   `header`: the model lines find their headers in, its key without source_system, and its columns that lines take over, with their kinds.
   `keep`: the table is kept from run to run (records_kept), and only what it does not have is read. `kept_key` says so of another table, this
   model's, whose rows are these records: what the hash of its key is. #}
{% macro stage_records(relation, key, columns, required=[], rules=[], header=none, optional_key=[], keep=false, hashed=false, kept_key=none) %}
{%- set all_columns = columns_landed(columns) -%}
{%- set full_key = ['source_system'] + key -%}
{%- if keep -%} {{ keep_records(all_columns, full_key, header) }} {%- endif -%}
{%- set kept_key = key_hash(full_key) if keep and is_incremental() else kept_key -%}
{%- set hashed = keep or hashed -%}
{%- if is_absent(relation.schema, relation.identifier) %}
select
    {%- for name, kind in all_columns.items() %}
    cast(null as {{ cell_types()[kind].type }}) as {{ name }},
    {%- endfor %}
    {%- if hashed %}
    {{ record_hash([]) }} as record_hash,
    {%- endif %}
    {%- if header is not none %}
    {%- for name, kind in header.columns.items() %}
    cast(null as {{ cell_types()[kind].type }}) as {{ name }},
    {%- endfor %}
    {{ record_hash([]) }} as header_hash,
    {%- endif %}
    cast(null as {{ dbt.type_string() }}) as record_status,
    cast(null as {{ dbt.type_string() }}) as quarantine_rule,
    cast(null as {{ dbt.type_string() }}) as quarantine_detail,
    cast(null as {{ dbt.type_string() }}) as record_key,
    cast(null as {{ dbt.type_string() }}) as raw_record
where false
{%- else -%}
{%- set required_key = full_key | reject('in', optional_key) | list -%}
{%- set rule = cell_rule(all_columns, required_key, ['loaded_at'] + required, rules, relation) -%}
{%- set detail = cell_rule(all_columns, required_key, ['loaded_at'] + required, rules, relation, as_detail=true) -%}
{%- set raw_record = record_text(all_columns.keys(), prefix='raw_') -%}
{%- set records_due = 'records_due' if kept_key else none -%}
{%- set typed = typed_records(relation, all_columns, hashed=hashed, records_due=records_due) -%}
{%- set staged_columns = all_columns.keys() | list + (['record_hash'] if hashed else []) -%}
with

{% if records_due -%}
records_due as (
    {{ records_not_kept(relation, all_columns, full_key, kept_key) }}
),

{% endif -%}
repeated_keys as (
    select {{ key_hash(full_key) }} as key_hash
    from ({{ typed_records(relation, all_columns, only=full_key, records_due=records_due) }}) as typed
    group by {{ key_hash(full_key) }}
    having count(*) > 1
),

single_records as (
    select typed.*
    from ({{ typed }}) as typed
    left join repeated_keys
        on {{ key_hash(full_key, prefix='typed.') }} = repeated_keys.key_hash
    where repeated_keys.key_hash is null
),

single_records_ruled as (
    select *, {{ rule }} as quarantine_rule from single_records
),

repeated_records as (
    select typed.*
    from ({{ typed }}) as typed
    inner join repeated_keys
        on {{ key_hash(full_key, prefix='typed.') }} = repeated_keys.key_hash
),

repeated_records_ruled as (
    select *, {{ rule }} as quarantine_rule, {{ raw_record }} as raw_record from repeated_records
),

{# Valid records of one key and one landing that do not say the same cannot both be true. #}
repeated_records_compared as (
    select
        *,
        quarantine_rule is null
        and min(case when quarantine_rule is null then raw_record end)
            over (partition by {{ full_key | join(', ') }}, loaded_at rows between unbounded preceding and unbounded following)
        <> max(case when quarantine_rule is null then raw_record end)
            over (partition by {{ full_key | join(', ') }}, loaded_at rows between unbounded preceding and unbounded following)
        as is_conflicting
    from repeated_records_ruled
),

repeated_records_dated as (
    select
        *,
        max(case when quarantine_rule is null and not is_conflicting then loaded_at end)
            over (partition by {{ full_key | join(', ') }} rows between unbounded preceding and unbounded following)
        as latest_loaded_at,
        row_number() over (
            partition by {{ full_key | join(', ') }}, loaded_at, quarantine_rule
            order by raw_record
        ) as copy_number
    from repeated_records_compared
),

records as (
    select
        {{ staged_columns | join(', ') }},
        case when quarantine_rule is null then 'staged' else 'quarantined' end as record_status,
        quarantine_rule,
        case when quarantine_rule is not null then {{ detail }} end as quarantine_detail,
        case when quarantine_rule is not null then {{ record_key_text(full_key[1:], landed=true) }} end as record_key,
        case when quarantine_rule is not null then {{ raw_record }} end as raw_record
    from single_records_ruled
    union all
    select
        {{ staged_columns | join(', ') }},
        case
            when quarantine_rule is not null or is_conflicting then 'quarantined'
            when loaded_at < latest_loaded_at or copy_number > 1 then 'superseded'
            else 'staged'
        end as record_status,
        case when quarantine_rule is null and is_conflicting then 'conflicting_versions' else quarantine_rule end as quarantine_rule,
        case
            when quarantine_rule is null and is_conflicting then 'landed at the same moment with different content'
            when quarantine_rule is not null then {{ detail }}
        end as quarantine_detail,
        case when quarantine_rule is not null or is_conflicting then {{ record_key_text(full_key[1:], landed=true) }} end as record_key,
        case when quarantine_rule is not null or is_conflicting then raw_record end as raw_record
    from repeated_records_dated
)
{%- if header is none %}

select * from records
{%- else %}
{%- set header_join = [] -%}
{%- for name in ['source_system'] + header.key -%} {%- do header_join.append('records.' ~ name ~ ' = headers.' ~ name) -%} {%- endfor -%}
,

headers as (
    {{ header_states(header, 'select ' ~ key_hash(['source_system'] + header.key) ~ ' from records' if records_due else none) }}
),

records_with_header as (
    select
        records.*,
        {%- for name in header.columns | list + ['header_hash'] %}
        case when records.record_status = 'staged' then headers.{{ name }} end as {{ name }},
        {%- endfor %}
        case
            when records.record_status <> 'staged' then null
            when headers.source_system is null then 'header_missing'
            else headers.header_rule
        end as header_rule
    from records
    left join headers
        on {{ header_join | join(' and ') }}
)

select
    {{ staged_columns | join(', ') }},
    {{ (header.columns | list + ['header_hash']) | join(', ') }},
    case when header_rule is not null then 'quarantined' else record_status end as record_status,
    coalesce(quarantine_rule, header_rule) as quarantine_rule,
    case
        when header_rule = 'header_missing' then 'no record of its header has landed; released when it arrives'
        when header_rule = 'header_quarantined' then 'its header is quarantined'
        else quarantine_detail
    end as quarantine_detail,
    case when header_rule is not null then {{ record_key_text(full_key[1:]) }} else record_key end as record_key,
    case when header_rule is not null then {{ record_text(all_columns.keys()) }} else raw_record end as raw_record
from records_with_header
{%- endif %}
{%- endif %}
{% endmacro %}


{# The raw columns under raw_<name> beside their typed values; of `records_due`, a selection of the same raw records, where it is given. #}
{% macro typed_records(relation, columns, only=none, hashed=false, records_due=none) %}
{%- set raw_types = raw_column_types(relation) -%}
select
    {%- for name, kind in columns.items() if only is none or name in only %}
    {%- if only is none %}
    landed.{{ name }} as raw_{{ name }},
    {%- endif %}
    {{ landed_cell(name, kind, raw_types) }} as {{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
    {%- if hashed %},
    {{ record_hash(columns) }} as record_hash
    {%- endif %}
from {{ records_due ~ ' as landed' if records_due else known_records(relation) }}
{% endmacro %}


{# What has landed, as `landed`. `known_on` hides what landed later (R19), except where a table holds the latest version alone. #}
{% macro known_records(relation) -%}
{{ relation }} as landed
{%- if var('known_on', none) is not none and not is_overwritten(relation.schema, relation.identifier) %}
where not coalesce({{ landed_cell('loaded_at', 'timestamp', raw_column_types(relation)) }} >= {{ dbt.dateadd('day', 1, "cast('" ~ var('known_on') ~ "' as date)") }}, false)
{%- endif %}
{%- endmacro %}


{# A cell of `landed` as its type. #}
{% macro landed_cell(name, kind, raw_types) -%}
    {%- if name == 'source_system' -%} lower({{ cell_text('landed.source_system') }})
    {%- else -%} {{ parse_cell('landed.' ~ name, kind, raw_types.get(name, true)) }}
    {%- endif -%}
{%- endmacro %}


{# column name -> does it land as text? Everything does until the warehouse can be asked. #}
{% macro raw_column_types(relation) %}
    {% set types = {} %}
    {% if execute %}
        {% for column in adapter.get_columns_in_relation(relation) %}
            {% do types.update({column.name | lower: column.is_string()}) %}
        {% endfor %}
    {% endif %}
    {{ return(types) }}
{% endmacro %}


{# The first rule a record breaks, or (as_detail) the words for it. #}
{% macro cell_rule(columns, key, required, rules, relation, as_detail=false) %}
{%- set raw_types = raw_column_types(relation) -%}
case
    {%- for name in key %}
    when {{ cell_text('raw_' ~ name) if raw_types.get(name, true) else 'raw_' ~ name }} is null
        then {{ "'" ~ name ~ " is empty'" if as_detail else "'key_missing'" }}
    {%- endfor %}
    {%- for name, kind in columns.items() if kind != 'text' %}
    when {{ name }} is null and {{ cell_text('raw_' ~ name) if raw_types.get(name, true) else 'raw_' ~ name }} is not null
        then {% if as_detail -%}
            '{{ name }}: "' || cast(raw_{{ name }} as {{ dbt.type_string() }}) || '" is not {{ cell_types()[kind].words }}'
        {%- else -%} 'cell_unparseable' {%- endif %}
    {%- endfor %}
    {%- for rule in rules %}
    when {{ rule.when }} then {{ rule.detail if as_detail else "'" ~ rule.rule ~ "'" }}
    {%- endfor %}
    {%- for name in required %}
    when {{ name }} is null then {{ "'" ~ name ~ " is empty'" if as_detail else "'required_value_missing'" }}
    {%- endfor %}
end
{%- endmacro %}


{# A record as one text, its columns in the order of the contract: invoice_id=1|line_number=1|... #}
{% macro record_text(columns, prefix='') -%}
    {%- for name in columns -%}
        '{{ '|' if not loop.first }}{{ name }}=' || coalesce(cast({{ prefix }}{{ name }} as {{ dbt.type_string() }}), '')
        {{- ' || ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# The native key as one text: invoice_id|line_number. `landed`: a part that cannot be read stands as it landed. #}
{% macro record_key_text(key, landed=false) -%}
    {%- for name in key -%}
        coalesce(cast({{ name }} as {{ dbt.type_string() }}), {% if landed %}cast(raw_{{ name }} as {{ dbt.type_string() }}), {% endif %}'')
        {{- " || '|' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# The columns of a raw table with those that every one has, in the order of the contract. #}
{% macro columns_landed(columns) %}
    {%- set all_columns = {'source_system': 'text'} -%}
    {%- do all_columns.update(columns) -%}
    {%- do all_columns.update({'loaded_at': 'timestamp'}) -%}
    {{ return(all_columns) }}
{% endmacro %}
