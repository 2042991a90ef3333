-- What did we believe on one day (known) about the tier of a member on another (day)? Compile it with
-- --vars '{segment_type: ..., member: ..., day: ..., known: ...}' and run what stands in target/compiled.
select *
from {{ ref('dim_segment_restatements') }}
where segment_type_id = '{{ var("segment_type", "sales_performance") }}'
    and member_id = '{{ var("member", "erp_north:C00148") }}'
    and valid_from <= cast('{{ var("day", "2026-05-31") }}' as date)
    and valid_to > cast('{{ var("day", "2026-05-31") }}' as date)
    and recorded_at <= cast('{{ var("known", "9999-12-30") }}' as date)
    and superseded_at > cast('{{ var("known", "9999-12-30") }}' as date)
