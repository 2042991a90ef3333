-- Pins the fractions people read: rounded half up to six decimals, of either sign, also where a float is off and where it no longer counts.
{% set rows = [
    ('0', '3', '0'), ('1', '3', '0.333333'), ('2', '3', '0.666667'), ('-2', '3', '-0.666667'), ('1', '8', '0.125'),
    ('0.0001', '200', '0.000001'), ('0.0001', '200.0001', '0'), ('-0.0001', '200', '-0.000001'), ('0.0001', '66.6667', '0.000001'), ('0.0003', '200', '0.000002'),
    ('0.0005', '200', '0.000003'), ('0.0005', '200.0001', '0.000002'),
    ('9999999.9999', '10', '999999.99999'), ('10000000', '10', '1000000'), 
    ('2999999999.9999', '3', '999999999.999967'), ('1', '0', 'null'), ('1', '-1', 'null'), ('null', '1', 'null'), ('1', 'null', 'null'),
] %}
with

cases as (
    {% for numerator, denominator, expected in rows %}
    select
        cast({{ numerator }} as numeric(18, 4)) as numerator,
        cast({{ denominator }} as numeric(18, 4)) as denominator,
        cast({{ expected }} as numeric(24, 6)) as expected
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select *, {{ display_fraction('numerator', 'denominator') }} as fraction
from cases
where {{ display_fraction('numerator', 'denominator') }} is distinct from expected
