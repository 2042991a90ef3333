-- The attributes registered to keep their history, as the snapshot recorded them: half-open periods of one value.
select
    customer_id,
    attribute,
    attribute_value,
    cast(dbt_valid_from as date) as valid_from,
    coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
    dbt_valid_to is null as is_current
from {{ ref('snap_customer_attributes') }}
