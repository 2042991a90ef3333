-- Guards R13: an amount is converted exactly and rounded once, half away from zero, to cents; an inverse rate divides, and an
-- unknown amount or rate stays unknown.
with

known_values as (
    select
        case_name,
        cast(amount as numeric(18, 6)) as amount,
        cast(rate as numeric(18, 10)) as rate,
        cast(is_inverse as boolean) as is_inverse,
        cast(is_reporting as boolean) as is_reporting
    from (
        values
        ('reporting currency, half a cent', '0.125', null, 'false', 'true'),
        ('reporting currency, minus half a cent', '-0.125', null, 'false', 'true'),
        ('reporting currency, less than half a cent', '0.124999', null, 'false', 'true'),
        ('reporting currency needs no rate', '10.00', '2', 'true', 'true'),
        ('direct', '10.00', '0.82', 'false', 'false'),
        ('direct, half a cent', '10.00', '0.8525', 'false', 'false'),
        ('direct, minus half a cent', '-10.00', '0.8525', 'false', 'false'),
        ('direct, half a cent no float holds', '1.005', '1', 'false', 'false'),
        ('direct, the smallest rate', '1000000.00', '0.00000001', 'false', 'false'),
        ('direct, the eighth decimal decides', '1000000.00', '0.00000050', 'false', 'false'),
        ('direct, the largest amount', '999999999999.999999', '1', 'false', 'false'),
        ('direct, half a cent where cents are guessed last', '9999999.995', '1', 'false', 'false'),
        ('direct, half a cent where they no longer are', '10000000.005', '1', 'false', 'false'),
        ('direct, a millionth less than half a cent', '-9999999.994999', '1', 'false', 'false'),
        ('direct, half a cent of a large rate', '-9999.999', '999.005', 'false', 'false'),
        ('inverse, half a cent of a small rate', '9999.999005', '0.001', 'true', 'false'),
        ('inverse, half a cent where cents are guessed last', '-9999999.995', '1', 'true', 'false'),
        ('inverse, a millionth less than half a cent', '9999999.994999', '1', 'true', 'false'),
        ('inverse, half a cent where they no longer are', '-10000000.005', '1', 'true', 'false'),
        ('inverse, a float takes less than half a cent for half', '4199500.040346', '1.9549077070', 'true', 'false'),
        ('inverse, a float takes more than half a cent for less', '-6855567.616779', '1.4665699745', 'true', 'false'),
        ('direct, a float takes less than half a cent for half', '722195.008285', '12.0542062118', 'false', 'false'),
        ('inverse', '10.00', '1.25', 'true', 'false'),
        ('inverse, half a cent', '1.00', '8', 'true', 'false'),
        ('inverse, minus half a cent', '-1.00', '8', 'true', 'false'),
        ('inverse, a third', '1.00', '3', 'true', 'false'),
        ('inverse, two thirds', '2.00', '3', 'true', 'false'),
        ('inverse, minus two thirds', '-2.00', '3', 'true', 'false'),
        ('inverse, the largest amount', '999999999999.999999', '3', 'true', 'false'),
        ('inverse, a small rate', '0.01', '0.00000100', 'true', 'false'),
        ('unknown amount', null, '1.25', 'true', 'false'),
        ('unknown rate', '10.00', null, 'false', 'false'),
        ('unknown inverse rate', '10.00', null, 'true', 'false'),
        ('unknown document', '10.00', null, null, null)
    ) as listed (case_name, amount, rate, is_inverse, is_reporting)
),

expected as (
    select
        case_name,
        cast(amount as numeric(18, 2)) as amount
    from (
        values
        ('reporting currency, half a cent', '0.13'),
        ('reporting currency, minus half a cent', '-0.13'),
        ('reporting currency, less than half a cent', '0.12'),
        ('reporting currency needs no rate', '10.00'),
        ('direct', '8.20'),
        ('direct, half a cent', '8.53'),
        ('direct, minus half a cent', '-8.53'),
        ('direct, half a cent no float holds', '1.01'),
        ('direct, the smallest rate', '0.01'),
        ('direct, the eighth decimal decides', '0.50'),
        ('direct, the largest amount', '1000000000000.00'),
        ('direct, half a cent where cents are guessed last', '10000000.00'),
        ('direct, half a cent where they no longer are', '10000000.01'),
        ('direct, a millionth less than half a cent', '-9999999.99'),
        ('direct, half a cent of a large rate', '-9990049.00'),
        ('inverse, half a cent of a small rate', '9999999.01'),
        ('inverse, half a cent where cents are guessed last', '-10000000.00'),
        ('inverse, a millionth less than half a cent', '9999999.99'),
        ('inverse, half a cent where they no longer are', '-10000000.01'),
        ('inverse, a float takes less than half a cent for half', '2148183.27'),
        ('inverse, a float takes more than half a cent for less', '-4674558.83'),
        ('direct, a float takes less than half a cent for half', '8705487.55'),
        ('inverse', '8.00'),
        ('inverse, half a cent', '0.13'),
        ('inverse, minus half a cent', '-0.13'),
        ('inverse, a third', '0.33'),
        ('inverse, two thirds', '0.67'),
        ('inverse, minus two thirds', '-0.67'),
        ('inverse, the largest amount', '333333333333.33'),
        ('inverse, a small rate', '10000.00'),
        ('unknown amount', null),
        ('unknown rate', null),
        ('unknown inverse rate', null),
        ('unknown document', null)
    ) as listed (case_name, amount)
),

converted as (
    select
        case_name,
        {{ in_reporting_currency('amount', 'rate', 'is_inverse', 'is_reporting') }} as amount
    from known_values
)

select
    coalesce(converted.case_name, expected.case_name) as case_name,
    converted.amount,
    expected.amount as expected_amount
from converted
full outer join expected
    on converted.case_name = expected.case_name
where converted.case_name is null
    or expected.case_name is null
    or converted.amount is distinct from expected.amount
