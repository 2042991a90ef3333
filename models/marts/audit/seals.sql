-- A seal over the events that have none, chained to the one before. The dates are those of the build, never the clock, so replaying
-- the same builds gives the same seals. One seal at a time; a build that recorded nothing leaves none.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false
) }}
with

recording as (
    select as_of_date, known_on from {{ ref('int_recording') }} where is_forward
)
{%- if is_incremental() %},

last_seal as (
    select seal_number, chain
    from {{ this }}
    where seal_number = (select max(seal_number) from {{ this }})
)
{%- endif %},

next_seal as (
    select
        {{ 'coalesce(last_seal.seal_number, 0) + 1' if is_incremental() else '1' }} as seal_number,
        recording.as_of_date,
        recording.known_on,
        {{ "coalesce(last_seal.chain, '" ~ first_previous_chain() ~ "')" if is_incremental() else "'" ~ first_previous_chain() ~ "'" }} as previous_chain
    from recording
    {{ 'left join last_seal on true' if is_incremental() }}
),

events as (
    select
        sealed_events.seal_number,
        sealed_events.row_hash,
        sealed_events.event_count,
        sealed_events.recorded_on < {{ seal_day('sealed_events.snapshot', 'next_seal') }} as is_late
    from {{ ref('sealed_events') }} as sealed_events
    inner join next_seal
        on sealed_events.seal_number = next_seal.seal_number
),

blocks as (
    {{ seal_blocks('events') }}
),

digests as (
    {{ seal_digests('blocks') }}
),

cells as (
    select
        cast(next_seal.seal_number as integer) as seal_number,
        next_seal.as_of_date,
        next_seal.known_on,
        cast(digests.event_count as bigint) as event_count,
        cast(digests.late_event_count as bigint) as late_event_count,
        cast(digests.block_count as integer) as block_count,
        digests.digest,
        next_seal.previous_chain
    from next_seal
    inner join digests
        on next_seal.seal_number = digests.seal_number
)

select
    seal_number,
    as_of_date,
    known_on,
    event_count,
    late_event_count,
    block_count,
    digest,
    previous_chain,
    {{ seal_chain('cells') }} as chain
from cells
