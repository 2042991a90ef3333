-- R9: which CRM account holds a customer, and which customer stands behind a 3PL consignee code. The best rule that
-- names anybody decides; when it names several, nobody is linked and the candidates become a finding.
-- depends_on: {{ ref('int_configuration_gate') }}
with

customers as (
    select
        customer_id,
        vat_number,
        nullif({{ letters_and_digits('name') }}, '') as name_key,
        country,
        nullif({{ letters_and_digits('postal_code') }}, '') as postal_key
    from {{ ref('int_customers_identified') }}
),

accounts as (
    select
        source_system,
        {{ global_id('source_system', 'account_id') }} as party_id,
        {{ global_id('lower(erp_source_system)', 'erp_customer_id') }} as referenced_customer_id,
        {{ normalised_vat_number('vat_number', 'country') }} as vat_number,
        nullif({{ letters_and_digits('name') }}, '') as name_key,
        upper(country) as country,
        nullif({{ letters_and_digits('postal_code') }}, '') as postal_key
    from {{ ref('stg_crm__accounts') }}
    where record_status = 'staged'
),

shipments as (
    select source_system, lower(erp_source_system) as erp_source_system, order_id, consignee_code
    from {{ ref('stg_tpl__shipments') }}
    where record_status = 'staged' and consignee_code is not null
),

orders as (
    select source_system, order_id, customer_id
    from {{ ref('stg_erp__orders') }}
    where record_status = 'staged'
),

manual_decisions as (
    select
        {{ cell_text('customer_id') }} as customer_id,
        {{ cell_text('party_kind') }} as party_kind,
        {{ cell_text('party_id') }} as party_id,
        {{ cell_text('action') }} as action
    from {{ ref('account_match_overrides') }}
    where {{ cell_text('approved_by') }} is not null
),

candidates as (
    select customers.customer_id, manual_decisions.party_kind, manual_decisions.party_id, 1 as rule_rank
    from manual_decisions
    inner join customers
        on manual_decisions.customer_id = customers.customer_id
    left join accounts
        on manual_decisions.party_id = accounts.party_id
    where manual_decisions.action = 'match'
        -- Consignee codes have no master data; an account must be there.
        and (manual_decisions.party_kind = 'tpl_consignee' or accounts.party_id is not null)
    union all
    select customers.customer_id, 'crm_account' as party_kind, accounts.party_id, 2 as rule_rank
    from accounts
    inner join customers
        on accounts.referenced_customer_id = customers.customer_id
    union all
    select customers.customer_id, 'crm_account' as party_kind, accounts.party_id, 3 as rule_rank
    from accounts
    inner join customers
        on accounts.vat_number = customers.vat_number
    union all
    select customers.customer_id, 'crm_account' as party_kind, accounts.party_id, 4 as rule_rank
    from accounts
    inner join customers
        on accounts.name_key = customers.name_key
        and accounts.country = customers.country
        and accounts.postal_key = customers.postal_key
    union all
    select distinct
        customers.customer_id,
        'tpl_consignee' as party_kind,
        {{ global_id('shipments.source_system', 'shipments.consignee_code') }} as party_id,
        2 as rule_rank
    from shipments
    inner join orders
        on shipments.erp_source_system = orders.source_system
        and shipments.order_id = orders.order_id
    inner join customers
        on {{ global_id('orders.source_system', 'orders.customer_id') }} = customers.customer_id
),

candidates_allowed as (
    select
        candidates.*,
        -- A customer has one account per CRM; a consignee code is one customer.
        case
            when candidates.party_kind = 'crm_account'
                then candidates.customer_id || '>' || {{ dbt.split_part('candidates.party_id', "':'", 1) }}
            else candidates.party_id
        end as decision_id
    from candidates
    left join manual_decisions
        on candidates.customer_id = manual_decisions.customer_id
        and candidates.party_kind = manual_decisions.party_kind
        and candidates.party_id = manual_decisions.party_id
        and manual_decisions.action = 'never_match'
    where manual_decisions.customer_id is null or candidates.rule_rank = 1
),

best_rules_found as (
    select
        *,
        min(rule_rank) over (partition by party_kind, decision_id rows between unbounded preceding and unbounded following) as best_rule_rank
    from candidates_allowed
),

rivals_counted as (
    select
        *,
        count(*) over (partition by party_kind, decision_id rows between unbounded preceding and unbounded following) as candidate_count
    from best_rules_found
    where rule_rank = best_rule_rank
)

select
    customer_id,
    party_kind,
    party_id,
    decision_id,
    case rule_rank when 1 then 'manual' when 2 then 'cross_reference' when 3 then 'vat_number' else 'name_and_address' end as match_rule,
    -- How often such a link proves right, as an order of trust and not as a measurement.
    cast(case rule_rank when 1 then 1.00 when 2 then 0.95 when 3 then 0.90 else 0.70 end as numeric(4, 2)) as confidence,
    candidate_count,
    candidate_count > 1 as is_ambiguous
from rivals_counted
