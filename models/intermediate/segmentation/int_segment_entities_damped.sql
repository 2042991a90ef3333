-- R20: for types with hysteresis, the tier that applies: the candidate that has last stood its number of month-ends in a row, else the first of the
-- row. Only a move from ranked to ranked is damped: an evaluation without a rank ends the row. No recursion is needed: the latest
-- date with a long enough streak carries its tier in one number, date order and rank together. Closed months are
-- read from what earlier runs kept; a mid-month as-of date comes last and counts for no streak.
with

segment_types as (
    select segment_type_id, hysteresis_months from {{ ref('int_segment_types') }} where hysteresis_months > 0
),

evaluations as (
    select evaluations.*, segment_types.hysteresis_months
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
),

-- From month to month an entity is known by its id.
rosters as (
    select roster_id, roster_date, entity_number, entity_id from {{ ref('int_segment_rosters') }} where is_head
),

ranked as (
    select evaluation_number, entity_number, stands_apart, computed_tier_rank, reason_code from {{ ref('int_segment_entities_ranked') }}
),

kept as (
    select segment_type_id, evaluation_date, coalesce(inherited_from, member_id) as entity_id, stands_apart, computed_tier_rank, reason_code
    from {{ members_kept() }} as members_kept
    where is_head and in_population
),

candidates as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        rosters.entity_id,
        ranked.stands_apart,
        ranked.computed_tier_rank,
        ranked.reason_code,
        ranked.evaluation_number,
        ranked.entity_number,
        evaluations.hysteresis_months,
        evaluations.is_month_end,
        true as is_due
    from ranked
    inner join evaluations
        on ranked.evaluation_number = evaluations.evaluation_number
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and ranked.entity_number = rosters.entity_number
    union all
    select
        kept.*,
        cast(null as integer) as evaluation_number,
        cast(null as integer) as entity_number,
        evaluations.hysteresis_months,
        evaluations.is_month_end,
        false as is_due
    from kept
    inner join evaluations
        on kept.segment_type_id = evaluations.segment_type_id
        and kept.evaluation_date = evaluations.evaluation_date
        and not evaluations.is_due
),

rows_numbered as (
    select
        *,
        reason_code = 'ranked' as is_ranked,
        row_number() over (partition by segment_type_id, entity_id, stands_apart order by evaluation_date asc) as sequence_number,
        cast(sum(case when reason_code = 'ranked' then 0 else 1 end) over (
            partition by segment_type_id, entity_id, stands_apart order by evaluation_date asc rows between unbounded preceding and current row
        ) as integer) as row_id,
        lag(computed_tier_rank) over (partition by segment_type_id, entity_id, stands_apart order by evaluation_date asc) as previous_candidate
    from candidates
),

changes_counted as (
    select
        *,
        cast(sum(case when computed_tier_rank = previous_candidate then 0 else 1 end) over (
            partition by segment_type_id, entity_id, stands_apart order by evaluation_date asc rows between unbounded preceding and current row
        ) as integer) as change_number
    from rows_numbered
),

streaks_counted as (
    select
        *,
        cast(sum(case when is_month_end then 1 else 0 end) over (
            partition by segment_type_id, entity_id, stands_apart, is_ranked, row_id, change_number
            order by evaluation_date asc rows between unbounded preceding and current row
        ) as integer) as streak
    from changes_counted
),

applied_found as (
    select
        *,
        case
            when not is_ranked then computed_tier_rank
            else mod(
                    coalesce(
                        max(case when streak >= hysteresis_months and is_month_end then sequence_number * 1000 + computed_tier_rank end) over (
                            partition by segment_type_id, entity_id, stands_apart, is_ranked, row_id
                            order by evaluation_date asc rows between unbounded preceding and current row
                        ),
                        min(sequence_number * 1000 + computed_tier_rank) over (
                            partition by segment_type_id, entity_id, stands_apart, is_ranked, row_id
                            order by evaluation_date asc rows between unbounded preceding and current row
                        )
                    ),
                    1000
                )
        end as applied_tier_rank
    from streaks_counted
),

moves_found as (
    select
        *,
        lag(applied_tier_rank) over (partition by segment_type_id, entity_id, stands_apart order by evaluation_date asc) as previous_applied_rank
    from applied_found
)

select
    evaluation_number,
    entity_number,
    cast(applied_tier_rank as integer) as applied_tier_rank,
    case
        when computed_tier_rank <> applied_tier_rank then 'pending'
        when previous_applied_rank is null then 'initial'
        when applied_tier_rank <> previous_applied_rank then 'changed'
        else 'stable'
    end as hysteresis_status,
    case when computed_tier_rank <> applied_tier_rank then computed_tier_rank end as pending_tier_rank,
    cast(case when computed_tier_rank <> applied_tier_rank then streak else 0 end as integer) as pending_months
from moves_found
where is_due
