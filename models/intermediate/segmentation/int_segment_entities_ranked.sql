-- R1-R6: the computed tier of every entity, as its rank. The ranked get the tier of their place; whoever is set aside by a person, what
-- it would get if it alone came back; everybody else the tier that stands for the reason.
with

evaluations as (
    select evaluations.evaluation_number, segment_types.method, cuts.*
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    inner join {{ ref('int_segment_type_cuts') }} as cuts
        on evaluations.segment_type_id = cuts.segment_type_id
),

placed as (
    select * from {{ ref('int_segment_entities_placed') }}
),

quotas as (
    select * from {{ ref('int_segment_quotas_filled') }}
)

select
    placed.evaluation_number,
    placed.entity_number,
    placed.stands_apart,
    placed.in_population,
    placed.metric_amount,
    case when placed.stands_apart or placed.is_set_aside then 'excluded' else placed.base_reason end as reason_code,
    placed.is_counted,
    placed.amount_before,
    placed.total_amount,
    placed.count_before,
    placed.count_through,
    placed.total_count,
    case
        when placed.stands_apart then evaluations.excluded_rank
        when placed.base_reason = 'default_new' then evaluations.default_rank
        when placed.base_reason = 'ranked' and evaluations.method = 'sequential_quota'
            then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when placed.amount_before < quotas.quota_end_{{ tier }} then evaluations.tier_rank_{{ tier }}
                    {%- endfor %}
                    else evaluations.lowest_rank
                end
        when placed.base_reason = 'ranked' then coalesce(placed.cut_tier_rank, evaluations.lowest_rank)
        else evaluations.lowest_rank
    end as computed_tier_rank
from placed
inner join evaluations
    on placed.evaluation_number = evaluations.evaluation_number
-- The quotas of everybody, or those of the ranking in which it comes back alone.
left join quotas
    on placed.evaluation_number = quotas.evaluation_number
    and quotas.returned_number = case when placed.comes_back_alone then placed.entity_number else 0 end
