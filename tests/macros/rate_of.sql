-- Pins the display of rates: half up in the sixth decimal, either sign, any size, and no division by nothing.
{% set rows = [
    ('1.00', '3.00', '0.333333'), ('2.00', '3.00', '0.666667'), ('-2.00', '3.00', '-0.666667'), ('0.00', '3.00', '0.000000'),
    ('0.01', '20000.00', '0.000001'), ('0.01', '20000.01', '0.000000'), ('-0.01', '20000.00', '-0.000001'),
    ('5000.00', '0.01', '500000.000000'), ('9999999.99', '0.01', '999999999.000000'),
    ('1.00', '0.00', 'null'), ('1.00', '-1.00', 'null'), ('99999999.99', '0.01', 'null'), ('null', '1.00', 'null'),
] %}
with

cases as (
    {% for part, whole, expected in rows %}
    select
        cast({{ part }} as numeric(18, 2)) as part,
        cast({{ whole }} as numeric(18, 2)) as whole,
        cast({{ expected }} as numeric(18, 6)) as expected
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

rates as (
    select *, {{ rate_of('part', 'whole') }} as found from cases
)

select * from rates
where coalesce(found, -1) <> coalesce(expected, -1)
