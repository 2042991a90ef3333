-- R21, R6: the computed tier of every entity in the rankings that a change is explained by. A view: written once, downstream.
with

rules as (
    select rules_number, lowest_rank, default_rank, excluded_rank from {{ ref('int_segment_rules_recorded') }}
),

steps as (
    select pair_number, step, scenario_number, rules_number from {{ ref('int_tier_change_scenarios') }}
),

{{ tier_change_questions() }},

entities as (
    select scenario_number, entity_id, stands_apart, metric_amount, base_reason from {{ ref('int_tier_change_entities') }}
)

select
    places.ranking_number,
    places.measured_number,
    places.entity_id,
    places.stands_apart,
    places.metric_amount,
    places.place_before,
    places.place_through,
    places.place_total,
    coalesce(places.cut_tier_rank, quotas.tier_rank, rules.lowest_rank) as computed_tier_rank
from {{ ref('int_tier_change_places') }} as places
inner join rules
    on places.rules_number = rules.rules_number
left join {{ ref('int_tier_change_quotas') }} as quotas
    on places.ranking_number = quotas.ranking_number
    and places.measured_number = quotas.measured_number
    and places.entity_id = quotas.entity_id
    and places.stands_apart = quotas.stands_apart
union all
select
    questions.ranking_number,
    questions.measured_number,
    entities.entity_id,
    entities.stands_apart,
    entities.metric_amount,
    cast(null as numeric(24, 4)) as place_before,
    cast(null as numeric(24, 4)) as place_through,
    cast(null as numeric(24, 4)) as place_total,
    case
        when entities.stands_apart then rules.excluded_rank
        when entities.base_reason = 'default_new' then rules.default_rank
        else rules.lowest_rank
    end as computed_tier_rank
from questions
inner join rules
    on questions.rules_number = rules.rules_number
inner join entities
    on questions.measured_number = entities.scenario_number
    and (entities.stands_apart or entities.base_reason <> 'ranked')
