-- What has been sealed of the recorded history: an event when a row is written, one when it is closed. A build seals what no seal
-- covers yet, so the one after a killed build seals what that one had recorded; a build that looks back seals nothing. Rows dated
-- before the last seal were sealed by it and are not hashed again, nor those of a day of which as many are sealed as recorded: nothing is
-- ever taken back from a day. Events whose seal never came are joined by those of this build.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false
) }}
{% set seals = kept_relation('seals', always=true) if is_incremental() %}
{% set last_day = "coalesce((select last_day from last_seals where snapshot = '(snapshot)'), cast('0001-01-01' as date))" %}
with

recording as (
    select as_of_date from {{ ref('int_recording') }} where is_forward
)
{%- if seals %},

last_seals as (
    select
        sealed.snapshot,
        max({{ seal_day('sealed.snapshot', 'seals') }}) as last_day
    from (select distinct snapshot, seal_number from {{ this }}) as sealed
    inner join {{ seals }} as seals
        on sealed.seal_number = seals.seal_number
    group by sealed.snapshot
),

sealed_since as (
    select sealed.*
    from {{ this }} as sealed
    left join last_seals
        on sealed.snapshot = last_seals.snapshot
    where last_seals.last_day is null or sealed.recorded_on >= last_seals.last_day
),

days_due as (
    select snapshot, event_kind, recorded_on
    from (
        {% for snapshot in sealed_snapshots() -%}
        {% for event_kind, moment in {'opened': 'dbt_valid_from', 'closed': 'dbt_valid_to'}.items() -%}
        select '{{ snapshot }}' as snapshot, '{{ event_kind }}' as event_kind, cast({{ moment }} as date) as recorded_on, 1 as event_count
        from {{ ref(snapshot) }}
        where cast({{ moment }} as date) >= {{ last_day | replace('(snapshot)', snapshot) }}
        union all
        {% endfor -%}
        {% endfor -%}
        select snapshot, event_kind, recorded_on, -event_count as event_count from sealed_since
    ) as events
    group by snapshot, event_kind, recorded_on
    having sum(event_count) <> 0
)
{%- endif %},

recorded as (
    {% for snapshot in sealed_snapshots() -%}
    select
        '{{ snapshot }}' as snapshot,
        events.*
    from (
        {{ recorded_events(snapshot, ref(snapshot), days_due='days_due' if seals else none) }}
    ) as events
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

recorded_counted as (
    select snapshot, event_kind, row_key, valid_from, recorded_on, row_hash, count(*) as event_count
    from recorded
    group by snapshot, event_kind, row_key, valid_from, recorded_on, row_hash
)
{%- if is_incremental() %},

sealed_counted as (
    select snapshot, row_hash, sum(event_count) as event_count
    from {{ 'sealed_since where recorded_on in (select recorded_on from days_due)' if seals else this }}
    group by snapshot, row_hash
)
{%- endif %},

unsealed as (
    select
        {{ '(select cast(coalesce(max(seal_number), 0) + 1 as integer) from ' ~ seals ~ ')' if seals else '1' }} as seal_number,
        recorded_counted.snapshot,
        recorded_counted.event_kind,
        recorded_counted.row_key,
        recorded_counted.valid_from,
        recorded_counted.recorded_on,
        recorded_counted.row_hash,
        cast(recorded_counted.event_count{{ ' - coalesce(sealed_counted.event_count, 0)' if is_incremental() }} as bigint) as event_count
    from recorded_counted
    {{ 'left join sealed_counted on recorded_counted.snapshot = sealed_counted.snapshot and recorded_counted.row_hash = sealed_counted.row_hash' if is_incremental() }}
    where exists (select 1 from recording)
)

select * from unsealed where event_count > 0
