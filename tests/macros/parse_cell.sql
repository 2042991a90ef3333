-- Guards the grammar of a raw cell: ISO dates and timestamps, point as decimal mark, no thousands separators. An expected
-- value of null is a cell that is empty or refused. Values are compared as text after the same cast.
{% set kinds = ['text', 'integer', 'amount', 'quantity', 'rate', 'date', 'timestamp', 'boolean'] %}
with

known_values as (
    select
        kind,
        cell,
        expected_value
    from (
        values
        ('text', 'Alder GmbH', 'Alder GmbH'),
        ('text', '  Alder GmbH ', 'Alder GmbH'),
        ('text', '', null),
        ('text', '   ', null),
        ('text', null, null),
        ('text', 'NULL', 'NULL'),
        ('integer', '12', '12'),
        ('integer', ' 12 ', '12'),
        ('integer', '+3', '3'),
        ('integer', '-3', '-3'),
        ('integer', '007', '7'),
        ('integer', '2147483647', '2147483647'),
        ('integer', '2147483648', null),
        ('integer', '12.0', null),
        ('integer', '12.', null),
        ('integer', '1e5', null),
        ('integer', '1,000', null),
        ('integer', '1 000', null),
        ('integer', '1_000', null),
        ('integer', '0x1F', null),
        ('integer', 'twelve', null),
        ('integer', '-', null),
        ('integer', '', null),
        ('amount', '12', '12'),
        ('amount', ' 12 ', '12'),
        ('amount', '1234.56', '1234.56'),
        ('amount', '-1234.56', '-1234.56'),
        ('amount', '+3', '3'),
        ('amount', '.5', '0.5'),
        ('amount', '5.', '5'),
        ('amount', '-.5', '-0.5'),
        ('amount', '0.000001', '0.000001'),
        ('amount', '999999999999.999999', '999999999999.999999'),
        ('amount', '1000000000000', null),
        ('amount', '1.234,56', null),
        ('amount', '1234,56', null),
        ('amount', '1,000.00', null),
        ('amount', '1 000.00', null),
        ('amount', {{ text_literal("1'000.00") }}, null),
        ('amount', '1.000.00', null),
        ('amount', '1e5', null),
        ('amount', '1E-2', null),
        ('amount', '--1', null),
        ('amount', '1-', null),
        ('amount', '(5.00)', null),
        ('amount', '5.00 EUR', null),
        ('amount', '€5.00', null),
        ('amount', '.', null),
        ('amount', '+', null),
        ('amount', 'NaN', null),
        ('amount', 'Infinity', null),
        ('amount', '', null),
        ('amount', null, null),
        ('quantity', '0.0001', '0.0001'),
        ('quantity', '99999999999999.9999', '99999999999999.9999'),
        ('quantity', '100000000000000', null),
        ('quantity', '1,5', null),
        ('rate', '1.08312345', '1.08312345'),
        ('rate', '0.00000001', '0.00000001'),
        ('rate', '1,0831', null),
        ('rate', '1e-5', null),
        ('date', '2025-12-31', '2025-12-31'),
        ('date', ' 2025-12-31 ', '2025-12-31'),
        ('date', '2024-02-29', '2024-02-29'),
        ('date', '2025-12-31T10:00:00Z', '2025-12-31'),
        ('date', '2025-12-31 10:00:00', '2025-12-31'),
        ('date', '2025-12-31 23:30:00-05:00', '2025-12-31'),
        ('date', '2000-02-29', '2000-02-29'),
        ('date', '0001-01-01', '0001-01-01'),
        ('date', '0000-12-31', null),
        ('date', '1900-02-29', null),
        ('date', '2025-04-31', null),
        ('date', '2025-12-32', null),
        ('date', '2025-02-29', null),
        ('date', '2025-02-30', null),
        ('date', '2025-12-31 99:99', null),
        ('date', '2025-13-01', null),
        ('date', '2025-00-10', null),
        ('date', '31/12/2025', null),
        ('date', '12/31/2025', null),
        ('date', '31.12.2025', null),
        ('date', '2025/12/31', null),
        ('date', '20251231', null),
        ('date', '2025-1-5', null),
        ('date', '25-12-31', null),
        ('date', '2025-12', null),
        ('date', '46022', null),
        ('date', 'today', null),
        ('date', 'infinity', null),
        ('timestamp', '2025-12-31T10:00:00Z', '2025-12-31 10:00:00'),
        ('timestamp', '2025-12-31 10:00:00', '2025-12-31 10:00:00'),
        ('timestamp', '2025-12-31T10:00:00', '2025-12-31 10:00:00'),
        ('timestamp', '2025-12-31 10:00', '2025-12-31 10:00:00'),
        ('timestamp', '2025-12-31', '2025-12-31 00:00:00'),
        ('timestamp', '2025-12-31 10:00:00.123456', '2025-12-31 10:00:00.123456'),
        ('timestamp', '2025-12-31 10:00:00+00:00', '2025-12-31 10:00:00'),
        ('timestamp', '2025-12-31 10:00:00.1234567', '2025-12-31 10:00:00.123456'),
        ('timestamp', '2025-12-31 23:59:59.9999999', '2025-12-31 23:59:59.999999'),
        ('timestamp', '2025-12-31 24:00:00', null),
        ('timestamp', '2025-12-31 23:59:60', null),
        ('timestamp', '2025-12-31 10:00:00+15:00', null),
        ('timestamp', '2025-12-31 25:00:00', null),
        ('timestamp', '2025-12-31 10:61:00', null),
        ('timestamp', '2025-02-30 10:00:00', null),
        ('timestamp', '31/12/2025 10:00', null),
        ('timestamp', '2025-12-31 10:00 AM', null),
        ('timestamp', '2025-12-31 10:00:00 Europe/Berlin', null),
        ('timestamp', '1767175200', null),
        ('timestamp', 'now', null),
        ('boolean', 'true', 'true'),
        ('boolean', 'TRUE', 'true'),
        ('boolean', ' False ', 'false'),
        ('boolean', 't', 'true'),
        ('boolean', 'F', 'false'),
        ('boolean', '1', 'true'),
        ('boolean', '0', 'false'),
        ('boolean', 'yes', null),
        ('boolean', 'no', null),
        ('boolean', 'y', null),
        ('boolean', 'on', null),
        ('boolean', '2', null),
        ('boolean', '', null)
    ) as listed (kind, cell, expected_value)
),

parsed as (
    {% for kind in kinds -%}
    select
        kind,
        cell,
        cast({{ parse_cell('cell', kind, true) }} as {{ dbt.type_string() }}) as parsed_value
    from known_values
    where kind = '{{ kind }}'
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

expected as (
    {% for kind in kinds -%}
    select
        kind,
        cell,
        cast(
            cast(case when kind = '{{ kind }}' then expected_value end as {{ cell_types()[kind].type }}) as {{ dbt.type_string() }}
        ) as expected_value
    from known_values
    where kind = '{{ kind }}'
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    expected.kind,
    expected.cell,
    parsed.parsed_value,
    expected.expected_value
from expected
left join parsed
    on expected.kind = parsed.kind
    and coalesce(expected.cell, '(null)') = coalesce(parsed.cell, '(null)')
where parsed.parsed_value is distinct from expected.expected_value
