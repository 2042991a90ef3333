-- Which tier was in force for a customer on a day, since when, on what numbers, and who had overridden it? As recorded; compile it with
-- --vars '{segment_type: ..., customer: ..., day: ...}' and run what stands in target/compiled.
select
    history.*,
    overrides.requested_by,
    overrides.approved_by,
    overrides.ticket
from {{ ref('dim_customer_segment_history') }} as history
left join {{ ref('segment_overrides') }} as overrides
    on history.override_id = overrides.override_id
where history.segment_type_id = '{{ var("segment_type", "sales_performance") }}'
    and history.customer_id = '{{ var("customer", "erp_north:C00148") }}'
    and history.valid_from <= cast('{{ var("day", "2026-06-30") }}' as date)
    and history.valid_to > cast('{{ var("day", "2026-06-30") }}' as date)
