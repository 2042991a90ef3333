-- R21, R8: who belonged to whom under every version of the hierarchy that a change needs: as recorded on its day, and where nothing was
-- recorded yet, what was recorded first or the validity of a decision says.
with

versions as (
    select distinct roster_kind, hierarchy_version
    from {{ ref('int_tier_change_scenarios') }}
    where roster_kind <> 'single'
),

first_days as (
    select distinct first_recorded_on, anchor_hierarchy_date from {{ ref('int_tier_change_hierarchy_versions') }}
),

recorded as (
    select
        customer_id,
        ultimate_parent_id,
        vat_group_id,
        cast(dbt_valid_from as date) as valid_from,
        lag(customer_id) over (partition by customer_id order by dbt_valid_from asc, dbt_updated_at asc) is null as is_first,
        coalesce(
            cast(lead(dbt_valid_from) over (partition by customer_id order by dbt_valid_from asc, dbt_updated_at asc) as date),
            cast('9999-12-31' as date)
        ) as valid_to
    from {{ ref('snap_customer_parents') }}
    where dbt_is_deleted = 'False'
        and (dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date))
),

rolled_up as (
    select hierarchy_date, customer_id, ultimate_parent_id from {{ ref('int_customers_rolled_up') }}
),

-- The lookups are written out before they are made: a condition on the left side of an outer join has no hash join.
members as (
    select
        versions.roster_kind,
        versions.hierarchy_version,
        recorded.customer_id,
        recorded.ultimate_parent_id,
        recorded.vat_group_id,
        case when versions.hierarchy_version < first_days.first_recorded_on then versions.hierarchy_version end as valid_on,
        first_days.anchor_hierarchy_date
    from versions
    cross join first_days
    inner join recorded
        on versions.hierarchy_version < recorded.valid_to
        and (recorded.is_first or versions.hierarchy_version >= recorded.valid_from)
)

select
    members.roster_kind,
    members.hierarchy_version,
    members.customer_id as member_id,
    case
        when members.roster_kind = 'vat' then members.vat_group_id
        when then_valid.ultimate_parent_id <> anchors.ultimate_parent_id then then_valid.ultimate_parent_id
        else members.ultimate_parent_id
    end as entity_id
from members
left join rolled_up as then_valid
    on members.valid_on = then_valid.hierarchy_date
    and members.customer_id = then_valid.customer_id
left join rolled_up as anchors
    on members.anchor_hierarchy_date = anchors.hierarchy_date
    and members.customer_id = anchors.customer_id
