-- R1-R6: the computed tier of every entity, as its rank. The ranked get the first tier whose cut they lie inside; whoever is set
-- aside by a person, what it would get if it alone came back; everybody else the tier that stands for the reason.
with

placed as (
    select * from {{ ref('int_segment_entities_placed') }}
),

segment_types as (
    select segment_type_id, method, boundary from {{ ref('int_segment_types') }}
),

cuts as (
    select * from {{ ref('int_segment_type_cuts') }}
),

quotas as (
    select * from {{ ref('int_segment_quotas_filled') }}
),

measured as (
    select
        placed.*,
        segment_types.method,
        segment_types.boundary,
        case when segment_types.method = 'count' then cast(placed.count_before as numeric(24, 4)) else placed.amount_before end as before,
        case when segment_types.method = 'count' then cast(1 as numeric(24, 4)) else cast(placed.metric_amount as numeric(24, 4)) end as own,
        case when segment_types.method = 'count' then cast(placed.count_through as numeric(24, 4)) else placed.amount_through end as through,
        case when segment_types.method = 'count' then cast(placed.total_count as numeric(24, 4)) else placed.total_amount end as total
    from placed
    inner join segment_types
        on placed.segment_type_id = segment_types.segment_type_id
),

ranks_found as (
    select
        measured.*,
        cuts.lowest_rank,
        cuts.default_rank,
        cuts.excluded_rank,
        case measured.method
            when 'absolute'
                then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when measured.metric_amount >= cuts.minimum_amount_{{ tier }} then cuts.tier_rank_{{ tier }}
                    {%- endfor %}
                end
            when 'sequential_quota'
                then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when measured.amount_before < quotas.quota_end_{{ tier }} then cuts.tier_rank_{{ tier }}
                    {%- endfor %}
                end
            else
                case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when {{ is_inside_cut('measured.boundary', 'measured.before', 'measured.own', 'measured.through', '(cuts.cumulative_cut_' ~ tier ~ ' * measured.total)') }}
                        then cuts.tier_rank_{{ tier }}
                    {%- endfor %}
                end
        end as ranking_rank
    from measured
    inner join cuts
        on measured.segment_type_id = cuts.segment_type_id
    left join quotas
        on measured.segment_type_id = quotas.segment_type_id
        and measured.evaluation_date = quotas.evaluation_date
        and quotas.returned_id = case when measured.comes_back_alone then measured.entity_id else '' end
)

select
    segment_type_id,
    evaluation_date,
    entity_id,
    stands_apart,
    in_population,
    first_invoice_date,
    net_sales,
    metric_amount_untreated,
    metric_amount,
    outlier_amount,
    outlier_order_count,
    reason_code,
    is_counted,
    amount_before,
    total_amount,
    case
        when stands_apart then excluded_rank
        when base_reason = 'default_new' then default_rank
        when base_reason = 'ranked' then coalesce(ranking_rank, lowest_rank)
        else lowest_rank
    end as computed_tier_rank
from ranks_found
