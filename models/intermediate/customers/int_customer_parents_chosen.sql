-- R8: the parent that counts for each customer on a hierarchy date. An approved hierarchy override in force decides;
-- else the first source, in var parent_source_order, that names a parent. What the others say stays visible.
with

customers as (
    select customer_id, erp_parent_id from {{ ref('int_customers_identified') }}
),

links as (
    select customer_id, party_id, match_rule
    from {{ ref('int_customers_matched_to_parties') }}
    where party_kind = 'crm_account' and not is_ambiguous
),

accounts as (
    select
        {{ global_id('source_system', 'account_id') }} as account_id,
        {{ global_id('source_system', 'parent_account_id') }} as parent_account_id
    from {{ ref('stg_crm__accounts') }}
    where record_status = 'staged' and parent_account_id is not null
),

hierarchy_dates as (
    select distinct hierarchy_date from {{ ref('int_evaluation_dates') }}
),

overrides as (
    select
        {{ cell_text('customer_id') }} as customer_id,
        {{ cell_text('parent_customer_id') }} as parent_id,
        {{ parse_cell('valid_from', 'date', true) }} as valid_from,
        coalesce({{ parse_cell('valid_to', 'date', true) }}, cast('9999-12-31' as date)) as valid_to
    from {{ ref('hierarchy_overrides') }}
    where {{ cell_text('approved_by') }} is not null
),

overrides_ordered as (
    select
        hierarchy_dates.hierarchy_date,
        overrides.customer_id,
        overrides.parent_id,
        row_number() over (
            partition by hierarchy_dates.hierarchy_date, overrides.customer_id order by overrides.valid_from desc
        ) as recency
    from hierarchy_dates
    inner join overrides
        on hierarchy_dates.hierarchy_date between overrides.valid_from and overrides.valid_to
),

-- The customer an account stands for: the one it is linked to by decision or reference, else the only one.
accounts_as_customers as (
    select
        party_id,
        case
            when count(case when match_rule in ('manual', 'cross_reference') then 1 end) = 1
                then min(case when match_rule in ('manual', 'cross_reference') then customer_id end)
            when count(*) = 1 then min(customer_id)
        end as customer_id
    from links
    group by party_id
),

crm_parents as (
    select links.customer_id, min(accounts_as_customers.customer_id) as crm_parent_id
    from links
    inner join accounts
        on links.party_id = accounts.account_id
    inner join accounts_as_customers
        on accounts.parent_account_id = accounts_as_customers.party_id
        and links.customer_id <> accounts_as_customers.customer_id
    group by links.customer_id
    having count(distinct accounts_as_customers.customer_id) = 1
),

parents_recorded as (
    {{ parents_recorded('crm', 'accounts') }}
),

parents_named as (
    select
        hierarchy_dates.hierarchy_date,
        customers.customer_id,
        customers.erp_parent_id,
        case when parents_recorded.customer_id is not null then parents_recorded.parent_id else crm_parents.crm_parent_id end as crm_parent_id,
        overrides_ordered.customer_id is not null as is_overridden,
        overrides_ordered.parent_id as override_parent_id
    from customers
    cross join hierarchy_dates
    left join crm_parents
        on customers.customer_id = crm_parents.customer_id
    left join parents_recorded
        on customers.customer_id = parents_recorded.customer_id
    left join overrides_ordered
        on customers.customer_id = overrides_ordered.customer_id
        and hierarchy_dates.hierarchy_date = overrides_ordered.hierarchy_date
        and overrides_ordered.recency = 1
)

select
    hierarchy_date,
    customer_id,
    erp_parent_id,
    crm_parent_id,
    case
        when is_overridden then override_parent_id
        else coalesce({% for source in var('parent_source_order') %}{{ source }}_parent_id{{ ', ' if not loop.last }}{% endfor %})
    end as parent_id,
    case
        when is_overridden then 'override'
        {% for source in var('parent_source_order') -%}
        when {{ source }}_parent_id is not null then '{{ source }}'
        {% endfor %}
    end as parent_source
from parents_named
