-- R21: the tiers of every recorded type, typed, with their positions and cumulative cuts (R2).
with

types as (
    select rules_number, segment_type_id, valid_from, method from {{ ref('int_segment_types_recorded') }}
),

recorded as (
    select
        {{ dbt.split_part('row_key', "'|'", 1) }} as segment_type_id,
        '; ' || row_content as row_content,
        cast(dbt_valid_from as date) as valid_from,
        coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to
    from {{ ref('snap_configuration') }}
    where seed = 'segment_tiers'
        and dbt_is_deleted = 'False'
),

tiers as (
    select
        types.rules_number,
        types.method,
        {{ recorded_cell('recorded.row_content', 'tier') }} as tier,
        cast({{ parse_cell(recorded_cell('recorded.row_content', 'sales_share'), 'rate', true) }} as numeric(10, 8)) as sales_share,
        cast({{ parse_cell(recorded_cell('recorded.row_content', 'minimum_amount'), 'amount', true) }} as numeric(18, 4)) as minimum_amount,
        {{ parse_cell(recorded_cell('recorded.row_content', 'tier_rank'), 'integer', true) }} as tier_rank,
        coalesce({{ parse_cell(recorded_cell('recorded.row_content', 'is_default'), 'boolean', true) }}, false) as is_default,
        coalesce({{ parse_cell(recorded_cell('recorded.row_content', 'is_excluded'), 'boolean', true) }}, false) as is_excluded
    from types
    inner join recorded
        on types.segment_type_id = recorded.segment_type_id
        and types.valid_from >= recorded.valid_from
        and types.valid_from < recorded.valid_to
),

tiers_sorted_out as (
    select
        *,
        not is_excluded and case when method = 'absolute' then minimum_amount is not null else sales_share is not null end as is_sales_tier
    from tiers
)

select
    rules_number,
    tier,
    tier_rank,
    is_sales_tier,
    case
        when is_sales_tier
            then cast(row_number() over (partition by rules_number, is_sales_tier order by tier_rank asc) as integer)
    end as sales_tier_position,
    sales_share,
    case
        when is_sales_tier
            then cast(
                    sum(case when is_sales_tier then sales_share end) over (
                        partition by rules_number order by tier_rank asc rows between unbounded preceding and current row
                    ) as numeric(10, 8)
                )
    end as cumulative_cut,
    minimum_amount,
    is_default,
    is_excluded
from tiers_sorted_out
