-- R6, R8: who is ranked as what. A roster is one way to look at the customers (or products) of an organisation: singly, by
-- ultimate parent on a date, or by VAT number; the types that look alike share it. is_head marks one member of every entity, the one
-- that appeared first, so that entities can be counted without comparing them; entity_number, their order by id inside the roster,
-- stands for the id where millions of rows are joined or ordered.
with

rosters as (
    select distinct
        evaluations.roster_id, evaluations.roster_date, evaluations.entity, segment_types.organisation_id,
        segment_types.identity_basis, segment_types.hierarchy_level
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due
),

population as (
    select * from {{ ref('int_segment_population') }}
),

rolled_up as (
    select hierarchy_date, customer_id, ultimate_parent_id from {{ ref('int_customers_rolled_up') }}
),

members as (
    select
        rosters.roster_id,
        rosters.roster_date,
        population.member_id,
        population.member_number,
        case
            when population.stands_apart then population.member_id
            when rosters.identity_basis = 'vat' then population.vat_group_id
            when rosters.hierarchy_level = 'ultimate_parent' then rolled_up.ultimate_parent_id
            else population.member_id
        end as entity_id,
        population.stands_apart,
        population.appeared_on,
        population.first_invoice_date
    from rosters
    inner join population
        on rosters.entity = population.entity
        and (rosters.organisation_id is null or rosters.organisation_id = population.organisation_id)
    left join rolled_up
        on rosters.roster_date = rolled_up.hierarchy_date
        and population.member_id = rolled_up.customer_id
)

select
    *,
    cast(dense_rank() over (partition by roster_id, roster_date order by entity_id asc, stands_apart asc) as integer) as entity_number,
    row_number() over (partition by roster_id, roster_date, entity_id, stands_apart order by appeared_on asc, member_id asc) = 1 as is_head,
    min(first_invoice_date) over (
        partition by roster_id, roster_date, entity_id, stands_apart rows between unbounded preceding and unbounded following
    ) as entity_first_invoice_date
from members
