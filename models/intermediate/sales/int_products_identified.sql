-- Products with their global ids and organisation.
-- depends_on: {{ ref('int_configuration_gate') }}
with

products as (
    select * from {{ ref('stg_erp__products') }} where record_status = 'staged'
),

organisations as (
    select {{ cell_text('organisation_id') }} as organisation_id, lower({{ cell_text('source_system') }}) as source_system
    from {{ ref('organisations') }}
)

select
    {{ global_id('products.source_system', 'products.product_id') }} as product_id,
    products.source_system,
    products.product_id as native_product_id,
    organisations.organisation_id,
    products.name,
    products.brand,
    products.category,
    products.subcategory,
    products.unit_cost,
    products.list_price,
    products.launched_on,
    products.discontinued_on,
    products.loaded_at
from products
left join organisations
    on products.source_system = organisations.source_system
