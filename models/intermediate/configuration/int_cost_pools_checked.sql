-- What is wrong with cost_pools. A driver that is none of ours is one of erp.driver_quantities, which lands by night: one that
-- never lands leaves its pool unallocated and is a finding (findings_costs).
{{ check_seed_columns(['cost_pools']) }}
{% set key = cell_text('cost_pool_id') %}
{{ findings_missing('cost_pools', key, ['cost_pool_id', 'driver']) }}
union all
{{ findings_duplicate('cost_pools', 'min(' ~ key ~ ')', ['cost_pool_id']) }}
union all
{{ findings_option('cost_pools', key, 'cost_level', ['customer', 'organisation']) }}
union all
{{ findings_value('cost_pools', key, 'practical_capacity', 'quantity', 0) }}
union all
{{ finding('cost_pools', key, "'its id begins with direct_, as those of traced charges do'", "'give it another id'") }}
from {{ ref('cost_pools') }}
where left({{ key }}, 7) = 'direct_'
union all
{{ finding('cost_pools', key, "'cost_level customer goes with a driver, and it has none'", "'name a driver, or set cost_level to organisation'") }}
from {{ ref('cost_pools') }}
where {{ cell_text('driver') }} = 'none' and coalesce({{ cell_text('cost_level') }}, 'customer') = 'customer'
union all
{{ finding('cost_pools', key, "'practical_capacity ' || practical_capacity || ' does not go with cost_level organisation'", "'leave it empty: nothing of the pool is allocated'") }}
from {{ ref('cost_pools') }}
where {{ cell_text('cost_level') }} = 'organisation' and {{ cell_text('practical_capacity') }} is not null
