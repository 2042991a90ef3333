-- Decisions in force as of the run that somebody should look at again (R10): about to end, changing nothing, or against what the rule
-- has said for months. One decision may have several problems. Those without effect are in findings_inert_overrides.
{% set expiry_days = var('override_expiry_days') %}
{% set contradicted_months = var('override_contradicted_months') %}
with

evaluations as (
    select segment_type_id, evaluation_date, evaluation_number, roster_id, roster_date
    from {{ ref('int_segment_evaluations') }}
    where is_as_of
),

in_force as (
    select segment_type_id, evaluation_date, entity_id, override_id, override_mode, override_tier_rank, is_set_aside
    from {{ ref('int_segment_overrides_in_force') }}
    where override_mode in ('set', 'floor')
),

overrides as (
    select override_id, segment_type_id, entity_id, override_mode, valid_from, valid_to, reason, requested_by, approved_by, is_effective
    from {{ ref('int_segment_overrides') }}
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

rosters as (
    select roster_id, roster_date, entity_id, stands_apart, entity_number from {{ ref('int_segment_rosters') }} where is_head
),

-- What applies without the decision is the damped tier where the type has hysteresis.
damped as (
    select evaluation_number, entity_number, applied_tier_rank from {{ ref('int_segment_entities_damped') }}
),

entities as (
    select
        segment_type_id,
        evaluation_date,
        coalesce(inherited_from, member_id) as entity_id,
        stands_apart,
        in_population,
        override_id,
        computed_tier_rank,
        reason_code,
        tier_source
    from {{ ref('int_segment_members_evaluated') }}
    where is_head and override_id is not null
),

-- The youngest month-end is 1.
month_ends as (
    select evaluation_date, row_number() over (order by evaluation_date desc) as months_back
    from {{ ref('int_evaluation_dates') }}
    where is_month_end
),

-- An internal parent and the group below it share an id; the decision means the group.
as_of_numbered as (
    select
        in_force.segment_type_id,
        in_force.evaluation_date as as_of_date,
        in_force.entity_id,
        in_force.override_id,
        in_force.override_mode,
        in_force.override_tier_rank,
        in_force.is_set_aside,
        entities.stands_apart,
        entities.computed_tier_rank,
        coalesce(damped.applied_tier_rank, entities.computed_tier_rank) as rank_without,
        row_number() over (partition by in_force.segment_type_id, in_force.override_id order by entities.stands_apart asc) as entity_row
    from in_force
    inner join evaluations
        on in_force.segment_type_id = evaluations.segment_type_id
        and in_force.evaluation_date = evaluations.evaluation_date
    inner join entities
        on in_force.segment_type_id = entities.segment_type_id
        and in_force.evaluation_date = entities.evaluation_date
        and in_force.override_id = entities.override_id
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and entities.entity_id = rosters.entity_id
        and entities.stands_apart = rosters.stands_apart
    left join damped
        on evaluations.evaluation_number = damped.evaluation_number
        and rosters.entity_number = damped.entity_number
),

as_of_found as (
    select * from as_of_numbered where entity_row = 1
),

history as (
    select
        as_of_found.segment_type_id,
        as_of_found.override_id,
        month_ends.months_back,
        entities.tier_source,
        entities.computed_tier_rank,
        -- A set into the excluded tier says nothing about the tier, and the rule says nothing about a new entity.
        not as_of_found.is_set_aside
        and entities.reason_code <> 'default_new'
        and case as_of_found.override_mode
            when 'floor' then entities.computed_tier_rank > as_of_found.override_tier_rank
            else entities.computed_tier_rank <> as_of_found.override_tier_rank
        end as is_against
    from as_of_found
    inner join entities
        on as_of_found.segment_type_id = entities.segment_type_id
        and as_of_found.override_id = entities.override_id
        and as_of_found.entity_id = entities.entity_id
        and as_of_found.stands_apart = entities.stands_apart
    inner join month_ends
        on entities.evaluation_date = month_ends.evaluation_date
    where entities.in_population
),

-- Numbered from the youngest, the months of one other tier are in a row as long as number and age agree.
months_against_numbered as (
    select
        history.segment_type_id,
        history.override_id,
        history.months_back,
        row_number() over (partition by history.segment_type_id, history.override_id order by history.months_back asc) as month_number
    from history
    inner join history as youngest
        on history.segment_type_id = youngest.segment_type_id
        and history.override_id = youngest.override_id
        and youngest.months_back = 1
        and history.computed_tier_rank = youngest.computed_tier_rank
    where history.is_against
),

months_against_counted as (
    select segment_type_id, override_id, cast(count(*) as integer) as months_against
    from months_against_numbered
    where months_back = month_number
    group by segment_type_id, override_id
),

floors_lifted as (
    select distinct segment_type_id, override_id from history where tier_source = 'floor'
),

-- Somebody has decided already what comes next.
followed as (
    select distinct overrides.override_id
    from overrides
    inner join overrides as successors
        on overrides.segment_type_id = successors.segment_type_id
        and overrides.entity_id = successors.entity_id
        and overrides.valid_to < successors.valid_to
        and overrides.valid_to >= {{ add_days('successors.valid_from', -1) }}
    where successors.is_effective and successors.override_mode in ('set', 'floor')
),

described as (
    select
        as_of_found.*,
        overrides.valid_from,
        overrides.valid_to,
        case
            when overrides.valid_to < cast('9999-12-31' as date)
                then cast({{ dbt.datediff('as_of_found.as_of_date', 'overrides.valid_to', 'day') }} as integer)
        end as days_left,
        overrides.reason,
        overrides.requested_by,
        overrides.approved_by,
        coalesce(months_against_counted.months_against, 0) as months_against,
        case as_of_found.override_mode
            when 'floor' then as_of_found.rank_without <= as_of_found.override_tier_rank and floors_lifted.override_id is null
            else as_of_found.rank_without = as_of_found.override_tier_rank
        end as is_redundant,
        followed.override_id is not null as is_followed
    from as_of_found
    inner join overrides
        on as_of_found.override_id = overrides.override_id
    left join months_against_counted
        on as_of_found.segment_type_id = months_against_counted.segment_type_id
        and as_of_found.override_id = months_against_counted.override_id
    left join floors_lifted
        on as_of_found.segment_type_id = floors_lifted.segment_type_id
        and as_of_found.override_id = floors_lifted.override_id
    left join followed
        on as_of_found.override_id = followed.override_id
),

problems_found as (
    select 'expiring' as problem, described.*
    from described
    where days_left between 0 and {{ expiry_days }} and not is_followed
    union all
    select 'redundant' as problem, described.*
    from described
    where is_redundant
    union all
    select 'contradicted' as problem, described.*
    from described
    where months_against >= {{ contradicted_months }}
),

found as (
    select
        problems_found.problem || '|' || problems_found.override_id as finding_id,
        problems_found.problem,
        problems_found.segment_type_id,
        problems_found.as_of_date,
        problems_found.override_id,
        problems_found.entity_id,
        problems_found.override_mode,
        tiers.tier as override_tier,
        computed.tier as computed_tier,
        without_it.tier as tier_without_override,
        problems_found.valid_from,
        problems_found.valid_to,
        problems_found.days_left,
        problems_found.months_against,
        problems_found.reason,
        problems_found.requested_by,
        problems_found.approved_by
    from problems_found
    left join tiers
        on problems_found.segment_type_id = tiers.segment_type_id
        and problems_found.override_tier_rank = tiers.tier_rank
    left join tiers as computed
        on problems_found.segment_type_id = computed.segment_type_id
        and problems_found.computed_tier_rank = computed.tier_rank
    left join tiers as without_it
        on problems_found.segment_type_id = without_it.segment_type_id
        and problems_found.rank_without = without_it.tier_rank
)

select * from found
where {{ is_open_finding('findings_overrides_to_review') }}
