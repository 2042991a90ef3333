-- R15: whose an activity is: the customer its account is linked to (R9). An account that stands for several customers counts for the one
-- that is linked best, then for the first id.
with

accounts_ranked as (
    select
        party_id,
        customer_id,
        row_number() over (partition by party_id order by confidence desc, customer_id asc) as preference
    from {{ ref('int_customers_matched_to_parties') }}
    where party_kind = 'crm_account' and not is_ambiguous
)

select
    {{ global_id('activities.source_system', 'activities.activity_id') }} as activity_id,
    lower(activities.activity_type) as activity_type,
    accounts_ranked.customer_id,
    activities.performed_on
from {{ ref('stg_crm__activities') }} as activities
left join accounts_ranked
    on {{ global_id('activities.source_system', 'activities.account_id') }} = accounts_ranked.party_id
    and accounts_ranked.preference = 1
where activities.record_status = 'staged' and activities.performed_on is not null
