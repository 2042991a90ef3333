-- R6, R8: exactly one row for every customer (or product) of the type's organisation x type x evaluation, with the entity it
-- is ranked as. The as-of evaluation has everybody; a month-end has those who have appeared by then (R18), and
-- in_population says who they are where the as-of date is a month-end itself.
with

evaluations as (
    select segment_type_id, evaluation_date, entity, is_as_of, is_month_end, hierarchy_date
    from {{ ref('int_segment_evaluations') }}
    where is_due
),

segment_types as (
    select segment_type_id, organisation_id, identity_basis, hierarchy_level from {{ ref('int_segment_types') }}
),

population as (
    select * from {{ ref('int_segment_population') }}
),

rolled_up as (
    select hierarchy_date, customer_id, ultimate_parent_id from {{ ref('int_customers_rolled_up') }}
)

select
    evaluations.segment_type_id,
    evaluations.evaluation_date,
    population.member_id,
    case
        when population.stands_apart then population.member_id
        when segment_types.identity_basis = 'vat' then population.vat_group_id
        when segment_types.hierarchy_level = 'ultimate_parent' then rolled_up.ultimate_parent_id
        else population.member_id
    end as entity_id,
    population.stands_apart,
    not evaluations.is_month_end or population.appeared_on <= evaluations.evaluation_date as in_population,
    -- What lies after the evaluation date has not happened yet.
    case when population.first_invoice_date <= evaluations.evaluation_date then population.first_invoice_date end as first_invoice_date
from evaluations
inner join segment_types
    on evaluations.segment_type_id = segment_types.segment_type_id
inner join population
    on evaluations.entity = population.entity
    and (segment_types.organisation_id is null or segment_types.organisation_id = population.organisation_id)
    and (evaluations.is_as_of or evaluations.evaluation_date >= population.appeared_on)
left join rolled_up
    on evaluations.hierarchy_date = rolled_up.hierarchy_date
    and population.member_id = rolled_up.customer_id
