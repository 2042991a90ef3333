-- Guards R8: a placeholder is recognised by the digits of a VAT number, so nothing else may be left of it.
with

known_values as (
    select
        case_name,
        cast(value as {{ dbt.type_string() }}) as value
    from (
        values
        ('a VAT number', 'DE 123-456.789'),
        ('signs and decimals', '-1.5e3'),
        ('no digit', 'PENDING'),
        ('empty', ''),
        ('unknown', null)
    ) as listed (case_name, value)
),

expected as (
    select *
    from (
        values
        ('a VAT number', '123456789'),
        ('signs and decimals', '153'),
        ('no digit', ''),
        ('empty', ''),
        ('unknown', null)
    ) as listed (case_name, digits)
),

cleaned as (
    select
        case_name,
        {{ digits_only('value') }} as digits
    from known_values
)

select
    coalesce(cleaned.case_name, expected.case_name) as case_name,
    cleaned.digits,
    expected.digits as expected_digits
from cleaned
full outer join expected
    on cleaned.case_name = expected.case_name
where cleaned.case_name is null
    or expected.case_name is null
    or cleaned.digits is distinct from expected.digits
