-- R21, R5-R7: what every entity brings to the rankings that a change is explained by, added up from its members as they belonged to it
-- there, and what it is: new, ranked or not, counted or not. The same as int_segment_entities_judged says of the evaluations of today.
with

scenarios as (
    select distinct
        scenario_number, metric_type_id, metric_date, rules_number, roster_kind, hierarchy_version, override_rules_number, override_date
    from {{ ref('int_tier_change_scenarios') }}
),

rules as (
    select rules_number, entity, denominator, ties, min_net_sales, new_customer_days from {{ ref('int_segment_rules_recorded') }}
),

scenarios_described as (
    select
        scenarios.*,
        rules.entity,
        rules.denominator,
        rules.ties,
        rules.min_net_sales,
        {{ add_days('scenarios.metric_date', '-rules.new_customer_days') }} as last_day_of_known
    from scenarios
    inner join rules
        on scenarios.rules_number = rules.rules_number
),

members as (
    select segment_type_id, evaluation_date, member_id, stands_apart, net_sales, own_metric_amount
    from {{ ref('int_segment_members_evaluated') }}
    where in_population
),

rosters as (
    select roster_kind, hierarchy_version, member_id, entity_id from {{ ref('int_tier_change_rosters') }}
),

population as (
    select entity, member_id, first_invoice_date from {{ ref('int_segment_population') }}
),

entities_summed as (
    select
        scenarios_described.scenario_number,
        case when members.stands_apart then members.member_id else coalesce(rosters.entity_id, members.member_id) end as entity_id,
        members.stands_apart,
        sum(members.own_metric_amount) as metric_amount,
        sum(members.net_sales) as net_sales,
        min(population.first_invoice_date) as first_invoice_date
    from scenarios_described
    inner join members
        on scenarios_described.metric_type_id = members.segment_type_id
        and scenarios_described.metric_date = members.evaluation_date
    inner join population
        on scenarios_described.entity = population.entity
        and members.member_id = population.member_id
    left join rosters
        on scenarios_described.roster_kind = rosters.roster_kind
        and scenarios_described.hierarchy_version = rosters.hierarchy_version
        and members.member_id = rosters.member_id
    group by
        scenarios_described.scenario_number,
        case when members.stands_apart then members.member_id else coalesce(rosters.entity_id, members.member_id) end,
        members.stands_apart
),

entities_judged as (
    select
        entities_summed.scenario_number,
        entities_summed.entity_id,
        entities_summed.stands_apart,
        cast(entities_summed.metric_amount as numeric(18, 4)) as metric_amount,
        scenarios_described.denominator,
        case when scenarios_described.ties = 'split' then entities_summed.entity_id end as tie_breaker,
        coalesce(overrides.is_set_aside, false) as is_set_aside,
        case
            when coalesce(entities_summed.first_invoice_date > scenarios_described.last_day_of_known, true) then 'default_new'
            when entities_summed.metric_amount <= 0 then 'non_positive_net_sales'
            when entities_summed.net_sales < scenarios_described.min_net_sales then 'below_min_net_sales'
            else 'ranked'
        end as base_reason
    from entities_summed
    inner join scenarios_described
        on entities_summed.scenario_number = scenarios_described.scenario_number
    left join {{ ref('int_tier_change_overrides') }} as overrides
        on scenarios_described.override_rules_number = overrides.override_rules_number
        and scenarios_described.override_date = overrides.override_date
        and entities_summed.entity_id = overrides.entity_id
)

select
    scenario_number,
    entity_id,
    stands_apart,
    metric_amount,
    tie_breaker,
    base_reason,
    case
        when denominator = 'all' then base_reason in ('ranked', 'below_min_net_sales')
        else base_reason = 'ranked' and not stands_apart and not is_set_aside
    end as is_counted
from entities_judged
