-- Guards columns that land typed (Parquet, a warehouse table): they are cast, not read as text, and what does not fit is null.
with

known_values as (
    select
        case_name,
        cast(landed_number as numeric(24, 8)) as landed_number,
        cast(landed_moment as timestamp) as landed_moment,
        cast(landed_flag as boolean) as landed_flag
    from (
        values
        ('ordinary', '1234.56', '2025-12-31 10:30:00', 'true'),
        ('the largest amount', '999999999999.999999', '2024-02-29 00:00:00', 'false'),
        ('too large an amount', '1000000000000', '2025-12-31 23:59:59', 'false'),
        ('empty', null, null, null)
    ) as listed (case_name, landed_number, landed_moment, landed_flag)
),

expected as (
    select
        case_name,
        cast(amount as numeric(18, 6)) as amount,
        cast(given_day as date) as given_day,
        cast(flag as boolean) as flag
    from (
        values
        ('ordinary', '1234.56', '2025-12-31', 'true'),
        ('the largest amount', '999999999999.999999', '2024-02-29', 'false'),
        ('too large an amount', null, '2025-12-31', 'false'),
        ('empty', null, null, null)
    ) as listed (case_name, amount, given_day, flag)
),

parsed as (
    select
        case_name,
        {{ parse_cell('landed_number', 'amount', false) }} as amount,
        {{ parse_cell('landed_moment', 'date', false) }} as given_day,
        {{ parse_cell('landed_flag', 'boolean', false) }} as flag
    from known_values
)

select
    coalesce(parsed.case_name, expected.case_name) as case_name,
    parsed.amount,
    expected.amount as expected_amount,
    parsed.given_day,
    expected.given_day as expected_day,
    parsed.flag,
    expected.flag as expected_flag
from parsed
full outer join expected
    on parsed.case_name = expected.case_name
where parsed.amount is distinct from expected.amount
    or parsed.given_day is distinct from expected.given_day
    or parsed.flag is distinct from expected.flag
