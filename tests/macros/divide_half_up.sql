-- Guards R4 and R13: the quotient is exact and a half goes away from zero, on both sides and beyond what a float holds.
with

known_values as (
    select
        case_name,
        cast(numerator as numeric(30, 0)) as numerator,
        cast(denominator as numeric(24, 0)) as denominator
    from (
        values
        ('exact', '6', '3'),
        ('below a half', '4', '3'),
        ('above a half', '5', '3'),
        ('a half', '5', '2'),
        ('one half', '1', '2'),
        ('below one half', '49', '100'),
        ('negative exact', '-6', '3'),
        ('negative below a half', '-4', '3'),
        ('negative above a half', '-5', '3'),
        ('negative half', '-5', '2'),
        ('minus one half', '-1', '2'),
        ('nothing', '0', '7'),
        ('big, one below the half', '4999999999999999999999999999', '10000000000'),
        ('big, the half', '5000000000000000000000000000', '10000000000'),
        ('big, beyond a float', '99999999999999999999999999995', '10'),
        ('big and negative', '-99999999999999999999999999995', '10'),
        ('by zero', '5', '0'),
        ('nothing by zero', '0', '0'),
        ('unknown', null, '2'),
        ('by unknown', '2', null)
    ) as listed (case_name, numerator, denominator)
),

expected as (
    select
        case_name,
        cast(quotient as numeric(30, 0)) as quotient
    from (
        values
        ('exact', '2'),
        ('below a half', '1'),
        ('above a half', '2'),
        ('a half', '3'),
        ('one half', '1'),
        ('below one half', '0'),
        ('negative exact', '-2'),
        ('negative below a half', '-1'),
        ('negative above a half', '-2'),
        ('negative half', '-3'),
        ('minus one half', '-1'),
        ('nothing', '0'),
        ('big, one below the half', '500000000000000000'),
        ('big, the half', '500000000000000000'),
        ('big, beyond a float', '10000000000000000000000000000'),
        ('big and negative', '-10000000000000000000000000000'),
        ('by zero', null),
        ('nothing by zero', null),
        ('unknown', null),
        ('by unknown', null)
    ) as listed (case_name, quotient)
),

divided as (
    select
        case_name,
        {{ divide_half_up('numerator', 'denominator') }} as quotient
    from known_values
)

select
    coalesce(divided.case_name, expected.case_name) as case_name,
    divided.quotient,
    expected.quotient as expected_quotient
from divided
full outer join expected
    on divided.case_name = expected.case_name
where divided.case_name is null
    or expected.case_name is null
    or divided.quotient is distinct from expected.quotient
