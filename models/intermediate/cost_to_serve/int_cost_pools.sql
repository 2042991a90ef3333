-- R15: cost pools typed: whom a pool is for, what it is driven by, and how much of it a month could bear.
-- depends_on: {{ ref('int_configuration_gate') }}
select
    {{ cell_text('cost_pool_id') }} as cost_pool_id,
    coalesce({{ cell_text('name') }}, {{ cell_text('cost_pool_id') }}) as name,
    coalesce({{ cell_text('activity') }}, {{ cell_text('cost_pool_id') }}) as activity,
    {{ cell_text('driver') }} as driver,
    coalesce({{ cell_text('cost_level') }}, 'customer') as cost_level,
    {{ parse_cell('practical_capacity', 'quantity', true) }} as practical_capacity
from {{ ref('cost_pools') }}
