-- Every product once, and the unknown one that stands in where a line names no known product.
select
    product_id,
    source_system,
    native_product_id,
    organisation_id,
    name,
    brand,
    category,
    subcategory,
    cast(unit_cost as numeric(18, 2)) as unit_cost,
    cast(list_price as numeric(18, 2)) as list_price,
    launched_on,
    discontinued_on
from {{ ref('int_products_identified') }}
union all
select
    'unknown' as product_id,
    cast(null as {{ dbt.type_string() }}) as source_system,
    cast(null as {{ dbt.type_string() }}) as native_product_id,
    cast(null as {{ dbt.type_string() }}) as organisation_id,
    'Unknown product' as name,
    cast(null as {{ dbt.type_string() }}) as brand,
    cast(null as {{ dbt.type_string() }}) as category,
    cast(null as {{ dbt.type_string() }}) as subcategory,
    cast(null as numeric(18, 2)) as unit_cost,
    cast(null as numeric(18, 2)) as list_price,
    cast(null as date) as launched_on,
    cast(null as date) as discontinued_on
