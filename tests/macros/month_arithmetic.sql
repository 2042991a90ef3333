-- Guards R11: month_start, month_end, add_months and add_days, where months differ in length.
with

known_values as (
    select cast(given_day as date) as given_day
    from (
        values
        ('2024-02-29'),
        ('2025-02-28'),
        ('2025-01-31'),
        ('2025-03-31'),
        ('2025-12-31'),
        ('2000-02-29'),
        ('2100-02-28')
    ) as listed (given_day)
),

expected as (
    select
        cast(given_day as date) as given_day,
        cast(first_day as date) as first_day,
        cast(last_day as date) as last_day,
        cast(next_day as date) as next_day,
        cast(a_month_later as date) as a_month_later,
        cast(a_month_earlier as date) as a_month_earlier,
        cast(a_year_earlier as date) as a_year_earlier
    from (
        values
        ('2024-02-29', '2024-02-01', '2024-02-29', '2024-03-01', '2024-03-29', '2024-01-29', '2023-02-28'),
        ('2025-02-28', '2025-02-01', '2025-02-28', '2025-03-01', '2025-03-28', '2025-01-28', '2024-02-28'),
        ('2025-01-31', '2025-01-01', '2025-01-31', '2025-02-01', '2025-02-28', '2024-12-31', '2024-01-31'),
        ('2025-03-31', '2025-03-01', '2025-03-31', '2025-04-01', '2025-04-30', '2025-02-28', '2024-03-31'),
        ('2025-12-31', '2025-12-01', '2025-12-31', '2026-01-01', '2026-01-31', '2025-11-30', '2024-12-31'),
        ('2000-02-29', '2000-02-01', '2000-02-29', '2000-03-01', '2000-03-29', '2000-01-29', '1999-02-28'),
        ('2100-02-28', '2100-02-01', '2100-02-28', '2100-03-01', '2100-03-28', '2100-01-28', '2099-02-28')
    ) as listed (given_day, first_day, last_day, next_day, a_month_later, a_month_earlier, a_year_earlier)
),

moved as (
    select
        given_day,
        {{ month_start('given_day') }} as first_day,
        {{ month_end('given_day') }} as last_day,
        {{ add_days('given_day', 1) }} as next_day,
        {{ add_months('given_day', 1) }} as a_month_later,
        {{ add_months('given_day', -1) }} as a_month_earlier,
        {{ add_months('given_day', -12) }} as a_year_earlier
    from known_values
)

select
    moved.*,
    expected.given_day as expected_day,
    expected.first_day as expected_first_day,
    expected.last_day as expected_last_day,
    expected.next_day as expected_next_day,
    expected.a_month_later as expected_a_month_later,
    expected.a_month_earlier as expected_a_month_earlier,
    expected.a_year_earlier as expected_a_year_earlier
from moved
full outer join expected
    on moved.given_day = expected.given_day
where moved.given_day is null
    or expected.given_day is null
    or moved.first_day <> expected.first_day
    or moved.last_day <> expected.last_day
    or moved.next_day <> expected.next_day
    or moved.a_month_later <> expected.a_month_later
    or moved.a_month_earlier <> expected.a_month_earlier
    or moved.a_year_earlier <> expected.a_year_earlier
