-- R2, method sequential_quota: each tier is filled from where the one before it ended until its own share of the total is
-- reached. The amounts at which the tiers of a ranking end stand side by side. Whoever comes back alone (R6) has a ranking
-- of its own, in which it stands among the others.
with

evaluations as (
    select evaluations.evaluation_number, segment_types.boundary, cuts.*
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.method = 'sequential_quota'
    inner join {{ ref('int_segment_type_cuts') }} as cuts
        on evaluations.segment_type_id = cuts.segment_type_id
),

placed as (
    select
        placed.*,
        placed.count_through - placed.count_before as equal_count,
        cast(placed.amount_before + (placed.count_through - placed.count_before) * placed.metric_amount as numeric(24, 4)) as amount_through
    from {{ ref('int_segment_entities_placed') }} as placed
    inner join evaluations
        on placed.evaluation_number = evaluations.evaluation_number
),

others_shifted as (
    select
        returned.evaluation_number,
        returned.entity_number as returned_number,
        returned.metric_amount as returned_amount,
        returned.total_amount,
        counted.metric_amount,
        counted.amount_before,
        counted.amount_through,
        -- Under ties split nobody shares a place, and an equal that comes later is behind.
        counted.metric_amount = returned.metric_amount
        and counted.amount_before = returned.amount_before
        and returned.equal_count > 1 as is_equal,
        counted.amount_before >= returned.amount_before
        and (
            counted.metric_amount < returned.metric_amount
            or returned.equal_count = 1
        ) as is_behind
    from placed as returned
    inner join placed as counted
        on returned.evaluation_number = counted.evaluation_number
        and counted.is_counted
    where returned.comes_back_alone
),

places as (
    select distinct
        evaluation_number, 0 as returned_number, metric_amount, amount_before, amount_through, total_amount
    from placed
    where is_counted
    union all
    select
        evaluation_number, entity_number as returned_number, metric_amount, amount_before, amount_through, total_amount
    from placed
    where comes_back_alone
    union all
    select distinct
        evaluation_number,
        returned_number,
        metric_amount,
        amount_before + case when is_behind then returned_amount else 0 end as amount_before,
        amount_through + case when is_behind or is_equal then returned_amount else 0 end as amount_through,
        total_amount
    from others_shifted
),

filled_0 as (
    select distinct evaluation_number, returned_number, cast(0 as numeric(24, 4)) as quota_end_0
    from places
)
{%- for tier in range(1, sales_tier_limit() + 1) %},

filled_{{ tier }} as (
    select
        places.evaluation_number,
        places.returned_number,
        {% for earlier in range(0, tier) -%}
        min(filled.quota_end_{{ earlier }}) as quota_end_{{ earlier }},
        {% endfor -%}
        greatest(
            min(filled.quota_end_{{ tier - 1 }}),
            coalesce(max(
                case
                    when {{ is_inside_cut(
                        'evaluations.boundary', 'places.amount_before', 'places.metric_amount', 'places.amount_through',
                        '(filled.quota_end_' ~ (tier - 1) ~ ' + evaluations.sales_share_' ~ tier ~ ' * places.total_amount)') }}
                        then places.amount_through
                end
            ), 0)
        ) as quota_end_{{ tier }}
    from places
    inner join filled_{{ tier - 1 }} as filled
        on places.evaluation_number = filled.evaluation_number
        and places.returned_number = filled.returned_number
    inner join evaluations
        on places.evaluation_number = evaluations.evaluation_number
    group by places.evaluation_number, places.returned_number
)
{%- endfor %}

select
    {% for tier in range(1, sales_tier_limit() + 1) -%}
    cast(quota_end_{{ tier }} as numeric(24, 4)) as quota_end_{{ tier }},
    {% endfor -%}
    evaluation_number,
    returned_number
from filled_{{ sales_tier_limit() }}
