-- Segment types typed, every empty cell replaced by its default (macro segment_type_options: the first option).
-- depends_on: {{ ref('int_configuration_gate') }}
{% set options = segment_type_options() %}
with

segment_types as (
    select * from {{ ref('segment_types') }}
)

select
    {{ cell_text('segment_type_id') }} as segment_type_id,
    coalesce({{ cell_text('family') }}, {{ cell_text('segment_type_id') }}) as family,
    coalesce({{ parse_cell('version', 'integer', true) }}, 1) as version,
    coalesce({{ cell_text('name') }}, {{ cell_text('segment_type_id') }}) as name,
    {{ cell_text('organisation_id') }} as organisation_id,
    {% for column in options -%}
    coalesce({{ cell_text('segment_types.' ~ column) }}, '{{ options[column][0] }}') as {{ adapter.quote(column) if column == 'interval' else column }},
    {% endfor -%}
    coalesce({{ parse_cell('timespan_months', 'integer', true) }}, 12) as timespan_months,
    coalesce({{ parse_cell('fiscal_year_start_month', 'integer', true) }}, 1) as fiscal_year_start_month,
    {{ parse_cell('min_net_sales', 'amount', true) }} as min_net_sales,
    coalesce(
        {{ parse_cell('new_customer_days', 'integer', true) }},
        case when {{ cell_text('entity') }} = 'product' then 0 else 90 end
    ) as new_customer_days,
    coalesce({{ parse_cell('hysteresis_months', 'integer', true) }}, 0) as hysteresis_months,
    -- The customary limits of X and Y.
    cast(coalesce({{ parse_cell('xyz_x_limit', 'rate', true) }}, 0.20) as numeric(6, 4)) as xyz_x_limit,
    cast(coalesce({{ parse_cell('xyz_y_limit', 'rate', true) }}, 0.60) as numeric(6, 4)) as xyz_y_limit,
    {{ cell_text('objective') }} as objective,
    {{ cell_text('used_for') }} as used_for,
    coalesce({{ parse_cell('is_default', 'boolean', true) }}, false) as is_default,
    coalesce({{ parse_cell('is_shared', 'boolean', true) }}, false) as is_shared,
    coalesce({{ parse_cell('notify', 'boolean', true) }}, false) as notify
from segment_types
