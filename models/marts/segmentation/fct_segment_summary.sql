-- What each tier holds, at every month-end and on the as-of date. Sales, cost and margin are those of the members themselves,
-- so the tiers of a type sum to all sales in its window, whatever the level it ranks.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ drop_outdated_evaluations('int_segment_evaluations', 'evaluation_date', 'as_of_date') }}"
) }}
with

evaluations as (
    select segment_type_id, evaluation_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    {{ without_kept_evaluations('evaluations', 'evaluation_date', 'as_of_date') }}
),

members as (
    select evaluated.*
    from {{ ref('int_segment_members_evaluated') }} as evaluated
    inner join evaluations
        on evaluated.segment_type_id = evaluations.segment_type_id
        and evaluated.evaluation_date = evaluations.evaluation_date
    where evaluated.in_population
),

tiers_summed as (
    select
        segment_type_id,
        evaluation_date,
        tier,
        min(tier_rank) as tier_rank,
        min(input_fingerprint) as input_fingerprint,
        count(*) as member_count,
        count(case when reason_code = 'excluded' then 1 end) as excluded_member_count,
        count(distinct entity_id) as entity_count,
        count(distinct case when reason_code = 'ranked' then entity_id end) as ranked_entity_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(cost) as numeric(18, 2)) as cost,
        cast(sum(gross_margin) as numeric(18, 2)) as gross_margin
    from members
    group by segment_type_id, evaluation_date, tier
),

totals_added as (
    select
        *,
        sum(member_count) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as total_members,
        cast(sum(net_sales) over (partition by segment_type_id, evaluation_date rows between unbounded preceding and unbounded following) as numeric(18, 2)) as total_net_sales
    from tiers_summed
)

select
    segment_type_id,
    evaluation_date as as_of_date,
    {{ month_end('evaluation_date') }} as month_end,
    tier,
    tier_rank,
    member_count,
    excluded_member_count,
    entity_count,
    ranked_entity_count,
    net_sales,
    cost,
    gross_margin,
    {{ display_share('member_count', 'total_members') }} as member_share,
    case when total_net_sales > 0 then {{ display_share('net_sales', 'total_net_sales') }} end as net_sales_share,
    input_fingerprint
from totals_added
