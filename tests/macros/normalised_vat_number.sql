-- Guards R8: one VAT number has one spelling, however and wherever somebody wrote it.
with

known_values as (
    select
        case_name,
        cast(vat_number as {{ dbt.type_string() }}) as vat_number,
        cast(country as {{ dbt.type_string() }}) as country
    from (
        values
        ('with its country', 'DE123456788', 'DE'),
        ('spelt out', ' de 123.456-788', 'DE'),
        ('without its country', '123456788', 'DE'),
        ('country in small letters', '123456788', 'de'),
        ('of another country', 'ATU12345678', 'DE'),
        ('one letter is part of the number', 'U12345678', 'AT'),
        ('no country known', '123456788', null),
        ('a country in words', '123456788', 'Germany'),
        ('a country of three letters', '123456788', 'DEU'),
        ('Greek without its country', '094014201', 'GR'),
        ('Greek with its prefix', 'EL094014201', 'GR'),
        ('Greek with the country code', 'GR 094014201', 'GR'),
        ('Greek abroad', 'GR094014201', 'DE'),
        ('no letter and no digit', '-', 'DE'),
        ('unknown', null, 'DE')
    ) as listed (case_name, vat_number, country)
),

expected as (
    select *
    from (
        values
        ('with its country', 'DE123456788'),
        ('spelt out', 'DE123456788'),
        ('without its country', 'DE123456788'),
        ('country in small letters', 'DE123456788'),
        ('of another country', 'ATU12345678'),
        ('one letter is part of the number', 'ATU12345678'),
        ('no country known', '123456788'),
        ('a country in words', '123456788'),
        ('a country of three letters', '123456788'),
        ('Greek without its country', 'EL094014201'),
        ('Greek with its prefix', 'EL094014201'),
        ('Greek with the country code', 'EL094014201'),
        ('Greek abroad', 'EL094014201'),
        ('no letter and no digit', 'DE'),
        ('unknown', null)
    ) as listed (case_name, vat_number)
),

normalised as (
    select
        case_name,
        {{ normalised_vat_number('vat_number', 'country') }} as vat_number
    from known_values
)

select
    coalesce(normalised.case_name, expected.case_name) as case_name,
    normalised.vat_number,
    expected.vat_number as expected_vat_number
from normalised
full outer join expected
    on normalised.case_name = expected.case_name
where normalised.case_name is null
    or expected.case_name is null
    or normalised.vat_number is distinct from expected.vat_number
