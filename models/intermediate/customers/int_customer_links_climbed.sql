-- R8, second half of the climb: where every customer with a parent that exists gets to after 64 levels. Whoever still has a parent
-- there stands on a cycle or below one, and where those climbs end are the members of the cycles.
with

leaps as (
    select hierarchy_date, customer_id, parent_id, ancestor_id from {{ ref('int_customer_links_leaped') }}
),

{{ walk_up('climbed', start='leaps', links='leaps', steps=7) }},

climbed_further as (
    select
        climbed.hierarchy_date,
        climbed.customer_id,
        climbed.ancestor_id,
        leaps.customer_id is not null as is_endless
    from climbed
    left join leaps
        on climbed.hierarchy_date = leaps.hierarchy_date
        and climbed.ancestor_id = leaps.customer_id
),

cycle_members as (
    select distinct hierarchy_date, ancestor_id as customer_id from climbed_further where is_endless
)

select
    climbed_further.hierarchy_date,
    climbed_further.customer_id,
    leaps.parent_id,
    climbed_further.ancestor_id,
    climbed_further.is_endless,
    cycle_members.customer_id is not null as is_cycle_member
from climbed_further
inner join leaps
    on climbed_further.hierarchy_date = leaps.hierarchy_date
    and climbed_further.customer_id = leaps.customer_id
left join cycle_members
    on climbed_further.hierarchy_date = cycle_members.hierarchy_date
    and climbed_further.customer_id = cycle_members.customer_id
