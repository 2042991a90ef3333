-- Guards R18: whoever stands in a tier at a month-end came from somewhere and goes somewhere. The margins of the migration are the counts
-- of the summary, members that take no part being counted apart.
with

counts as (
    select
        segment_type_id,
        as_of_date,
        tier,
        member_count - excluded_member_count as member_count
    from {{ ref('fct_segment_summary') }}
    union all
    select
        segment_type_id,
        as_of_date,
        '(excluded)' as tier,
        sum(excluded_member_count) as member_count
    from {{ ref('fct_segment_summary') }}
    group by segment_type_id, as_of_date
),

months as (
    select distinct segment_type_id, month_end, previous_month_end
    from {{ ref('fct_segment_migration') }}
),

margins as (
    {% for side, date in [('from', 'previous_month_end'), ('to', 'month_end')] %}
    select
        segment_type_id,
        month_end,
        '{{ side }}' as side,
        {{ date }} as as_of_date,
        {{ side }}_tier as tier,
        sum(member_count) as member_count
    from {{ ref('fct_segment_migration') }}
    where {{ side }}_tier not in ('(new)', '(gone)')
    group by segment_type_id, month_end, {{ date }}, {{ side }}_tier
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

expected as (
    select months.segment_type_id, months.month_end, 'from' as side, counts.tier, counts.member_count
    from months
    inner join counts
        on months.segment_type_id = counts.segment_type_id
        and months.previous_month_end = counts.as_of_date
    union all
    select months.segment_type_id, months.month_end, 'to' as side, counts.tier, counts.member_count
    from months
    inner join counts
        on months.segment_type_id = counts.segment_type_id
        and months.month_end = counts.as_of_date
)

select
    coalesce(margins.segment_type_id, expected.segment_type_id) as segment_type_id,
    coalesce(margins.month_end, expected.month_end) as month_end,
    coalesce(margins.side, expected.side) as side,
    coalesce(margins.tier, expected.tier) as tier,
    coalesce(margins.member_count, 0) as migrated_count,
    coalesce(expected.member_count, 0) as expected_count
from margins
full outer join expected
    on margins.segment_type_id = expected.segment_type_id
    and margins.month_end = expected.month_end
    and margins.side = expected.side
    and margins.tier = expected.tier
where coalesce(margins.member_count, 0) <> coalesce(expected.member_count, 0)
