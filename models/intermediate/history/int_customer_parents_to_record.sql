-- R18, R8: whose customer each one is: what the sources say, what was chosen and where it leads, as of the build.
{% set columns = ['customer_id', 'erp_parent_id', 'crm_parent_id', 'parent_id', 'parent_source', 'ultimate_parent_id', 'hierarchy_status', 'vat_group_id'] %}
with

evaluation_dates as (
    select evaluation_date, hierarchy_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

customers as (
    select
        rolled_up.customer_id,
        parents_chosen.erp_parent_id,
        parents_chosen.crm_parent_id,
        rolled_up.parent_id,
        rolled_up.parent_source,
        rolled_up.ultimate_parent_id,
        rolled_up.hierarchy_status,
        identified.vat_group_id,
        cast(evaluation_dates.evaluation_date as timestamp) as recorded_at
    from evaluation_dates
    inner join {{ ref('int_customers_rolled_up') }} as rolled_up
        on evaluation_dates.hierarchy_date = rolled_up.hierarchy_date
    inner join {{ ref('int_customer_parents_chosen') }} as parents_chosen
        on rolled_up.hierarchy_date = parents_chosen.hierarchy_date
        and rolled_up.customer_id = parents_chosen.customer_id
    inner join {{ ref('int_customers_identified') }} as identified
        on rolled_up.customer_id = identified.customer_id
)

{{ rows_to_record('customers', 'snap_customer_parents', columns) }}
