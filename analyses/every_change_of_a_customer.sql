-- When did the tier of a customer change, from what to what, and why (R21)? What was recorded stands as valid_from, tier and so on; what
-- moved the tier between two evaluation dates as from_date, to_date, causes and numbers. Compile it with
-- --vars '{segment_type: ..., customer: ...}'.
with

history as (
    select
        valid_from,
        valid_to,
        is_gone,
        lag(tier) over (order by valid_from asc) as previous_tier,
        tier,
        computed_tier,
        reason_code,
        tier_source,
        override_id,
        entity_id,
        metric_amount,
        share_before
    from {{ ref('dim_customer_segment_history') }}
    where segment_type_id = '{{ var("segment_type", "sales_performance") }}'
        and customer_id = '{{ var("customer", "erp_north:C00148") }}'
),

changes as (
    select *
    from {{ ref('fct_tier_changes') }}
    where segment_type_id = '{{ var("segment_type", "sales_performance") }}'
        and member_id = '{{ var("customer", "erp_north:C00148") }}'
)

select
    coalesce(history.valid_from, changes.to_date) as changed_on,
    history.valid_to,
    history.is_gone,
    history.previous_tier,
    history.tier,
    history.computed_tier,
    history.reason_code,
    history.tier_source,
    history.override_id,
    history.entity_id,
    history.metric_amount,
    history.share_before,
    changes.from_date,
    changes.to_date,
    changes.tier_start,
    changes.causes,
    changes.tier_end,
    changes.metric_amount_start,
    changes.metric_amount_end,
    changes.cut_tier,
    changes.distance_to_cut_start,
    changes.distance_to_cut_end
from history
-- A build between two dates records the change that the next date explains.
full outer join changes
    on history.valid_from > changes.from_date
    and history.valid_from <= changes.to_date
order by coalesce(history.valid_from, changes.to_date) asc
