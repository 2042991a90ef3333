-- Guards R4: a share shown to people is the exact quotient of two amounts, rounded once, half up, to six decimals.
with

known_values as (
    select
        case_name,
        cast(part as numeric(24, 2)) as part,
        cast(whole as numeric(24, 2)) as whole
    from (
        values
        ('all', '10.00', '10.00'),
        ('none', '0.00', '10.00'),
        ('a third', '1.00', '3.00'),
        ('two thirds', '2.00', '3.00'),
        ('half of the last decimal', '0.01', '20000.00'),
        ('just below half of the last decimal', '0.01', '20000.01'),
        ('one cent under 80 % of ten thousand million', '7999999999.99', '10000000000.00'),
        ('the largest amounts', '9999999999999999.99', '9999999999999999.99'),
        ('negative', '-1.00', '3.00'),
        ('of nothing', '1.00', '0.00'),
        ('unknown', null, '3.00')
    ) as listed (case_name, part, whole)
),

expected as (
    select
        case_name,
        cast(share as numeric(9, 6)) as share
    from (
        values
        ('all', '1.000000'),
        ('none', '0.000000'),
        ('a third', '0.333333'),
        ('two thirds', '0.666667'),
        ('half of the last decimal', '0.000001'),
        ('just below half of the last decimal', '0.000000'),
        ('one cent under 80 % of ten thousand million', '0.800000'),
        ('the largest amounts', '1.000000'),
        ('negative', '-0.333333'),
        ('of nothing', null),
        ('unknown', null)
    ) as listed (case_name, share)
),

shown as (
    select
        case_name,
        {{ display_share('part', 'whole') }} as share
    from known_values
)

select
    coalesce(shown.case_name, expected.case_name) as case_name,
    shown.share,
    expected.share as expected_share
from shown
full outer join expected
    on shown.case_name = expected.case_name
where shown.case_name is null
    or expected.case_name is null
    or shown.share is distinct from expected.share
