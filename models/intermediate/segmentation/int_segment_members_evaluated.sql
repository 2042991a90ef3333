-- R6, R8, R10: what every member is under every type on every evaluation date, exactly one row each: the tier of its entity,
-- computed and in force, carried down. Narrow, for it grows with every month: tiers stand as their ranks. Kept from run to run: a
-- month-end is written again only when its fingerprint has changed (R18). What is due, what nobody evaluates any more and who was there
-- only for an as-of date goes out before the new rows come in.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_evaluations_due() }}"
) }}
with

evaluations as (
    -- Only what is due has entities.
    select
        segment_type_id, evaluation_date, evaluation_number, is_as_of, is_month_end, roster_id, roster_date, scope_number, own_metric, input_fingerprint
    from {{ ref('int_segment_evaluations') }}
),

rosters as (
    select roster_id, roster_date, member_id, member_number, entity_number, entity_id, stands_apart, appeared_on, is_head from {{ ref('int_segment_rosters') }}
),

entities as (
    select evaluation_number, entity_number, metric_amount, reason_code, computed_tier_rank
    from {{ ref('int_segment_entities_ranked') }}
),

damped as (
    select * from {{ ref('int_segment_entities_damped') }}
),

overrides as (
    select evaluations.evaluation_number, rosters.entity_number, overrides.override_id, overrides.override_mode, overrides.override_tier_rank
    from {{ ref('int_segment_overrides_in_force') }} as overrides
    inner join evaluations
        on overrides.segment_type_id = evaluations.segment_type_id
        and overrides.evaluation_date = evaluations.evaluation_date
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and overrides.entity_id = rosters.entity_id
        and rosters.is_head
),

member_metrics as (
    select evaluation_number, member_number, metric_amount from {{ ref('int_segment_metrics_summed_to_members') }}
),

sales as (
    select scope_number, member_number, net_sales, cost, gross_margin from {{ ref('int_sales_summed_to_scopes') }}
),

tiers_in_force as (
    select
        entities.evaluation_number,
        entities.entity_number,
        entities.metric_amount,
        entities.reason_code,
        entities.computed_tier_rank,
        overrides.override_id,
        damped.hysteresis_status,
        damped.pending_tier_rank,
        damped.pending_months,
        coalesce(damped.applied_tier_rank, entities.computed_tier_rank) as applied_tier_rank,
        case
            when overrides.override_mode = 'set' then overrides.override_tier_rank
            when overrides.override_mode = 'floor' then least(overrides.override_tier_rank, coalesce(damped.applied_tier_rank, entities.computed_tier_rank))
            else coalesce(damped.applied_tier_rank, entities.computed_tier_rank)
        end as tier_rank,
        case
            when overrides.override_mode = 'set' then 'override'
            when overrides.override_mode = 'floor' and overrides.override_tier_rank < coalesce(damped.applied_tier_rank, entities.computed_tier_rank) then 'floor'
            when damped.applied_tier_rank <> entities.computed_tier_rank then 'hysteresis'
            when entities.reason_code = 'default_new' then 'default'
            else 'computed'
        end as tier_source
    from entities
    left join damped
        on entities.evaluation_number = damped.evaluation_number
        and entities.entity_number = damped.entity_number
    left join overrides
        on entities.evaluation_number = overrides.evaluation_number
        and entities.entity_number = overrides.entity_number
)

select
    evaluations.segment_type_id,
    evaluations.evaluation_date,
    rosters.member_id,
    case when rosters.entity_id <> rosters.member_id then rosters.entity_id end as inherited_from,
    rosters.stands_apart,
    rosters.is_head,
    not evaluations.is_month_end or rosters.appeared_on <= evaluations.evaluation_date as in_population,
    cast(coalesce(sales.net_sales, 0) as numeric(18, 2)) as net_sales,
    cast(coalesce(sales.cost, 0) as numeric(18, 2)) as cost,
    cast(coalesce(sales.gross_margin, 0) as numeric(18, 2)) as gross_margin,
    tiers_in_force.metric_amount,
    tiers_in_force.reason_code,
    tiers_in_force.computed_tier_rank,
    tiers_in_force.override_id,
    tiers_in_force.tier_rank,
    tiers_in_force.tier_source,
    tiers_in_force.hysteresis_status,
    tiers_in_force.pending_tier_rank,
    tiers_in_force.pending_months,
    evaluations.input_fingerprint,
    cast(tiers_in_force.applied_tier_rank as integer) as applied_tier_rank,
    cast(
        case evaluations.own_metric
            when 'net_sales' then coalesce(sales.net_sales, 0)
            when 'gross_margin' then coalesce(sales.gross_margin, 0)
            when 'summed' then coalesce(member_metrics.metric_amount, 0)
            else tiers_in_force.metric_amount
        end as numeric(18, 4)
    ) as own_metric_amount
from tiers_in_force
inner join evaluations
    on tiers_in_force.evaluation_number = evaluations.evaluation_number
-- A month-end has those who have appeared by then, the as-of date has everybody (R18).
inner join rosters
    on evaluations.roster_id = rosters.roster_id
    and evaluations.roster_date = rosters.roster_date
    and tiers_in_force.entity_number = rosters.entity_number
    and (evaluations.is_as_of or evaluations.evaluation_date >= rosters.appeared_on)
left join sales
    on evaluations.scope_number = sales.scope_number
    and rosters.member_number = sales.member_number
left join member_metrics
    on evaluations.evaluation_number = member_metrics.evaluation_number
    and rosters.member_number = member_metrics.member_number
