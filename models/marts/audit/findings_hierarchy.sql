-- Chains of parents that break, and sources that name different parents (the loser is listed).
with

evaluation_dates as (
    select hierarchy_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

rolled_up as (
    select rolled.*
    from {{ ref('int_customers_rolled_up') }} as rolled
    inner join evaluation_dates
        on rolled.hierarchy_date = evaluation_dates.hierarchy_date
),

parents_chosen as (
    select chosen.*
    from {{ ref('int_customer_parents_chosen') }} as chosen
    inner join evaluation_dates
        on chosen.hierarchy_date = evaluation_dates.hierarchy_date
),

findings as (
    select
        case hierarchy_status
            when 'cycle' then 'parent_cycle'
            when 'below_cycle' then 'parent_below_cycle'
            when 'orphan_parent' then 'parent_orphan'
            else 'parent_below_orphan'
        end as finding,
        customer_id,
        parent_id as chosen_parent_id,
        parent_source as chosen_source,
        cast(null as {{ dbt.type_string() }}) as losing_parent_id,
        cast(null as {{ dbt.type_string() }}) as losing_source
    from rolled_up
    where hierarchy_status <> 'ok'
    {%- for source in ['erp', 'crm'] %}
    union all
    select
        'parent_disagreement' as finding,
        customer_id,
        parent_id as chosen_parent_id,
        parent_source as chosen_source,
        {{ source }}_parent_id as losing_parent_id,
        '{{ source }}' as losing_source
    from parents_chosen
    where erp_parent_id <> crm_parent_id
        and parent_source <> '{{ source }}'
        and {{ source }}_parent_id is distinct from parent_id
    {%- endfor %}
),

found as (
    select
        finding || '|' || customer_id || coalesce('|' || losing_source, '') as finding_id,
        finding,
        customer_id,
        chosen_parent_id,
        chosen_source,
        losing_parent_id,
        losing_source
    from findings
)

select * from found
where {{ is_open_finding('findings_hierarchy') }}
