-- R23: X, Y or Z by the variation of a product's monthly quantity over the whole months of the window, empty months as zero. The
-- variation is standard deviation by mean of a population; squared and multiplied out it needs neither root nor division.
with

scopes as (
    select segment_type_id, filter_set_id, window_from, window_to
    from {{ ref('int_segment_evaluations') }}
    where entity = 'product' and is_as_of
),

segment_types as (
    select segment_type_id, xyz_x_limit, xyz_y_limit from {{ ref('int_segment_types') }}
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

months as (
    select member_id, month_from, month_to, branch_id, brand, quantity
    from {{ ref('int_sales_summed_to_periods') }}
    where entity = 'product' and is_month
),

scopes_described as (
    select
        scopes.*,
        -- Whole months from the first first-of-month on or after window_from.
        cast({{ dbt.datediff(month_start(add_days('scopes.window_from', -1)), month_start(add_days('scopes.window_to', 1)), 'month') }} - 1 as bigint) as month_count,
        exists(select 1 from branches where branches.filter_set_id = scopes.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = scopes.filter_set_id) as has_brands
    from scopes
),

quantities_by_month as (
    select
        scopes_described.segment_type_id,
        months.member_id,
        months.month_from,
        cast(sum(months.quantity) as numeric(18, 4)) as quantity
    from months
    inner join scopes_described
        on months.month_from >= scopes_described.window_from
        and months.month_to <= scopes_described.window_to
    left join branches
        on scopes_described.filter_set_id = branches.filter_set_id
        and months.branch_id = branches.branch_id
    left join brands
        on scopes_described.filter_set_id = brands.filter_set_id
        and months.brand = brands.brand
    where (not scopes_described.has_branches or branches.branch_id is not null)
        and (not scopes_described.has_brands or brands.brand is not null)
    group by scopes_described.segment_type_id, months.member_id, months.month_from
),

-- Quantities in ten-thousandths and limits likewise, so that everything is a whole number.
quantities_summed as (
    select
        segment_type_id,
        member_id,
        cast(sum(cast(quantity * 10000 as numeric(19, 0))) as numeric(19, 0)) as total,
        sum(cast(quantity * 10000 as numeric(19, 0)) * cast(quantity * 10000 as numeric(19, 0))) as total_of_squares
    from quantities_by_month
    group by segment_type_id, member_id
),

variations_found as (
    select
        quantities_summed.segment_type_id,
        quantities_summed.member_id,
        quantities_summed.total,
        scopes_described.month_count,
        cast(segment_types.xyz_x_limit * 10000 as numeric(5, 0)) * cast(segment_types.xyz_x_limit * 10000 as numeric(5, 0)) as squared_x_limit,
        cast(segment_types.xyz_y_limit * 10000 as numeric(5, 0)) * cast(segment_types.xyz_y_limit * 10000 as numeric(5, 0)) as squared_y_limit,
        cast(scopes_described.month_count * quantities_summed.total_of_squares - quantities_summed.total * quantities_summed.total as numeric(29, 0)) as squared_deviation,
        cast(quantities_summed.total * quantities_summed.total as numeric(28, 0)) as squared_total
    from quantities_summed
    inner join scopes_described
        on quantities_summed.segment_type_id = scopes_described.segment_type_id
    inner join segment_types
        on quantities_summed.segment_type_id = segment_types.segment_type_id
)

select
    segment_type_id,
    member_id as product_id,
    month_count,
    cast(cast({{ divide_half_up('total', 'month_count') }} as numeric(18, 0)) * 0.0001 as numeric(18, 4)) as monthly_quantity_mean,
    case
        when total > 0 then cast(cast({{ divide_half_up('squared_deviation * 1000000', 'squared_total') }} as numeric(18, 0)) * 0.000001 as numeric(18, 6))
    end as squared_variation,
    case
        when total <= 0 then 'Z'
        when cast(squared_deviation as numeric(38, 0)) * 100000000 <= squared_x_limit * squared_total then 'X'
        when cast(squared_deviation as numeric(38, 0)) * 100000000 <= squared_y_limit * squared_total then 'Y'
        else 'Z'
    end as xyz_class
from variations_found
