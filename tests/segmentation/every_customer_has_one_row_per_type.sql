-- Guards R6: exactly one row for every customer of the type's organisation in every type that is evaluated; nobody is missing, nobody
-- stands twice, and nobody from another organisation takes part.
with

customers as (
    select customer_id, organisation_id
    from {{ ref('dim_customers') }}
),

segment_types as (
    select segment_type_id, organisation_id
    from {{ ref('dim_segment_types') }}
    where entity = 'customer' and status <> 'retired'
),

expected as (
    select segment_types.segment_type_id, customers.customer_id
    from customers
    inner join segment_types
        on segment_types.organisation_id is null or customers.organisation_id = segment_types.organisation_id
),

found as (
    select
        segment_type_id,
        customer_id,
        count(*) as row_count
    from {{ ref('fct_customer_segments') }}
    group by segment_type_id, customer_id
)

select
    coalesce(expected.segment_type_id, found.segment_type_id) as segment_type_id,
    coalesce(expected.customer_id, found.customer_id) as customer_id,
    case when expected.customer_id is null then 0 else 1 end as expected_rows,
    coalesce(found.row_count, 0) as found_rows
from expected
full outer join found
    on expected.segment_type_id = found.segment_type_id
    and expected.customer_id = found.customer_id
where expected.customer_id is null
    or found.row_count is null
    or found.row_count <> 1
