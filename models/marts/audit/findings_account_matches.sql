-- Links that could mean several parties: listed, never guessed (R9).
with

found as (
    select
        'ambiguous_match|' || customer_id || '|' || party_id as finding_id,
        customer_id,
        party_kind,
        party_id,
        match_rule,
        candidate_count
    from {{ ref('int_customers_matched_to_parties') }}
    where is_ambiguous
)

select * from found
where {{ is_open_finding('findings_account_matches') }}
