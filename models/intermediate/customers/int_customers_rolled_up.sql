-- R8: every customer's ultimate parent and the state of the chain that leads there. Members of cycles stand alone, so the customers
-- below them roll up to the first member they meet.
with

parents_chosen as (
    select hierarchy_date, customer_id, parent_id, parent_source from {{ ref('int_customer_parents_chosen') }}
),

climbed as (
    select hierarchy_date, customer_id, ancestor_id, is_endless from {{ ref('int_customer_links_climbed') }}
),

links_below_cycles as (
    select hierarchy_date, customer_id, parent_id as ancestor_id
    from {{ ref('int_customer_links_climbed') }}
    where is_endless
        and not is_cycle_member
),

{{ walk_up('leaps_below_cycles', start='links_below_cycles', links='links_below_cycles', steps=7) }},

{{ walk_up('climbed_below_cycles', start='leaps_below_cycles', links='leaps_below_cycles', steps=7) }},

tops_found as (
    select
        parents_chosen.hierarchy_date,
        parents_chosen.customer_id,
        parents_chosen.parent_id,
        parents_chosen.parent_source,
        climbed.customer_id is not null as has_parent,
        coalesce(climbed.is_endless, false) as is_endless,
        case
            when climbed.is_endless then coalesce(climbed_below_cycles.ancestor_id, parents_chosen.customer_id)
            else coalesce(climbed.ancestor_id, parents_chosen.customer_id)
        end as ultimate_parent_id
    from parents_chosen
    left join climbed
        on parents_chosen.hierarchy_date = climbed.hierarchy_date
        and parents_chosen.customer_id = climbed.customer_id
    left join climbed_below_cycles
        on parents_chosen.hierarchy_date = climbed_below_cycles.hierarchy_date
        and parents_chosen.customer_id = climbed_below_cycles.customer_id
)

select
    below.hierarchy_date,
    below.customer_id,
    below.parent_id,
    below.parent_source,
    below.ultimate_parent_id,
    case
        when below.is_endless and below.ultimate_parent_id = below.customer_id then 'cycle'
        when below.is_endless then 'below_cycle'
        when below.parent_id is not null and not below.has_parent then 'orphan_parent'
        when tops.parent_id is not null then 'below_orphan'
        else 'ok'
    end as hierarchy_status
from tops_found as below
inner join parents_chosen as tops
    on below.hierarchy_date = tops.hierarchy_date
    and below.ultimate_parent_id = tops.customer_id
