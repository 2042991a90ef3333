-- One row per customer and attribute that attribute_registry keeps as history; the rest is overwritten.
with

customers as (
    {{ customers_as_known() }}
),

kept as (
    select {{ cell_text('attribute') }} as attribute
    from {{ ref('attribute_registry') }}
    where {{ cell_text('history') }} = 'keep'
),

evaluation_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

attributes as (
    {% for attribute in customer_attributes() -%}
    select
        {{ global_id('customers.source_system', 'customers.customer_id') }} || '|{{ attribute }}' as customer_attribute_id,
        {{ global_id('customers.source_system', 'customers.customer_id') }} as customer_id,
        kept.attribute,
        cast(customers.{{ attribute }} as {{ dbt.type_string() }}) as attribute_value,
        cast(evaluation_dates.evaluation_date as timestamp) as recorded_at
    from customers
    inner join kept
        on kept.attribute = '{{ attribute }}'
    cross join evaluation_dates
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ rows_to_record('attributes', 'snap_customer_attributes', ['customer_attribute_id', 'customer_id', 'attribute', 'attribute_value'], records_deletions=false) }}
