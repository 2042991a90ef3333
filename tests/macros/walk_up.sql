-- Guards R8: walk_up follows links exactly so many steps, stops at the top, goes round in cycles and keeps dates apart.
with

links as (
    select
        cast(hierarchy_date as date) as hierarchy_date,
        customer_id,
        ancestor_id
    from (
        values
        ('2025-01-01', 'b', 'a'),
        ('2025-01-01', 'c', 'b'),
        ('2025-01-01', 'd', 'c'),
        ('2025-01-01', 'e', 'd'),
        ('2025-01-01', 'left', 'right'),
        ('2025-01-01', 'right', 'left'),
        ('2025-01-01', 'self', 'self'),
        ('2025-06-01', 'e', 'b')
    ) as listed (hierarchy_date, customer_id, ancestor_id)
),

{{ walk_up('walked_once', start='links', links='links', steps=1) }},

{{ walk_up('walked_thrice', start='links', links='links', steps=3) }},

known_values as (
    select
        1 as steps,
        hierarchy_date,
        customer_id,
        ancestor_id
    from walked_once
    union all
    select
        3 as steps,
        hierarchy_date,
        customer_id,
        ancestor_id
    from walked_thrice
),

expected as (
    select
        steps,
        cast(hierarchy_date as date) as hierarchy_date,
        customer_id,
        ancestor_id
    from (
        values
        (1, '2025-01-01', 'b', 'a'),
        (1, '2025-01-01', 'c', 'a'),
        (1, '2025-01-01', 'd', 'b'),
        (1, '2025-01-01', 'e', 'c'),
        (1, '2025-01-01', 'left', 'left'),
        (1, '2025-01-01', 'right', 'right'),
        (1, '2025-01-01', 'self', 'self'),
        (1, '2025-06-01', 'e', 'b'),
        (3, '2025-01-01', 'b', 'a'),
        (3, '2025-01-01', 'c', 'a'),
        (3, '2025-01-01', 'd', 'a'),
        (3, '2025-01-01', 'e', 'a'),
        (3, '2025-01-01', 'left', 'left'),
        (3, '2025-01-01', 'right', 'right'),
        (3, '2025-01-01', 'self', 'self'),
        (3, '2025-06-01', 'e', 'b')
    ) as listed (steps, hierarchy_date, customer_id, ancestor_id)
)

select
    coalesce(known_values.steps, expected.steps) as steps,
    coalesce(known_values.customer_id, expected.customer_id) as customer_id,
    known_values.ancestor_id,
    expected.ancestor_id as expected_ancestor_id
from known_values
full outer join expected
    on known_values.steps = expected.steps
    and known_values.hierarchy_date = expected.hierarchy_date
    and known_values.customer_id = expected.customer_id
where known_values.ancestor_id is distinct from expected.ancestor_id
