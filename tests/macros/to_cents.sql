-- Pins R13: cents are whole, of either sign and up to the largest amount, whatever the engine makes of a fraction below zero.
{% set rows = [
    ('0', '0'), ('0.01', '1'), ('-0.01', '-1'), ('0.99', '99'), ('-0.99', '-99'), ('1.50', '150'), ('-1.50', '-150'), ('-2', '-200'),
    ('9999999999999999.99', '999999999999999999'), ('-9999999999999999.99', '-999999999999999999'), ('null', 'null'),
] %}
with

cases as (
    {% for amount, cents in rows %}
    select cast({{ amount }} as numeric(18, 2)) as amount, cast({{ cents }} as numeric(20, 0)) as cents
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from cases
where {{ to_cents('amount') }} is distinct from cents
    or {{ from_cents('cents') }} is distinct from amount
