-- The tier of every member, carried down from its entity. Who is not ranked gets the tier its reason calls for (R6):
-- new entities the default tier, excluded ones the excluded tier, all others the lowest sales tier, which also stands
-- in where a type has no default or excluded tier.
with

members as (
    select * from {{ ref('int_segment_members') }}
),

entities as (
    select * from {{ ref('int_segment_entities_judged') }}
),

ranked as (
    select * from {{ ref('int_segment_entities_ranked') }}
),

tiers as (
    select * from {{ ref('int_segment_tiers') }}
),

segment_types as (
    select segment_type_id, entity, family, version from {{ ref('int_segment_types') }}
),

windows as (
    select segment_type_id, evaluation_date, window_from, window_to, scope_id from {{ ref('int_segment_windows') }}
),

sales as (
    select scope_id, evaluation_date, member_id, net_sales, cost, gross_margin from {{ ref('int_sales_summed_to_scopes') }}
),

special_ranks as (
    select
        segment_type_id,
        max(case when cumulative_cut is not null then tier_rank end) as lowest_rank,
        max(case when is_default then tier_rank end) as default_rank,
        min(case when is_excluded then tier_rank end) as excluded_rank
    from tiers
    group by segment_type_id
),

ranks_decided as (
    select
        members.segment_type_id,
        members.evaluation_date,
        members.member_id,
        members.entity_id,
        members.inherited_from,
        entities.reason_code,
        entities.first_invoice_date,
        entities.metric_amount,
        entities.eligible_amount,
        ranked.amount_before,
        ranked.cumulative_amount,
        ranked.total_amount,
        ranked.sales_rank,
        case entities.reason_code
            when 'ranked' then ranked.tier_rank
            when 'default_new' then coalesce(special_ranks.default_rank, special_ranks.lowest_rank)
            when 'excluded' then coalesce(special_ranks.excluded_rank, special_ranks.lowest_rank)
            else special_ranks.lowest_rank
        end as computed_tier_rank
    from members
    inner join entities
        on members.segment_type_id = entities.segment_type_id
        and members.evaluation_date = entities.evaluation_date
        and members.entity_id = entities.entity_id
        and members.is_excluded = entities.is_excluded
    left join ranked
        on entities.segment_type_id = ranked.segment_type_id
        and entities.evaluation_date = ranked.evaluation_date
        and entities.entity_id = ranked.entity_id
        and entities.is_excluded = ranked.is_excluded
    inner join special_ranks
        on members.segment_type_id = special_ranks.segment_type_id
)

select
    segment_types.entity,
    ranks_decided.segment_type_id,
    segment_types.family,
    segment_types.version,
    ranks_decided.evaluation_date,
    ranks_decided.member_id,
    ranks_decided.entity_id,
    ranks_decided.inherited_from,
    windows.window_from,
    windows.window_to,
    ranks_decided.first_invoice_date,
    cast(coalesce(sales.net_sales, 0) as numeric(18, 2)) as member_net_sales,
    cast(coalesce(sales.cost, 0) as numeric(18, 2)) as member_cost,
    cast(coalesce(sales.gross_margin, 0) as numeric(18, 2)) as member_gross_margin,
    ranks_decided.metric_amount,
    ranks_decided.eligible_amount,
    ranks_decided.total_amount,
    ranks_decided.sales_rank,
    {{ display_share('ranks_decided.amount_before', 'ranks_decided.total_amount') }} as share_before,
    {{ display_share('ranks_decided.cumulative_amount', 'ranks_decided.total_amount') }} as cumulative_share,
    tiers.tier as computed_tier,
    tiers.tier_rank,
    ranks_decided.reason_code,
    case when ranks_decided.reason_code = 'default_new' then 'default' else 'computed' end as tier_source
from ranks_decided
inner join segment_types
    on ranks_decided.segment_type_id = segment_types.segment_type_id
inner join windows
    on ranks_decided.segment_type_id = windows.segment_type_id
    and ranks_decided.evaluation_date = windows.evaluation_date
inner join tiers
    on ranks_decided.segment_type_id = tiers.segment_type_id
    and ranks_decided.computed_tier_rank = tiers.tier_rank
left join sales
    on windows.scope_id = sales.scope_id
    and windows.evaluation_date = sales.evaluation_date
    and ranks_decided.member_id = sales.member_id
