{# What is sealed: every snapshot, the date of the build that dates its rows, what tells its rows apart, and its columns in the order
   of their text. A column that is added later goes to the end: it is null in older rows, and a null is no part of the text. #}
{% macro sealed_snapshots() -%}
    {{ return({
        'snap_segment_tiers': {
            'dated_by': 'as_of_date',
            'key': {'segment_type_id': 'text', 'member_id': 'text'},
            'columns': {
                'segment_type_id': 'text', 'entity': 'text', 'family': 'text', 'version': 'integer', 'member_id': 'text',
                'entity_id': 'text', 'inherited_from': 'text', 'tier': 'text', 'computed_tier': 'text', 'reason_code': 'text',
                'tier_source': 'text', 'override_id': 'text', 'override_reason': 'text', 'window_from': 'date',
                'window_to': 'date', 'net_sales': 'hundredths', 'metric_amount': 'hundredths', 'eligible_amount': 'hundredths',
                'share_before': 'millionths', 'cumulative_share': 'millionths', 'distance_to_better_tier': 'hundredths',
                'distance_to_worse_tier': 'hundredths', 'dbt_valid_from': 'date', 'dbt_is_deleted': 'text',
            },
        },
        'snap_customer_parents': {
            'dated_by': 'as_of_date',
            'key': {'customer_id': 'text'},
            'columns': {
                'customer_id': 'text', 'erp_parent_id': 'text', 'crm_parent_id': 'text', 'parent_id': 'text',
                'parent_source': 'text', 'ultimate_parent_id': 'text', 'hierarchy_status': 'text', 'vat_group_id': 'text',
                'dbt_valid_from': 'date', 'dbt_is_deleted': 'text',
            },
        },
        'snap_configuration': {
            'dated_by': 'as_of_date',
            'key': {'seed': 'text', 'row_key': 'text'},
            'columns': {
                'seed': 'text', 'row_key': 'text', 'row_content': 'text', 'dbt_valid_from': 'date', 'dbt_is_deleted': 'text',
            },
        },
        'snap_segment_periods': {
            'dated_by': 'known_on',
            'key': {'segment_type_id': 'text', 'member_id': 'text', 'valid_from': 'date'},
            'columns': {
                'segment_type_id': 'text', 'entity': 'text', 'member_id': 'text', 'valid_from': 'date', 'valid_to': 'date',
                'period_status': 'text', 'entity_id': 'text', 'tier': 'text', 'computed_tier': 'text', 'reason_code': 'text',
                'tier_source': 'text', 'override_id': 'text', 'metric_amount': 'hundredths', 'dbt_valid_from': 'date',
            },
        },
        'snap_customer_attributes': {
            'dated_by': 'as_of_date',
            'key': {'customer_attribute_id': 'text'},
            'columns': {
                'customer_attribute_id': 'text', 'customer_id': 'text', 'attribute': 'text', 'attribute_value': 'text',
                'dbt_valid_from': 'date',
            },
        },
    }) }}
{%- endmacro %}


{# A value as text that every engine writes alike. A decimal is the whole number of its hundredths or millionths: taken from its
   digits, for engines print zeros as they like and DuckDB divides wide numbers bit by bit. #}
{% macro canonical_value(expression, kind) -%}
    {%- set text = dbt.type_string() -%}
    {%- if kind == 'text' -%} cast({{ expression }} as {{ text }})
    {%- elif kind == 'integer' -%} cast(cast({{ expression }} as bigint) as {{ text }})
    {%- elif kind in ['hundredths', 'millionths'] -%} {{ digits_of_decimal(expression, {'hundredths': 2, 'millionths': 6}[kind], 'bigint') }}
    {%- elif kind.startswith('decimal ') -%} {{ digits_of_decimal(expression, kind.split(' ')[1] | int, 'numeric(38, 0)') }}
    {%- elif kind == 'timestamp' -%} {{ iso_timestamp(expression) }}
    {%- elif kind == 'date' -%} {{ iso_date(expression) }}
    {%- elif kind == 'boolean' -%} case when {{ expression }} then 'true' when not {{ expression }} then 'false' end
    {%- else -%} {{ exceptions.raise_compiler_error('canonical_value knows no kind ' ~ kind ~ '.') }}
    {%- endif -%}
{%- endmacro %}


{# A decimal as the whole number of its last places, from its digits; `whole` is a type that is wide enough. #}
{% macro digits_of_decimal(expression, scale, whole) -%}
    {{ return(adapter.dispatch('digits_of_decimal', 'stratum')(expression, scale, whole)) }}
{%- endmacro %}
{% macro default__digits_of_decimal(expression, scale, whole) -%}
    {%- set text = dbt.type_string() -%}
    {%- set decimal = 'numeric(' ~ (18 if whole == 'bigint' else 38) ~ ', ' ~ scale ~ ')' -%}
    cast(cast(replace(cast(cast({{ expression }} as {{ decimal }}) as {{ text }}), '.', '') as {{ whole }}) as {{ text }})
{%- endmacro %}


{# A row as one text: its name, then column=length:value for every column that is not null. The length in front of the value, in
   characters, leaves no way for two rows to share a text. #}
{% macro canonical_text(name, columns) -%}
    concat_ws(
        ' ',
        '{{ name }}'
        {%- for column, kind in columns.items() %},
        '{{ column }}=' || cast(length({{ canonical_value(column, kind) }}) as {{ dbt.type_string() }}) || ':' || {{ canonical_value(column, kind) }}
        {%- endfor %}
    )
{%- endmacro %}


{# Select of what happened to the rows of a snapshot: each was opened once, and closed at most once. A close is sealed with the hash
   of the row it closes, for two builds for one day leave rows of the same key and day. Days are expressions: from_day is included,
   to_day is not, and without a from_day rows without a date are there too. Or `days_due`, a relation of snapshot, event_kind and recorded_on,
   says of which days. #}
{% macro recorded_events(snapshot, relation, from_day=none, to_day=none, days_due=none) -%}
    {%- set sealed = sealed_snapshots()[snapshot] -%}
    {%- set asked = {} -%}
    {%- for event_kind, cell, day in [('opened', 'dbt_valid_from', 'opened_on'), ('closed', 'dbt_valid_to', 'closed_on')] -%}
        {%- set condition -%}
            {%- if days_due -%}
            (date) in (select recorded_on from {{ days_due }} where snapshot = '{{ snapshot }}' and event_kind = '{{ event_kind }}')
            {%- else -%}
            {{ is_between_days('(date)', from_day, to_day) }}
            {%- endif -%}
        {%- endset -%}
        {%- do asked.update({cell: condition | replace('(date)', 'cast(' ~ cell ~ ' as date)'), day: condition | replace('(date)', 'hashed_rows.' ~ day)}) -%}
    {%- endfor -%}
    select
        event_kinds.event_kind,
        hashed_rows.row_key,
        hashed_rows.opened_on as valid_from,
        case when event_kinds.event_kind = 'opened' then hashed_rows.opened_on else hashed_rows.closed_on end as recorded_on,
        case
            when event_kinds.event_kind = 'opened' then hashed_rows.row_hash
            else {{ sha256_hex("hashed_rows.row_hash || ' closed ' || " ~ iso_date('hashed_rows.closed_on')) }}
        end as row_hash
    from (
        select
            concat_ws('|'
            {%- for column, kind in sealed.key.items() %}, {{ canonical_value(column, kind) }}{% endfor %}) as row_key,
            cast(dbt_valid_from as date) as opened_on,
            cast(dbt_valid_to as date) as closed_on,
            {{ sha256_hex(canonical_text(snapshot, sealed.columns)) }} as row_hash
        from {{ relation }}
        where {{ asked.dbt_valid_from }}
            or (dbt_valid_to is not null and {{ asked.dbt_valid_to }})
    ) as hashed_rows
    cross join (select 'opened' as event_kind union all select 'closed' as event_kind) as event_kinds
    where (event_kinds.event_kind = 'opened' and {{ asked.opened_on }})
        or (
            event_kinds.event_kind = 'closed'
            and hashed_rows.closed_on is not null
            and {{ asked.closed_on }}
        )
{%- endmacro %}


{% macro is_between_days(date, from_day, to_day) -%}
    {%- set conditions = [] -%}
    {%- if from_day -%} {%- do conditions.append(date ~ ' >= ' ~ from_day) -%} {%- endif -%}
    {%- if to_day -%} {%- do conditions.append(date ~ ' < ' ~ to_day if from_day else '(' ~ date ~ ' < ' ~ to_day ~ ' or ' ~ date ~ ' is null)') -%} {%- endif -%}
    {{ '(' ~ conditions | join(' and ') ~ ')' if conditions else 'true' }}
{%- endmacro %}


{# Selects from sealed events to the digest of a seal. The hashes are put in order block by block, by their first three digits, so
   that nobody ever has to hold all of them. #}
{% macro seal_blocks(events) -%}
    select
        seal_number,
        substring(row_hash, 1, 3) as block,
        sum(event_count) as event_count,
        sum(case when is_late then event_count else 0 end) as late_event_count,
        {{ sha256_hex(texts_in_order("row_hash || ':' || cast(event_count as " ~ dbt.type_string() ~ ")")) }} as block_digest
    from {{ events }}
    group by seal_number, substring(row_hash, 1, 3)
{%- endmacro %}
{% macro seal_digests(blocks) -%}
    select
        seal_number,
        sum(event_count) as event_count,
        sum(late_event_count) as late_event_count,
        count(*) as block_count,
        {{ sha256_hex(texts_in_order("block || ':' || block_digest")) }} as digest
    from {{ blocks }}
    group by seal_number
{%- endmacro %}


{# The date of a seal by which the rows of a snapshot are dated; `seal` has both. #}
{% macro seal_day(snapshot, seal) -%}
    case
        {%- for name, sealed in sealed_snapshots().items() if sealed.dated_by == 'known_on' %}
        when {{ snapshot }} = '{{ name }}' then {{ seal }}.known_on
        {%- endfor %}
        else {{ seal }}.as_of_date
    end
{%- endmacro %}


{# The link of a seal to all before it; a relation or alias with its cells. #}
{% macro seal_chain(seal) -%}
    {%- set text = dbt.type_string() -%}
    {{ sha256_hex([
        seal ~ '.previous_chain',
        'cast(' ~ seal ~ '.seal_number as ' ~ text ~ ')',
        iso_date(seal ~ '.as_of_date'),
        iso_date(seal ~ '.known_on'),
        'cast(' ~ seal ~ '.event_count as ' ~ text ~ ')',
        'cast(' ~ seal ~ '.late_event_count as ' ~ text ~ ')',
        seal ~ '.digest',
    ] | join(" || '|' || ")) }}
{%- endmacro %}


{# What the first seal follows on. #}
{% macro first_previous_chain() -%}
    {{ return('0' * 64) }}
{%- endmacro %}


{# Says at the end of a run that made a seal which one it was, for the log is kept elsewhere than the warehouse. #}
{% macro log_last_seal(results) -%}
    {%- if execute and results | selectattr('node.name', 'equalto', 'seals') | selectattr('status', 'equalto', 'success') | list -%}
        {%- set seals = kept_relation('seals', always=true) -%}
        {%- set found = run_query('select seal_number, as_of_date, event_count, chain from ' ~ seals ~ ' order by seal_number desc limit 1').rows
            if seals is not none else [] -%}
        {%- for seal in found -%}
            {%- do log('Last seal: ' ~ seal[0] ~ ' of ' ~ seal[1] ~ ', ' ~ '{:,}'.format(seal[2] | int) ~ ' events, head ' ~ seal[3], info=true) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
