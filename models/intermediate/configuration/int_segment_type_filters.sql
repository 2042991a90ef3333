-- The branches and brands whose sales a type counts; a type without rows of a kind counts all.
-- depends_on: {{ ref('int_configuration_gate') }}
select {{ cell_text('segment_type_id') }} as segment_type_id, 'branch' as filter_kind, {{ cell_text('branch_id') }} as filter_value
from {{ ref('segment_type_branches') }}
union all
select {{ cell_text('segment_type_id') }} as segment_type_id, 'brand' as filter_kind, {{ cell_text('brand') }} as filter_value
from {{ ref('segment_type_brands') }}
