-- R2, method sequential_quota: each tier is filled from where the one before it ended until its own share of the total is
-- reached. The amounts at which the tiers of a ranking end stand side by side. Whoever comes back alone (R6) has a ranking
-- of its own, in which it stands among the others.
with

segment_types as (
    select segment_type_id, boundary from {{ ref('int_segment_types') }} where method = 'sequential_quota'
),

cuts as (
    select * from {{ ref('int_segment_type_cuts') }}
),

placed as (
    select placed.*, segment_types.boundary
    from {{ ref('int_segment_entities_placed') }} as placed
    inner join segment_types
        on placed.segment_type_id = segment_types.segment_type_id
),

others_shifted as (
    select
        returned.segment_type_id,
        returned.evaluation_date,
        returned.entity_id as returned_id,
        returned.metric_amount as returned_amount,
        returned.boundary,
        returned.total_amount,
        counted.metric_amount,
        counted.amount_before,
        counted.amount_through,
        -- Under ties split nobody shares a place, and an equal that comes later is behind.
        counted.metric_amount = returned.metric_amount
        and counted.amount_before = returned.amount_before
        and returned.amount_through > returned.amount_before + returned.metric_amount as is_equal,
        counted.amount_before >= returned.amount_before
        and (
            counted.metric_amount < returned.metric_amount
            or returned.amount_through = returned.amount_before + returned.metric_amount
        ) as is_behind
    from placed as returned
    inner join placed as counted
        on returned.segment_type_id = counted.segment_type_id
        and returned.evaluation_date = counted.evaluation_date
        and counted.is_counted
    where returned.comes_back_alone
),

places as (
    select distinct
        segment_type_id, evaluation_date, cast('' as {{ dbt.type_string() }}) as returned_id, boundary, metric_amount, amount_before, amount_through, total_amount
    from placed
    where is_counted
    union all
    select
        segment_type_id, evaluation_date, entity_id as returned_id, boundary, metric_amount, amount_before, amount_through, total_amount
    from placed
    where comes_back_alone
    union all
    select distinct
        segment_type_id,
        evaluation_date,
        returned_id,
        boundary,
        metric_amount,
        amount_before + case when is_behind then returned_amount else 0 end as amount_before,
        amount_through + case when is_behind or is_equal then returned_amount else 0 end as amount_through,
        total_amount
    from others_shifted
),

filled_0 as (
    select distinct segment_type_id, evaluation_date, returned_id, cast(0 as numeric(24, 4)) as quota_end_0
    from places
)
{%- for tier in range(1, sales_tier_limit() + 1) %},

filled_{{ tier }} as (
    select
        places.segment_type_id,
        places.evaluation_date,
        places.returned_id,
        {% for earlier in range(0, tier) -%}
        min(filled.quota_end_{{ earlier }}) as quota_end_{{ earlier }},
        {% endfor -%}
        greatest(
            min(filled.quota_end_{{ tier - 1 }}),
            coalesce(max(
                case
                    when {{ is_inside_cut(
                        'places.boundary', 'places.amount_before', 'places.metric_amount', 'places.amount_through',
                        '(filled.quota_end_' ~ (tier - 1) ~ ' + cuts.sales_share_' ~ tier ~ ' * places.total_amount)') }}
                        then places.amount_through
                end
            ), 0)
        ) as quota_end_{{ tier }}
    from places
    inner join filled_{{ tier - 1 }} as filled
        on places.segment_type_id = filled.segment_type_id
        and places.evaluation_date = filled.evaluation_date
        and places.returned_id = filled.returned_id
    inner join cuts
        on places.segment_type_id = cuts.segment_type_id
    group by places.segment_type_id, places.evaluation_date, places.returned_id
)
{%- endfor %}

select
    {% for tier in range(1, sales_tier_limit() + 1) -%}
    cast(quota_end_{{ tier }} as numeric(24, 4)) as quota_end_{{ tier }},
    {% endfor -%}
    segment_type_id,
    evaluation_date,
    returned_id
from filled_{{ sales_tier_limit() }}
