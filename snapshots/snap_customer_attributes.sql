{# Logical dates: a change is dated with the as-of date of the build that saw it. A build for an older day records
   nothing, so that recorded history only moves forward. #}
{% snapshot snap_customer_attributes %}
{{ config(unique_key='customer_attribute_id', strategy='check', check_cols=['attribute_value'], updated_at='recorded_for') }}
select
    customer_attribute_id,
    customer_id,
    attribute,
    attribute_value,
    cast(evaluation_date as timestamp) as recorded_for
from {{ ref('int_customer_attributes') }}
{%- if execute and flags.WHICH in ['build', 'snapshot'] and adapter.get_relation(this.database, this.schema, this.identifier) is not none %}
where cast(evaluation_date as timestamp) >= (select max(dbt_valid_from) from {{ this }})
{%- endif %}
{% endsnapshot %}
