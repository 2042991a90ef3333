-- Guards R21: where the recorded hierarchy and configuration of a pair of dates are those of today, the changes begin and end with the
-- tiers of the monthly evaluation, and no member whose tier differs between the two dates is missing. Pairs that are kept were looked at by the
-- run that explained them, and neither side has changed since: that is what their fingerprint says.
with

pairs as (
    select explained.*
    from {{ ref('int_tier_change_pairs_explained') }} as explained
    inner join {{ ref('int_tier_change_pairs') }} as pairs
        on explained.segment_type_id = pairs.segment_type_id
        and explained.from_date = pairs.from_date
        and explained.to_date = pairs.to_date
    where explained.is_as_today and pairs.is_due
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

evaluations as (
    select segment_type_id, to_date as evaluation_date from pairs
    union
    select old_segment_type_id as segment_type_id, from_date as evaluation_date from pairs
),

members as (
    select evaluated.segment_type_id, evaluated.evaluation_date, evaluated.member_id, tiers.tier
    from evaluations
    inner join {{ ref('int_segment_members_evaluated') }} as evaluated
        on evaluations.segment_type_id = evaluated.segment_type_id
        and evaluations.evaluation_date = evaluated.evaluation_date
    inner join tiers
        on evaluated.segment_type_id = tiers.segment_type_id
        and evaluated.tier_rank = tiers.tier_rank
    where evaluated.in_population
),

evaluated as (
    select pairs.segment_type_id, pairs.from_date, pairs.to_date, afters.member_id, befores.tier as tier_start, afters.tier as tier_end
    from pairs
    inner join members as afters
        on pairs.segment_type_id = afters.segment_type_id
        and pairs.to_date = afters.evaluation_date
    left join members as befores
        on pairs.old_segment_type_id = befores.segment_type_id
        and pairs.from_date = befores.evaluation_date
        and afters.member_id = befores.member_id
),

changes as (
    select changes.*
    from {{ ref('fct_tier_changes') }} as changes
    inner join pairs
        on changes.segment_type_id = pairs.segment_type_id
        and changes.from_date = pairs.from_date
        and changes.to_date = pairs.to_date
)

select
    coalesce(evaluated.segment_type_id, changes.segment_type_id) as segment_type_id,
    coalesce(evaluated.member_id, changes.member_id) as member_id,
    coalesce(evaluated.from_date, changes.from_date) as from_date,
    coalesce(evaluated.to_date, changes.to_date) as to_date,
    evaluated.tier_start as evaluated_start,
    evaluated.tier_end as evaluated_end,
    changes.tier_start,
    changes.tier_end
from evaluated
full outer join changes
    on evaluated.segment_type_id = changes.segment_type_id
    and evaluated.member_id = changes.member_id
    and evaluated.from_date = changes.from_date
    and evaluated.to_date = changes.to_date
where evaluated.member_id is null
    or (changes.member_id is null and evaluated.tier_start <> evaluated.tier_end)
    or (changes.member_id is not null and (evaluated.tier_start <> changes.tier_start or evaluated.tier_end <> changes.tier_end))
