-- Guards R8 and R9: names and numbers are compared by their letters and digits in upper case, and by nothing else.
with

known_values as (
    select
        case_name,
        cast(value as {{ dbt.type_string() }}) as value
    from (
        values
        ('plain', 'ALDER'),
        ('mixed case', 'Alder Gmbh'),
        ('punctuation', 'Alder & Birch, Co. KG (Nord)'),
        ('digits', 'DE 123-456.789'),
        ('underscore and slash', 'a_b/c'),
        ('umlauts', 'Müller & Öztürk'),
        ('another alphabet', 'Ελιά Α.Ε.'),
        ('line break', 'alder
birch'),
        ('nothing but signs', '-?!'),
        ('empty', ''),
        ('unknown', null)
    ) as listed (case_name, value)
),

expected as (
    select *
    from (
        values
        ('plain', 'ALDER'),
        ('mixed case', 'ALDERGMBH'),
        ('punctuation', 'ALDERBIRCHCOKGNORD'),
        ('digits', 'DE123456789'),
        ('underscore and slash', 'ABC'),
        ('umlauts', 'MÜLLERÖZTÜRK'),
        ('another alphabet', 'ΕΛΙΆΑΕ'),
        ('line break', 'ALDERBIRCH'),
        ('nothing but signs', ''),
        ('empty', ''),
        ('unknown', null)
    ) as listed (case_name, value)
),

cleaned as (
    select
        case_name,
        {{ letters_and_digits('value') }} as value
    from known_values
)

select
    coalesce(cleaned.case_name, expected.case_name) as case_name,
    cleaned.value,
    expected.value as expected_value
from cleaned
full outer join expected
    on cleaned.case_name = expected.case_name
where cleaned.case_name is null
    or expected.case_name is null
    or cleaned.value is distinct from expected.value
