{# How a staging table of movements is kept from run to run, and stays what a full refresh would make of it. No mark says how far
   the last run came: the table itself is held against the raw table, landing day by landing day, by the sum of the hashes of its
   records. Late, changed and vanished records need no case of their own, and a run that was killed leaves nothing to mend.

   1. All records go out whose key stands in a landing day that is not the same on both sides, with every version of the key: a
      re-delivery moves the verdict of older ones.
   2. Lines go out whose header is no longer what they took from it, or what their verdict says of it. Those that go on waiting stay: they
      stand in every landing day, and what comes in would look through all of them.
   3. What comes in is what is not there: of landing days with fewer records than landed, the keys that are missing. #}
{% macro keep_records(columns, key, header=none) -%}
    {%- set hooks = ['{{ drop_records_due(raw_table_of(this), ' ~ columns ~ ', ' ~ key ~ ') }}'] -%}
    {%- if header is not none -%}
        {%- do hooks.append('{{ drop_records_of_other_headers(' ~ key ~ ', ' ~ header ~ ') }}') -%}
    {%- endif -%}
    {{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', pre_hook=hooks) }}
{%- endmacro %}


{# Step 1. `kept_key`: the hash of the key in the table, where it does not have the columns of the key. #}
{% macro drop_records_due(relation, columns, key, kept_key=none) -%}
    {%- if is_incremental() -%}
    {%- set kept_key = kept_key or key_hash(key) -%}
    {%- if is_absent(relation.schema, relation.identifier) -%}
    delete from {{ this }}
    {%- else -%}
    {#- Keys are hashed of the days that are due alone. -#}
    delete from {{ this }}
    where {{ kept_key }} in (
        with

        days_due as (
            select landed_on
            from (
                select {{ landed_on(landed_cell('loaded_at', 'timestamp', raw_column_types(relation))) }} as landed_on, cast({{ record_hash(columns) }} as numeric(38, 0)) as record_hash
                from {{ known_records(relation) }}
                union all
                select {{ landed_on('loaded_at') }} as landed_on, -cast(record_hash as numeric(38, 0)) as record_hash
                from {{ this }}
            ) as landing_days
            group by landed_on
            having sum(record_hash) <> 0
        )

        select {{ key_hash(key) }} as key_hash
        from (
            {{ typed_records(relation, columns, only=key + ['loaded_at']) }}
        ) as landed_records
        where {{ landed_on('loaded_at') }} in (select landed_on from days_due)
        union all
        select {{ kept_key }} as key_hash
        from {{ this }}
        where {{ landed_on('loaded_at') }} in (select landed_on from days_due)
    )
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Step 2. #}
{% macro drop_records_of_other_headers(key, header) -%}
    {%- set headers, header_key = ref(header.model), ['source_system'] + header.key -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where {{ key_hash(key) }} in (
        select {{ key_hash(key, prefix='lines.') }}
        from {{ this }} as lines
        left join (select {{ header_hash(header) }} as header_hash from {{ headers }} where record_status = 'staged') as headers
            on lines.header_hash = headers.header_hash
        where lines.record_status = 'staged' and headers.header_hash is null
        union all
        select {{ key_hash(key, prefix='waiting.') }}
        from (select * from {{ this }} where quarantine_rule in ('header_missing', 'header_quarantined')) as waiting
        left join (
            {{ header_states(header, 'select ' ~ key_hash(header_key) ~ ' from ' ~ this ~ " where quarantine_rule in ('header_missing', 'header_quarantined')") }}
        ) as header_states
            on {% for name in header_key %}{{ ' and ' if not loop.first }}waiting.{{ name }} = header_states.{{ name }}{% endfor %}
        where waiting.quarantine_rule <> case when header_states.source_system is null then 'header_missing' else coalesce(header_states.header_rule, 'none') end
    )
    {%- endif -%}
{%- endmacro %}


{# What became of headers, and what lines take from them; `only`: a select of hashes of the keys that are asked for. #}
{% macro header_states(header, only=none) -%}
    {%- set header_key = ['source_system'] + header.key -%}
    select
        {{ header_key | join(', ') }},
        {%- for name in header.columns %}
        max(case when record_status = 'staged' then {{ name }} end) as {{ name }},
        {%- endfor %}
        max(case when record_status = 'staged' then {{ header_hash(header) }} end) as header_hash,
        case when max(case when record_status = 'staged' then 1 else 0 end) = 0 then 'header_quarantined' end as header_rule
    from {{ ref(header.model) }}
    {%- if only %}
    where {{ key_hash(header_key) }} in ({{ only }})
    {%- endif %}
    group by {{ header_key | join(', ') }}
{%- endmacro %}


{# All that a line takes from its header. #}
{% macro header_hash(header) -%}
    {{ key_hash(['source_system'] + header.key + header.columns | list) }}
{%- endmacro %}


{# Step 3, the raw records as they landed. #}
{% macro records_not_kept(relation, columns, key, kept_key) -%}
    {%- set raw_types = raw_column_types(relation) -%}
    {%- set landed_key = [] -%}
    {%- for name in key -%} {%- do landed_key.append(landed_cell(name, columns[name], raw_types)) -%} {%- endfor -%}
    {# The hash of the key is a column before it is looked for: an expression inside of the exists would be worked out for every pair. #}
    select landed.*
    from (
        select landed.*, {{ key_hash(landed_key) }} as key_hash
        from (
            select landed.*, {{ landed_on(landed_cell('loaded_at', 'timestamp', raw_types)) }} as landed_on
            from {{ known_records(relation) }}
        ) as landed
        where landed.landed_on in (
            select landed_on
            from (
                select {{ landed_on(landed_cell('loaded_at', 'timestamp', raw_types)) }} as landed_on, 1 as record_count
                from {{ known_records(relation) }}
                union all
                select {{ landed_on('loaded_at') }} as landed_on, -1 as record_count
                from {{ this }}
            ) as landing_days
            group by landed_on
            having sum(record_count) <> 0
        )
    ) as landed
    where not exists (
        select 1 from (select {{ kept_key }} as kept_key from {{ this }}) as kept
        where kept.kept_key = landed.key_hash
    )
{%- endmacro %}


{# The day a record landed, as a name: one for all that do not say. #}
{% macro landed_on(loaded_at) -%}
    coalesce(cast({{ loaded_at }} as date), cast('0001-01-01' as date))
{%- endmacro %}


{# What a record says, as it landed. In another currency, and after an upgrade, everything is judged anew. #}
{% macro record_hash(columns) -%}
    {%- set cells = [] -%}
    {%- for name in columns -%} {%- do cells.append('landed.' ~ name) -%} {%- endfor -%}
    {{ key_hash(cells + ["cast('" ~ var('code_version') ~ ' ' ~ var('reporting_currency') ~ "' as " ~ dbt.type_string() ~ ")"]) }}
{%- endmacro %}


{# The raw table of a staging model. #}
{% macro raw_table_of(staging_relation) %}
    {%- set system, raw_table = staging_relation.identifier[4:].split('__') -%}
    {{ return(source(system, raw_table)) }}
{% endmacro %}
