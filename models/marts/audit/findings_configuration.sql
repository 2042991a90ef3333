-- Every sentence about the configuration, one per fault; int_configuration_gate stops the build on them.
with

findings as (
    select seed, row_key, problem, mend from {{ ref('int_segment_types_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_segment_tiers_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_segment_overrides_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_master_data_rules_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_cost_pools_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_stratification_metrics_checked') }}
    union all
    select seed, row_key, problem, mend from {{ ref('int_product_fit_checked') }}
)

select distinct
    cast(seed || '.csv' as {{ dbt.type_string() }}) as file_name,
    cast(row_key as {{ dbt.type_string() }}) as row_key,
    cast(problem as {{ dbt.type_string() }}) as problem,
    cast(mend as {{ dbt.type_string() }}) as mend,
    cast(seed || '.csv, ' || row_key || ': ' || problem || '; ' || mend || '.' as {{ dbt.type_string() }}) as sentence
from findings
