-- Under which rule, word for word, was a segment type evaluated on a day? Compile it with --vars '{segment_type: ..., day: ...}'.
select
    seed,
    row_key,
    row_content,
    dbt_valid_from as valid_from,
    dbt_valid_to as valid_to
from {{ ref('snap_configuration') }}
where seed in ('segment_types', 'segment_tiers', 'segment_type_branches', 'segment_type_brands')
    and (
        row_key = '{{ var("segment_type", "sales_performance") }}'
        or row_key like '{{ var("segment_type", "sales_performance") }}|%'
    )
    and dbt_is_deleted = 'False'
    and cast(dbt_valid_from as date) <= cast('{{ var("day", "2026-06-30") }}' as date)
    and coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) > cast('{{ var("day", "2026-06-30") }}' as date)
order by seed asc, row_key asc
