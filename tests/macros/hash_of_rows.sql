-- Guards the configuration hash of the run log: the order of rows is nothing, their number and every sign in them count, and
-- the hash is SHA-256 of the lines sorted by bytes (capitals, then small letters, then umlauts), as any other tool computes it.
with

known_rows as (
    select
        case_name,
        cast(line as {{ dbt.type_string() }}) as line
    from (
        values
        ('in order', 'Beech'),
        ('in order', 'alder'),
        ('in order', 'Über'),
        ('shuffled', 'Über'),
        ('shuffled', 'Beech'),
        ('shuffled', 'alder'),
        ('twice', 'alder'),
        ('twice', 'alder'),
        ('quotes', {{ text_literal("a 'b' \"c\" \\ d") }})
    ) as listed (case_name, line)
),

expected as (
    select *
    from (
        values
        ('in order', 'c4c865eb57a315e9e866eec9f2ffee1ce15bf5b3598c66379525363bea2c0569'),
        ('shuffled', 'c4c865eb57a315e9e866eec9f2ffee1ce15bf5b3598c66379525363bea2c0569'),
        ('twice', '9f5de8eaef4a7969f73259711b8e70808961837606b05abe0d02f6d497376f05'),
        ('quotes', '8f0496f573aae011fe0d66501abe0f93730441d0d690ad18de1f17b6730b6f1d')
    ) as listed (case_name, row_hash)
),

hashed as (
    select
        case_name,
        {{ hash_of_rows('line') }} as row_hash
    from known_rows
    group by case_name
)

select
    coalesce(hashed.case_name, expected.case_name) as case_name,
    hashed.row_hash,
    expected.row_hash as expected_row_hash
from hashed
full outer join expected
    on hashed.case_name = expected.case_name
where hashed.case_name is null
    or expected.case_name is null
    or hashed.row_hash <> expected.row_hash
