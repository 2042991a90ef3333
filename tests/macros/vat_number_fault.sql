-- Guards R8: what people type when a form insists counts as missing, and a real number never does.
with

known_values as (
    select
        case_name,
        cast(vat_number as {{ dbt.type_string() }}) as vat_number
    from (
        values
        ('a real number', 'DE 266 789 010'),
        ('five digits', 'RO13245'),
        ('one digit differs', '111111112'),
        ('counting down', '987654321'),
        ('four digits', 'DE1234'),
        ('no digit', 'n/a'),
        ('a sign', '-'),
        ('zeros', '000000000'),
        ('nines behind a country', 'DE999999999'),
        ('counting to five', '12345'),
        ('counting to nine', 'DE123456789'),
        ('counting to ten', '1234567890'),
        ('unknown', null)
    ) as listed (case_name, vat_number)
),

expected as (
    select *
    from (
        values
        ('a real number', null),
        ('five digits', null),
        ('one digit differs', null),
        ('counting down', null),
        ('four digits', 'fewer than five digits'),
        ('no digit', 'fewer than five digits'),
        ('a sign', 'fewer than five digits'),
        ('zeros', 'one digit repeated'),
        ('nines behind a country', 'one digit repeated'),
        ('counting to five', 'a counting sequence'),
        ('counting to nine', 'a counting sequence'),
        ('counting to ten', 'a counting sequence'),
        ('unknown', null)
    ) as listed (case_name, fault)
),

judged as (
    select
        case_name,
        {{ vat_number_fault('vat_number') }} as fault
    from known_values
)

select
    coalesce(judged.case_name, expected.case_name) as case_name,
    judged.fault,
    expected.fault as expected_fault
from judged
full outer join expected
    on judged.case_name = expected.case_name
where judged.case_name is null
    or expected.case_name is null
    or judged.fault is distinct from expected.fault
