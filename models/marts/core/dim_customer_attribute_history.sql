-- The attributes registered to keep their history, as the snapshot recorded them: half-open periods of one value.
select
    customer_id,
    attribute,
    attribute_value,
    cast(dbt_valid_from as date) as valid_from,
    coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
    dbt_valid_to is null as is_current
from {{ ref('snap_customer_attributes') }}
-- Two builds for one day: what the last one saw is what counts for the day.
where dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date)
