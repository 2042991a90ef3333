-- Guards the history of customer attributes: half-open periods of at least a day that follow each other without a gap or an overlap,
-- the last one open.
with

periods as (
    select
        customer_id,
        attribute,
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (partition by customer_id, attribute order by valid_from asc, valid_to asc) as next_valid_from
    from {{ ref('dim_customer_attribute_history') }}
)

select *
from periods
where valid_from >= valid_to
    or valid_to <> coalesce(next_valid_from, cast('9999-12-31' as date))
    or is_current <> (next_valid_from is null)
