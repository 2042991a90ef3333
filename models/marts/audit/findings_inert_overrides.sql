-- Decisions of people that have no effect, or less than they look: not approved, approved by their author, about somebody nobody
-- knows, a product included; and two decisions about one entity from the same day, of which the higher id counts.
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

product_fits as (
    select {{ cell_text('product_id') }} as product_id from {{ ref('product_fit') }}
),

products as (
    select product_id from {{ ref('int_products_identified') }}
),

as_of_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

segment_overrides as (
    select
        overrides.*,
        count(*) over (
            partition by overrides.segment_type_id, overrides.entity_id, overrides.valid_from, overrides.is_effective
            rows between unbounded preceding and unbounded following
        ) as same_day_count
    from {{ ref('int_segment_overrides') }} as overrides
    inner join {{ ref('int_segment_types') }} as segment_types
        on overrides.segment_type_id = segment_types.segment_type_id
        and segment_types.status <> 'retired'
    -- What has run out has had its effect, or never will.
    inner join as_of_dates
        on overrides.valid_to >= as_of_dates.evaluation_date
),

ranked_entities as (
    select distinct evaluations.segment_type_id, rosters.entity_id
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_rosters') }} as rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
    where evaluations.is_as_of
        and rosters.entity_id in (select entity_id from segment_overrides)
),

found as (
    select
        'hierarchy_overrides|' || hierarchy_overrides.customer_id || '|' || hierarchy_overrides.valid_from as finding_id,
        'hierarchy_overrides.csv' as file_name,
        cast(null as {{ dbt.type_string() }}) as segment_type_id,
        cast(null as {{ dbt.type_string() }}) as override_id,
        hierarchy_overrides.customer_id as entity_id,
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
        cast(null as {{ dbt.type_string() }}) as segment_type_id,
        cast(null as {{ dbt.type_string() }}) as override_id,
        match_overrides.customer_id as entity_id,
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
    union all
    select
        'product_fit|' || product_fits.product_id as finding_id,
        'product_fit.csv' as file_name,
        cast(null as {{ dbt.type_string() }}) as segment_type_id,
        cast(null as {{ dbt.type_string() }}) as override_id,
        product_fits.product_id as entity_id,
        'unknown product' as problem
    from product_fits
    left join products
        on product_fits.product_id = products.product_id
    where products.product_id is null
    union all
    select
        'segment_overrides|' || segment_overrides.override_id as finding_id,
        'segment_overrides.csv' as file_name,
        segment_overrides.segment_type_id,
        segment_overrides.override_id,
        segment_overrides.entity_id,
        case
            when segment_overrides.approved_by is null then 'not approved'
            when not segment_overrides.is_effective then 'approved by whoever requested it'
            when ranked_entities.entity_id is null and segment_overrides.override_mode <> 'clear_all' then 'unknown entity'
            else 'another decision about it begins on the same day; the highest id counts'
        end as problem
    from segment_overrides
    left join ranked_entities
        on segment_overrides.segment_type_id = ranked_entities.segment_type_id
        and segment_overrides.entity_id = ranked_entities.entity_id
    where not segment_overrides.is_effective
        or (ranked_entities.entity_id is null and segment_overrides.override_mode <> 'clear_all')
        or (segment_overrides.same_day_count > 1 and segment_overrides.entity_id is not null)
)

select * from found
where {{ is_open_finding('findings_inert_overrides') }}
