select
    customer_id,
    party_kind,
    party_id,
    match_rule,
    confidence
from {{ ref('int_customers_matched_to_parties') }}
where not is_ambiguous
