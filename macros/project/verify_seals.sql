{# Holds the recorded history against its seals: dbt run-operation verify_seals. It writes nothing and names the first fault of each kind.
   `head` is a chain that was kept elsewhere; without one, whoever rewrites everything can also seal it anew. The work is cut
   into pieces of about `events_at_once`, so that memory depends on neither the length of the history nor the number of seals. #}
{% macro verify_seals(head=none, events_at_once=2000000) -%}
    {%- set seals, events = kept_relation('seals', always=true), kept_relation('sealed_events', always=true) -%}
    {%- if seals is none or events is none -%}
        {{ exceptions.raise_compiler_error('There is nothing to verify: ' ~ ('audit.seals' if seals is none else 'audit.sealed_events') ~ ' is not there. dbt build makes it; if it was there before, somebody took it away.') }}
    {%- endif -%}
    {%- set faults = chain_faults(seals, events, head) + digest_faults(seals, events, events_at_once) -%}
    {%- for snapshot in sealed_snapshots() -%}
        {%- do faults.extend(row_faults(snapshot, seals, events, events_at_once)) -%}
    {%- endfor -%}
    {%- if faults -%}
        {{ exceptions.raise_compiler_error('The recorded history is not what was sealed:\n  ' ~ faults | join('\n  ')) }}
    {%- endif -%}
    {%- set sums = run_query('select count(*), coalesce(sum(event_count), 0), coalesce(sum(late_event_count), 0) from ' ~ seals).rows[0] -%}
    {%- set last_chain = run_query('select chain from ' ~ seals ~ ' order by seal_number desc limit 1').rows -%}
    {%- do print('Seals verified: ' ~ '{:,}'.format(sums[0] | int) ~ ' seals, ' ~ '{:,}'.format(sums[1] | int) ~ ' events ('
        ~ '{:,}'.format(sums[2] | int) ~ ' sealed later than their day), head ' ~ (last_chain[0][0] if last_chain else 'none')) -%}
{%- endmacro %}


{# The seals among themselves. #}
{% macro chain_faults(seals, events, head) -%}
    {%- set faults = [] -%}
    {%- set first_fault -%}
    with

    numbered as (
        select
            seals.*,
            row_number() over (order by seal_number asc, chain asc) as place,
            lag(chain) over (order by seal_number asc, chain asc) as chain_before,
            {{ seal_chain('seals') }} as chain_recomputed
        from {{ seals }} as seals
    ),

    faults as (
        select
            seal_number,
            place,
            {{ iso_date('as_of_date') }} as as_of_date,
            case
                when seal_number > place then 'number'
                when seal_number < place then 'twice'
                when chain is distinct from chain_recomputed then 'cells'
                when previous_chain is distinct from coalesce(chain_before, '{{ first_previous_chain() }}') then 'link'
            end as fault
        from numbered
    )

    select seal_number, place, as_of_date, fault from faults where fault is not null order by place limit 1
    {%- endset -%}
    {%- for fault in run_query(first_fault).rows -%}
        {%- set seal = 'Seal ' ~ fault[0] ~ ' (as of ' ~ fault[2] ~ ')' -%}
        {%- do faults.append({
            'number': 'Seal ' ~ fault[1] ~ ' is missing: the next one there is seal ' ~ fault[0] ~ ' (as of ' ~ fault[2] ~ ').',
            'twice': seal ~ ' is there twice.',
            'cells': seal ~ ' was altered: its chain is not that of its cells.',
            'link': seal ~ ' does not follow on the seal before it: one of the two was replaced.',
        }[fault[3]]) -%}
    {%- endfor -%}
    {%- set without_seal -%}
    select min(seal_number), sum(event_count)
    from {{ events }}
    where seal_number > (select coalesce(max(seal_number), 0) from {{ seals }})
    {%- endset -%}
    {%- for found in run_query(without_seal).rows if found[0] is not none -%}
        {%- do faults.append('Seal ' ~ found[0] ~ ' is missing at the end: there are ' ~ found[1] ~ ' events of it. It was taken out, or its build was stopped; in that case the next build makes it.') -%}
    {%- endfor -%}
    {%- if head is not none and run_query("select count(*) from " ~ seals ~ " where chain = '" ~ head ~ "'").rows[0][0] == 0 -%}
        {%- do faults.append('No seal has the head ' ~ head ~ ' that was kept: the seals up to it were made anew or taken out.') -%}
    {%- endif -%}
    {{ return(faults) }}
{%- endmacro %}


{# The seals against the events they were made from: small seals together, one that is larger than a piece sixteenth by sixteenth. #}
{% macro digest_faults(seals, events, events_at_once) -%}
    {%- set pieces = [] -%}
    {%- set piece = {'numbers': [], 'event_count': 0} -%}
    {%- for seal in run_query('select seal_number, sum(event_count) from ' ~ events ~ ' group by seal_number order by seal_number').rows -%}
        {%- if piece.numbers and piece.event_count + seal[1] > events_at_once -%}
            {%- do pieces.append({'first': piece.numbers[0], 'last': piece.numbers[-1], 'event_count': piece.event_count}) -%}
            {%- do piece.update({'numbers': [], 'event_count': 0}) -%}
        {%- endif -%}
        {%- do piece.numbers.append(seal[0] | int) -%}
        {%- do piece.update({'event_count': piece.event_count + seal[1] | int}) -%}
    {%- endfor -%}
    {%- if piece.numbers -%}
        {%- do pieces.append({'first': piece.numbers[0], 'last': piece.numbers[-1], 'event_count': piece.event_count}) -%}
    {%- endif -%}
    {%- set faults = [] -%}
    {%- for piece in pieces if not faults -%}
        {%- set blocks = 'blocks' -%}
        {%- set blocks_listed = [] -%}
        {%- if piece.first == piece.last and piece.event_count > events_at_once -%}
            {%- for digit in '0123456789abcdef' -%}
                {%- set sixteenth = blocks_of_events(seals, events, piece, digit) ~ ' select block, event_count, late_event_count, block_digest from blocks' -%}
                {%- for block in run_query(sixteenth).rows -%}
                    {%- do blocks_listed.append("select " ~ piece.first ~ " as seal_number, '" ~ block[0] ~ "' as block, " ~ block[1] ~ " as event_count, " ~ block[2] ~ " as late_event_count, '" ~ block[3] ~ "' as block_digest") -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endif -%}
        {%- set first_fault -%}
        {%- if blocks_listed -%}
        with

        blocks as (
            {{ blocks_listed | join('\n            union all ') }}
        ),
        {%- else -%}
        {{ blocks_of_events(seals, events, piece) }},
        {%- endif %}

        digests as (
            {{ seal_digests('blocks') }}
        )

        select seals.seal_number, {{ iso_date('seals.as_of_date') }} as as_of_date, seals.event_count, coalesce(digests.event_count, 0) as events_found
        from {{ seals }} as seals
        left join digests
            on seals.seal_number = digests.seal_number
        where seals.seal_number between {{ piece.first }} and {{ piece.last }}
            and (
                digests.seal_number is null
                or digests.digest <> seals.digest
                or digests.event_count <> seals.event_count
                or digests.late_event_count <> seals.late_event_count
                or digests.block_count <> seals.block_count
            )
        order by seals.seal_number
        limit 1
        {%- endset -%}
        {%- for fault in run_query(first_fault).rows -%}
            {%- do faults.append('Seal ' ~ fault[0] ~ ' (as of ' ~ fault[1] ~ ') was not made from the events that stand under it in audit.sealed_events: they were altered, or the seal was; it says '
                ~ fault[2] ~ ' events and there are ' ~ fault[3] ~ '.') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set without_events -%}
    select min(seals.seal_number)
    from {{ seals }} as seals
    left join (select distinct seal_number from {{ events }}) as events
        on seals.seal_number = events.seal_number
    where events.seal_number is null
    {%- endset -%}
    {%- for found in run_query(without_events).rows if found[0] is not none -%}
        {%- do faults.append('Seal ' ~ found[0] ~ ' has no events in audit.sealed_events: they were taken out.') -%}
    {%- endfor -%}
    {{ return(faults) }}
{%- endmacro %}


{# CTEs from the events of some seals to their blocks; of one sixteenth of them with a first digit. #}
{% macro blocks_of_events(seals, events, piece, digit=none) -%}
        with

        events as (
            select
                events.seal_number,
                events.row_hash,
                events.event_count,
                events.recorded_on < {{ seal_day('events.snapshot', 'seals') }} as is_late
            from {{ events }} as events
            inner join {{ seals }} as seals
                on events.seal_number = seals.seal_number
            where events.seal_number between {{ piece.first }} and {{ piece.last }}
                {%- if digit is not none %}
                and substring(events.row_hash, 1, 1) = '{{ digit }}'
                {%- endif %}
        ),

        blocks as (
            {{ seal_blocks('events') }}
        )
{%- endmacro %}


{# The rows of a snapshot against the sealed events, both ways and with their number, one span of days after the other. #}
{% macro row_faults(snapshot, seals, events, events_at_once) -%}
    {%- set borders = [] -%}
    {%- set span = {'event_count': 0} -%}
    {%- for day in run_query('select ' ~ iso_date('recorded_on') ~ ', sum(event_count) from ' ~ events ~ " where snapshot = '" ~ snapshot ~ "' and recorded_on is not null group by recorded_on order by recorded_on").rows -%}
        {%- if span.event_count and span.event_count + day[1] > events_at_once -%}
            {%- do borders.append("cast('" ~ day[0] ~ "' as date)") -%}
            {%- do span.update({'event_count': 0}) -%}
        {%- endif -%}
        {%- do span.update({'event_count': span.event_count + day[1] | int}) -%}
    {%- endfor -%}
    {%- set recorded = kept_relation(snapshot, always=true) -%}
    {%- if recorded is none -%}
        {{ return(['Snapshot ' ~ snapshot ~ ' is not there.']) }}
    {%- endif -%}
    {%- set faults = [] -%}
    {%- for border in borders + [none] if not faults -%}
        {%- set from_day, to_day = (borders[loop.index0 - 1] if loop.index0 else none), border -%}
        {%- set first_fault -%}
        with

        compared as (
            select event_kind, row_key, valid_from, recorded_on, row_hash, 1 as recorded_count, 0 as sealed_count, cast(null as integer) as seal_number
            from (
                {{ recorded_events(snapshot, recorded, from_day, to_day) }}
            ) as recorded
            union all
            select event_kind, row_key, valid_from, recorded_on, row_hash, 0 as recorded_count, event_count as sealed_count, seal_number
            from {{ events }}
            where snapshot = '{{ snapshot }}'
                and {{ is_between_days('recorded_on', from_day, to_day) }}
        ),

        differing as (
            select
                event_kind,
                row_key,
                valid_from,
                min(seal_number) as seal_number,
                sum(recorded_count) - sum(sealed_count) as surplus
            from compared
            group by event_kind, row_key, valid_from, recorded_on, row_hash
            having sum(recorded_count) <> sum(sealed_count)
        ),

        rows_differing as (
            select
                row_key,
                valid_from,
                min(case when surplus < 0 then seal_number end) as seal_number,
                max(case when event_kind = 'opened' and surplus < 0 then 1 else 0 end) as lacks_opening,
                max(case when event_kind = 'opened' and surplus > 0 then 1 else 0 end) as has_other_opening,
                max(case when event_kind = 'closed' and surplus < 0 then 1 else 0 end) as lacks_close,
                max(case when event_kind = 'closed' and surplus > 0 then 1 else 0 end) as has_other_close
            from differing
            group by row_key, valid_from
        ),

        rows_counted as (
            select
                rows_differing.*,
                {{ iso_date('seals.as_of_date') }} as as_of_date,
                count(*) over () as row_count
            from rows_differing
            left join {{ seals }} as seals
                on rows_differing.seal_number = seals.seal_number
        )

        select row_key, {{ iso_date('valid_from') }} as valid_from, seal_number, as_of_date, lacks_opening, has_other_opening, lacks_close, has_other_close, row_count
        from rows_counted
        order by case when seal_number is null then 1 else 0 end, seal_number, valid_from, row_key
        limit 1
        {%- endset -%}
        {%- for fault in run_query(first_fault).rows -%}
            {%- set lacks_opening, has_other_opening, lacks_close, has_other_close = fault[4], fault[5], fault[6], fault[7] -%}
            {%- if lacks_opening and has_other_opening -%} {%- set what = 'was altered' -%}
            {%- elif lacks_opening -%} {%- set what = 'is missing' -%}
            {%- elif has_other_opening -%} {%- set what = 'was inserted' -%}
            {%- elif lacks_close and has_other_close -%} {%- set what = 'was altered: it is closed otherwise' -%}
            {%- elif lacks_close -%} {%- set what = 'was altered: it is closed no more, or on another day' -%}
            {%- else -%} {%- set what = 'was altered: it is closed' -%}
            {%- endif -%}
            {%- set by = 'it stands under seal ' ~ fault[2] ~ ' (as of ' ~ fault[3] ~ ')' if fault[2] is not none
                else 'no seal has this, unless the build that recorded it was stopped before its seal' -%}
            {%- do faults.append(snapshot ~ ': the row ' ~ fault[0] ~ ' of ' ~ (fault[1] or 'no day') ~ ' ' ~ what ~ '; ' ~ by ~ '.'
                ~ (' ' ~ (fault[8] - 1) ~ ' more rows of about that time differ.' if fault[8] > 1 else '')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(faults) }}
{%- endmacro %}
