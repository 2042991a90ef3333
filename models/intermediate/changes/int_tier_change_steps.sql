-- R21: the tier of every member of a due pair after each step, of those whom a step moves. Decisions and hysteresis in force at the start
-- go on masking until it is their turn; they are those of the entity the member belongs to at the step.
{% set steps = ['hierarchy', 'configuration', 'own_metric', 'peers', 'override', 'hysteresis'] %}
with

scenarios as (
    select * from {{ ref('int_tier_change_scenarios') }}
),

pairs as (
    select
        pairs.pair_number,
        pairs.segment_type_id,
        pairs.family,
        pairs.entity,
        pairs.old_segment_type_id,
        pairs.old_version,
        pairs.new_version,
        pairs.from_date,
        pairs.to_date,
        pairs.old_rules_number,
        pairs.new_rules_number,
        pairs.new_metric_type_id,
        pairs.old_roster_kind,
        pairs.new_roster_kind,
        pairs.old_hierarchy_version,
        pairs.moved_hierarchy_version,
        pairs.new_hierarchy_version,
        pairs.is_recorded,
        pairs.is_metric_restated,
        starts.scenario_number as start_number,
        -- Null where nothing has moved: the step then has the answer of the one before.
        nullif(hierarchies.scenario_number, starts.scenario_number) as hierarchy_number,
        nullif(configurations.scenario_number, starts.scenario_number) as moved_configuration_number,
        configurations.scenario_number as configuration_number,
        ends.scenario_number as end_number
    from {{ ref('int_tier_change_pairs') }} as pairs
    {% for step, name in [('start', 'starts'), ('hierarchy', 'hierarchies'), ('configuration', 'configurations'), ('end', 'ends')] -%}
    inner join scenarios as {{ name }}
        on pairs.pair_number = {{ name }}.pair_number
        and {{ name }}.step = '{{ step }}'
    {% endfor -%}
    where pairs.is_due
),

rosters as (
    select roster_kind, hierarchy_version, member_id, entity_id from {{ ref('int_tier_change_rosters') }}
),

tiers as (
    select rules_number, tier_rank, tier, cumulative_cut, minimum_amount from {{ ref('int_segment_tiers_recorded') }}
),

rules as (
    select rules_number, method, boundary, default_rank, excluded_rank from {{ ref('int_segment_rules_recorded') }}
),

computed as (
    select * from {{ ref('int_tier_change_tiers') }} where ranking_number = measured_number
),

computed_with_own_metric as (
    select * from {{ ref('int_tier_change_tiers') }} where ranking_number <> measured_number
),

-- Hierarchy and configuration move rarely.
computed_in_between as (
    select *
    from computed
    where ranking_number in (select hierarchy_number from pairs where hierarchy_number is not null)
        or ranking_number in (select moved_configuration_number from pairs where moved_configuration_number is not null)
),

overrides as (
    select * from {{ ref('int_tier_change_overrides') }}
),

holds as (
    select * from {{ ref('int_tier_change_holds') }}
),

members as (
    select
        pairs.*,
        evaluated.member_id,
        {% for step in ['old', 'moved', 'new'] -%}
        case when evaluated.stands_apart then evaluated.member_id else coalesce({{ step }}_rosters.entity_id, evaluated.member_id) end as {{ step }}_entity_id,
        {% endfor -%}
        evaluated.stands_apart
    from pairs
    inner join {{ ref('int_segment_members_evaluated') }} as evaluated
        on pairs.new_metric_type_id = evaluated.segment_type_id
        and pairs.to_date = evaluated.evaluation_date
        and evaluated.in_population
    {% for step, kind in [('old', 'old'), ('moved', 'old'), ('new', 'new')] -%}
    left join rosters as {{ step }}_rosters
        on pairs.{{ kind }}_roster_kind = {{ step }}_rosters.roster_kind
        and pairs.{{ step }}_hierarchy_version = {{ step }}_rosters.hierarchy_version
        and evaluated.member_id = {{ step }}_rosters.member_id
    {% endfor %}
),

-- What the ranking says at each step. Who has not appeared by the start was new then.
ranks_found as (
    select
        members.*,
        old_rules.method as old_method,
        new_rules.method as new_method,
        old_rules.boundary as old_boundary,
        new_rules.boundary as new_boundary,
        coalesce(starts.computed_tier_rank, case when members.stands_apart then old_rules.excluded_rank else old_rules.default_rank end) as start_rank,
        coalesce(
            hierarchies.computed_tier_rank,
            case when members.hierarchy_number is null then starts.computed_tier_rank end,
            case when members.stands_apart then old_rules.excluded_rank else old_rules.default_rank end
        ) as hierarchy_rank,
        coalesce(
            configurations.computed_tier_rank,
            case when members.moved_configuration_number is null then starts.computed_tier_rank end,
            case when members.stands_apart then new_rules.excluded_rank else new_rules.default_rank end
        ) as configuration_rank,
        own_metrics.computed_tier_rank as own_metric_rank,
        ends.computed_tier_rank as peers_rank,
        starts.metric_amount as start_amount,
        case when members.moved_configuration_number is null then starts.metric_amount else configurations.metric_amount end as configuration_amount,
        ends.metric_amount as end_amount,
        starts.place_before as start_before,
        starts.place_through as start_through,
        starts.place_total as start_total,
        ends.place_before as end_before,
        ends.place_through as end_through,
        ends.place_total as end_total
    from members
    inner join rules as old_rules
        on members.old_rules_number = old_rules.rules_number
    inner join rules as new_rules
        on members.new_rules_number = new_rules.rules_number
    {% for name, source, ranking, measured, entity in [('starts', 'computed', 'start', 'start', 'old'), ('hierarchies', 'computed_in_between', 'hierarchy', 'hierarchy', 'moved'),
        ('configurations', 'computed_in_between', 'moved_configuration', 'moved_configuration', 'new'),
        ('own_metrics', 'computed_with_own_metric', 'configuration', 'end', 'new'), ('ends', 'computed', 'end', 'end', 'new')] -%}
    left join {{ source }} as {{ name }}
        on members.{{ ranking }}_number = {{ name }}.ranking_number
        and members.{{ measured }}_number = {{ name }}.measured_number
        and members.{{ entity }}_entity_id = {{ name }}.entity_id
        and members.stands_apart = {{ name }}.stands_apart
    {% endfor %}
),

-- By name, for versions may rank their tiers differently.
tiers_named as (
    select
        {% for step in ['start', 'hierarchy', 'configuration', 'own_metric', 'peers'] -%}
        {{ step }}_tiers.tier as {{ step }}_tier,
        {% endfor -%}
        ranks_found.*
    from ranks_found
    {% for step, side in [('start', 'old'), ('hierarchy', 'old'), ('configuration', 'new'), ('own_metric', 'new'), ('peers', 'new')] -%}
    inner join tiers as {{ step }}_tiers
        on ranks_found.{{ side }}_rules_number = {{ step }}_tiers.rules_number
        and ranks_found.{{ step }}_rank = {{ step }}_tiers.tier_rank
    {% endfor %}
),

-- What masks: decisions and hysteresis of the start for the entity it belongs to at a step, and those of the end.
masks_found as (
    select
        {% for name, side in [('old', 'old'), ('moved', 'old'), ('new', 'old'), ('end', 'new')] -%}
        {{ name }}_overrides.override_id as {{ name }}_override_id,
        {{ name }}_overrides.override_mode as {{ name }}_override_mode,
        {{ name }}_overrides.override_tier as {{ name }}_override_tier,
        coalesce({{ name }}_override_tiers.tier_rank, {{ name }}_overrides.override_tier_rank) as {{ name }}_override_rank,
        {{ name }}_holds.held_tier as {{ name }}_held_tier,
        coalesce({{ name }}_held_tiers.tier_rank, {{ name }}_holds.held_tier_rank) as {{ name }}_held_rank,
        {% endfor -%}
        tiers_named.*
    from tiers_named
    {% for name, entity, side, date, rules in [('old', 'old', 'old', 'from', 'old'), ('moved', 'moved', 'old', 'from', 'old'), ('new', 'new', 'old', 'from', 'new'),
        ('end', 'new', 'new', 'to', 'new')] -%}
    left join overrides as {{ name }}_overrides
        on tiers_named.{{ side }}_rules_number = {{ name }}_overrides.override_rules_number
        and tiers_named.{{ date }}_date = {{ name }}_overrides.override_date
        and tiers_named.{{ entity }}_entity_id = {{ name }}_overrides.entity_id
    left join tiers as {{ name }}_override_tiers
        on tiers_named.{{ rules }}_rules_number = {{ name }}_override_tiers.rules_number
        and {{ name }}_overrides.override_tier = {{ name }}_override_tiers.tier
    left join holds as {{ name }}_holds
        on tiers_named.{{ side }}_rules_number = {{ name }}_holds.rules_number
        and tiers_named.{{ date }}_date = {{ name }}_holds.hold_date
        and tiers_named.{{ entity }}_entity_id = {{ name }}_holds.entity_id
        and tiers_named.stands_apart = {{ name }}_holds.stands_apart
    left join tiers as {{ name }}_held_tiers
        on tiers_named.{{ rules }}_rules_number = {{ name }}_held_tiers.rules_number
        and {{ name }}_holds.held_tier = {{ name }}_held_tiers.tier
    {% endfor %}
),

tiers_after_steps as (
    select
        {% for step, base, hold, override in [('start', 'start', 'old', 'old'), ('hierarchy', 'hierarchy', 'moved', 'moved'), ('configuration', 'configuration', 'new', 'new'),
            ('own_metric', 'own_metric', 'new', 'new'), ('peers', 'peers', 'new', 'new'), ('override', 'peers', 'new', 'end'), ('hysteresis', 'peers', 'end', 'end')] -%}
        case
            when {{ override }}_override_mode = 'set' then {{ override }}_override_tier
            when {{ override }}_override_mode = 'floor' and {{ override }}_override_rank < coalesce({{ hold }}_held_rank, {{ base }}_rank) then {{ override }}_override_tier
            else coalesce({{ hold }}_held_tier, {{ base }}_tier)
        end as tier_{{ 'after_' if step != 'start' }}{{ step }},
        {% endfor -%}
        masks_found.*
    from masks_found
)

select *
from tiers_after_steps
where tier_start <> tier_after_hierarchy
    {%- for step in steps[1:] %}
    or tier_after_{{ steps[loop.index0] }} <> tier_after_{{ step }}
    {%- endfor %}
