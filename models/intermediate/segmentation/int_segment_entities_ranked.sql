-- R1-R6: the computed tier of every entity, as its rank. The ranked get the tier of their place; whoever is set aside by a person, what
-- it would get if it alone came back; everybody else the tier that stands for the reason.
with

placed as (
    select placed.*, segment_types.method
    from {{ ref('int_segment_entities_placed') }} as placed
    inner join {{ ref('int_segment_types') }} as segment_types
        on placed.segment_type_id = segment_types.segment_type_id
),

cuts as (
    select * from {{ ref('int_segment_type_cuts') }}
),

quotas as (
    select * from {{ ref('int_segment_quotas_filled') }}
),

tiers_found as (
    select placed.*, placed.cut_tier_rank as place_tier_rank
    from placed
    where placed.method <> 'sequential_quota'
    union all
    select
        placed.*,
        case
            {%- for tier in range(1, sales_tier_limit() + 1) %}
            when placed.amount_before < quotas.quota_end_{{ tier }} then cuts.tier_rank_{{ tier }}
            {%- endfor %}
        end as place_tier_rank
    from placed
    inner join cuts
        on placed.segment_type_id = cuts.segment_type_id
    left join quotas
        on placed.segment_type_id = quotas.segment_type_id
        and placed.evaluation_date = quotas.evaluation_date
        and quotas.returned_id = case when placed.comes_back_alone then placed.entity_id else '' end
    where placed.method = 'sequential_quota'
)

select
    tiers_found.segment_type_id,
    tiers_found.evaluation_date,
    tiers_found.entity_number,
    tiers_found.entity_id,
    tiers_found.stands_apart,
    tiers_found.in_population,
    tiers_found.metric_amount,
    tiers_found.reason_code,
    tiers_found.is_counted,
    tiers_found.amount_before,
    tiers_found.total_amount,
    tiers_found.count_before,
    tiers_found.count_through,
    tiers_found.total_count,
    case
        when tiers_found.stands_apart then cuts.excluded_rank
        when tiers_found.base_reason = 'default_new' then cuts.default_rank
        when tiers_found.base_reason = 'ranked' then coalesce(tiers_found.place_tier_rank, cuts.lowest_rank)
        else cuts.lowest_rank
    end as computed_tier_rank
from tiers_found
inner join cuts
    on tiers_found.segment_type_id = cuts.segment_type_id
