-- R8, first half of the climb: for every customer with a parent that exists, the ancestor eight levels up, or the top
-- if that is nearer. Two short climbs (eight steps, then eight leaps of eight) reach 64 levels without recursion.
with

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

links as (
    select chosen.hierarchy_date, chosen.customer_id, chosen.parent_id as ancestor_id
    from {{ ref('int_customer_parents_chosen') }} as chosen
    inner join customers
        on chosen.parent_id = customers.customer_id
),

{{ walk_up('leaps', start='links', links='links', steps=7) }}

select leaps.hierarchy_date, leaps.customer_id, links.ancestor_id as parent_id, leaps.ancestor_id
from leaps
inner join links
    on leaps.hierarchy_date = links.hierarchy_date
    and leaps.customer_id = links.customer_id
