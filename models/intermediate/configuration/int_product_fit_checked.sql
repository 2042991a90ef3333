-- What is wrong with product_fit. A product nobody knows is no fault: products arrive by night (findings_inert_overrides).
{{ check_seed_columns(['product_fit']) }}
{% set key = cell_text('product_id') %}
{{ findings_missing('product_fit', key, ['product_id', 'strategic_fit', 'operational_fit', 'reason', 'rated_by']) }}
union all
{{ findings_duplicate('product_fit', 'min(' ~ key ~ ')', ['product_id']) }}
{% for column in ['strategic_fit', 'operational_fit'] %}
union all
{{ findings_value('product_fit', key, column, 'integer', 1, 5, required=true) }}
{% endfor %}
union all
{{ finding('product_fit', key, "'product_id ' || " ~ in_quotes(key) ~ " || ' is not a global id'", "'write <source_system>:<native id>, such as erp_north:P0001'") }}
from {{ ref('product_fit') }}
where {{ key }} not like '_%:_%'
