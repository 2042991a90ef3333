-- Pins R15: shares are reckoned in whole ten-thousandths. Both signs, narrow and wide decimals, the largest there are.
{% set rows = [
    ('0', '0'), ('1', '10000'), ('0.0001', '1'), ('0.9999', '9999'), ('-0.0001', '-1'), ('-1', '-10000'), ('-1.0001', '-10001'),
    ('-1.9999', '-19999'), ('12345678.9012', '123456789012'),
    ('99999999999999.9999', '999999999999999999'), ('-99999999999999.9999', '-999999999999999999'),
] %}
with

cases as (
    {% for quantity, expected in rows %}
    select
        cast({{ quantity }} as numeric(38, 4)) as wide,
        cast({{ quantity }} as numeric(18, 4)) as narrow,
        cast({{ expected }} as numeric(19, 0)) as expected
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from cases
where {{ to_ten_thousandths('wide') }} <> expected or {{ to_ten_thousandths('narrow') }} <> expected
