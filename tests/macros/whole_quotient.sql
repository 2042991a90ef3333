-- Pins R15: shares are whole cents. Quotients beside whole numbers, where a float rounds, of small and of large numbers.
{% set rows = [
    ('0', '1', '0'), ('1', '1', '1'), ('6', '7', '0'), ('7', '7', '1'), ('13', '7', '1'),
    ('999999999999999', '1', '999999999999999'),
    ('8999999999999999991', '9000000000000000', '999'),
    ('8999999999999999999999999999999', '9000000000000000', '999999999999999'),
    ('9000000000000000000000000000000', '9000000000000000', '1000000000000000'),
    ('2999999999999999999999999999997', '2999999999999999999', '1000000000000'),
    ('2999999999999999998999999999999', '2999999999999999999', '999999999999'),
    ('33333333333333333333333', '99999999999', '333333333336'),
] %}
with

cases as (
    {% for numerator, denominator, expected in rows %}
    select
        cast({{ numerator }} as numeric(38, 0)) as numerator,
        cast({{ denominator }} as numeric(19, 0)) as denominator,
        cast({{ expected }} as numeric(19, 0)) as expected
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from cases
where {{ whole_quotient('numerator', 'denominator') }} <> expected
