-- Guards the seals: texts and hashes that every engine has to make alike. Changing one of them breaks every seal there is.
with

known_values as (
    select
        case_name,
        cast(name as {{ dbt.type_string() }}) as name,
        cast(version as integer) as version,
        cast(amount as numeric(18, 2)) as amount,
        cast(share as numeric(9, 6)) as share,
        cast(day as date) as day,
        cast(is_open as boolean) as is_open
    from (
        values
        ('plain', 'Alder', 1, 1234.50, 0.123456, '2025-04-30', true),
        ('small and negative', 'a=1:b', -1, -0.05, 0.000001, '0099-01-02', false),
        ('not ASCII', 'Größe', 0, 0.00, 1.000000, '9999-12-31', true),
        ('empty text is not null', '', null, null, null, null, null),
        ('null', null, null, null, null, null, null)
    ) as listed (case_name, name, version, amount, share, day, is_open)
),

expected as (
    select *
    from (
        values
        ('plain', 'row name=5:Alder version=1:1 amount=6:123450 share=6:123456 day=10:2025-04-30 is_open=4:true'),
        ('small and negative', 'row name=5:a=1:b version=2:-1 amount=2:-5 share=1:1 day=10:0099-01-02 is_open=5:false'),
        ('not ASCII', 'row name=5:Größe version=1:0 amount=1:0 share=7:1000000 day=10:9999-12-31 is_open=4:true'),
        ('empty text is not null', 'row name=0:'),
        ('null', 'row')
    ) as listed (case_name, canonical_text)
),

written as (
    select
        case_name,
        {{ canonical_text('row', {'name': 'text', 'version': 'integer', 'amount': 'hundredths', 'share': 'millionths', 'day': 'date', 'is_open': 'boolean'}) }} as canonical_text
    from known_values
),

hashed as (
    select {{ sha256_hex("cast('Größe' as " ~ dbt.type_string() ~ ")") }} as row_hash
)

select
    written.case_name,
    written.canonical_text,
    expected.canonical_text as expected_text
from written
full outer join expected
    on written.case_name = expected.case_name
where written.canonical_text is distinct from expected.canonical_text
union all
select
    'hash' as case_name,
    row_hash as canonical_text,
    'aedc3f80989a6546962705852b2f4a481dbd1e490760693525c3724bacab3f50' as expected_text
from hashed
where row_hash <> 'aedc3f80989a6546962705852b2f4a481dbd1e490760693525c3724bacab3f50'
