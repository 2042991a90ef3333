-- Who moved from which tier to which between two month-ends. Its margins are the counts of fct_segment_summary: a member that
-- was not there the month before comes from (new), one that is not there any more goes to (gone), and whoever does not take
-- part is (excluded), whatever tier stands for that.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_outdated_evaluations('int_segment_month_pairs', 'month_end', 'month_end') }}"
) }}
with

-- A number stands for type and months where millions of members are joined.
month_pairs as (
    select
        segment_type_id, month_end, previous_month_end, input_fingerprint,
        cast(row_number() over (order by segment_type_id asc, month_end asc) as integer) as pair_number
    from {{ ref('int_segment_month_pairs') }} as month_pairs
    {{ without_kept_evaluations('month_pairs', 'month_end', 'month_end') }}
),

months_compared as (
    select segment_type_id, month_end as evaluation_date from month_pairs
    union
    select segment_type_id, previous_month_end as evaluation_date from month_pairs
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

-- Rank 0 stands for who takes no part.
members as (
    select
        evaluated.segment_type_id,
        evaluated.evaluation_date,
        evaluated.member_id,
        case when evaluated.reason_code = 'excluded' then 0 else evaluated.tier_rank end as tier_rank,
        evaluated.net_sales
    from months_compared
    inner join {{ ref('int_segment_members_evaluated') }} as evaluated
        on months_compared.segment_type_id = evaluated.segment_type_id
        and months_compared.evaluation_date = evaluated.evaluation_date
    where evaluated.in_population
),

befores as (
    select month_pairs.pair_number, members.member_id, members.tier_rank, members.net_sales
    from month_pairs
    inner join members
        on month_pairs.segment_type_id = members.segment_type_id
        and month_pairs.previous_month_end = members.evaluation_date
),

afters as (
    select month_pairs.pair_number, members.member_id, members.tier_rank, members.net_sales
    from month_pairs
    inner join members
        on month_pairs.segment_type_id = members.segment_type_id
        and month_pairs.month_end = members.evaluation_date
),

moves_counted as (
    select
        coalesce(afters.pair_number, befores.pair_number) as pair_number,
        befores.tier_rank as from_tier_rank,
        afters.tier_rank as to_tier_rank,
        count(*) as member_count,
        cast(sum(coalesce(afters.net_sales, befores.net_sales)) as numeric(18, 2)) as net_sales
    from befores
    full outer join afters
        on befores.pair_number = afters.pair_number
        and befores.member_id = afters.member_id
    group by coalesce(afters.pair_number, befores.pair_number), befores.tier_rank, afters.tier_rank
),

totals_added as (
    select
        *,
        sum(member_count) over (
            partition by pair_number, from_tier_rank rows between unbounded preceding and unbounded following
        ) as from_member_count
    from moves_counted
)

select
    month_pairs.segment_type_id,
    month_pairs.month_end,
    month_pairs.previous_month_end,
    case
        when totals_added.from_tier_rank is null then '(new)'
        when totals_added.from_tier_rank = 0 then '(excluded)'
        else from_tiers.tier
    end as from_tier,
    case
        when totals_added.to_tier_rank is null then '(gone)'
        when totals_added.to_tier_rank = 0 then '(excluded)'
        else to_tiers.tier
    end as to_tier,
    case
        when totals_added.from_tier_rank is null then 'new'
        when totals_added.to_tier_rank is null then 'gone'
        when totals_added.from_tier_rank = totals_added.to_tier_rank then 'same'
        when totals_added.from_tier_rank = 0 or totals_added.to_tier_rank = 0 then 'excluded'
        when totals_added.to_tier_rank < totals_added.from_tier_rank then 'better'
        else 'worse'
    end as movement,
    totals_added.member_count,
    totals_added.net_sales,
    {{ display_share('totals_added.member_count', 'totals_added.from_member_count') }} as from_share,
    month_pairs.input_fingerprint
from totals_added
inner join month_pairs
    on totals_added.pair_number = month_pairs.pair_number
left join tiers as from_tiers
    on month_pairs.segment_type_id = from_tiers.segment_type_id
    and totals_added.from_tier_rank = from_tiers.tier_rank
left join tiers as to_tiers
    on month_pairs.segment_type_id = to_tiers.segment_type_id
    and totals_added.to_tier_rank = to_tiers.tier_rank
