-- Guards the UTC moment of a raw cell: an offset is taken off, with or without seconds, and a day may change on the way.
with

known_values as (
    select
        cell,
        cast(expected_value as timestamp) as expected_value
    from (
        values
        ('2025-12-31 10:00:00+02:00', '2025-12-31 08:00:00'),
        ('2025-12-31T10:00:00+0200', '2025-12-31 08:00:00'),
        ('2025-12-31T10:00:00+02', '2025-12-31 08:00:00'),
        ('2025-12-31T23:30:00.5-05:30', '2026-01-01 05:00:00.5'),
        ('2025-12-31T10:00Z', '2025-12-31 10:00:00'),
        ('2025-12-31T10:00+02:00', '2025-12-31 08:00:00')
    ) as listed (cell, expected_value)
),

parsed as (
    select
        cell,
        expected_value,
        {{ parse_cell('cell', 'timestamp', true) }} as parsed_value
    from known_values
)

select *
from parsed
where parsed_value is distinct from expected_value
