-- Decisions of people that have no effect: not approved, or about a customer, parent or party nobody knows.
with

customers as (
    select customer_id from {{ ref('int_customers_identified') }}
),

accounts as (
    select {{ global_id('source_system', 'account_id') }} as party_id
    from {{ ref('stg_crm__accounts') }}
    where record_status = 'staged'
),

hierarchy_overrides as (
    select
        {{ cell_text('customer_id') }} as customer_id,
        {{ cell_text('parent_customer_id') }} as parent_customer_id,
        {{ cell_text('valid_from') }} as valid_from,
        {{ cell_text('approved_by') }} as approved_by
    from {{ ref('hierarchy_overrides') }}
),

match_overrides as (
    select
        {{ cell_text('customer_id') }} as customer_id,
        {{ cell_text('party_kind') }} as party_kind,
        {{ cell_text('party_id') }} as party_id,
        {{ cell_text('approved_by') }} as approved_by
    from {{ ref('account_match_overrides') }}
),

found as (
    select
        'hierarchy_overrides|' || hierarchy_overrides.customer_id || '|' || hierarchy_overrides.valid_from as finding_id,
        'hierarchy_overrides.csv' as file_name,
        hierarchy_overrides.customer_id,
        case
            when hierarchy_overrides.approved_by is null then 'not approved'
            when customers.customer_id is null then 'unknown customer'
            else 'unknown parent ' || hierarchy_overrides.parent_customer_id
        end as problem
    from hierarchy_overrides
    left join customers
        on hierarchy_overrides.customer_id = customers.customer_id
    left join customers as parents
        on hierarchy_overrides.parent_customer_id = parents.customer_id
    where hierarchy_overrides.approved_by is null
        or customers.customer_id is null
        or (hierarchy_overrides.parent_customer_id is not null and parents.customer_id is null)
    union all
    select
        'account_match_overrides|' || match_overrides.customer_id || '|' || match_overrides.party_id as finding_id,
        'account_match_overrides.csv' as file_name,
        match_overrides.customer_id,
        case
            when match_overrides.approved_by is null then 'not approved'
            when customers.customer_id is null then 'unknown customer'
            else 'unknown account ' || match_overrides.party_id
        end as problem
    from match_overrides
    left join customers
        on match_overrides.customer_id = customers.customer_id
    left join accounts
        on match_overrides.party_id = accounts.party_id
    where match_overrides.approved_by is null
        or customers.customer_id is null
        or (match_overrides.party_kind = 'crm_account' and accounts.party_id is null)
)

select * from found
where {{ is_open_finding('findings_inert_overrides') }}
