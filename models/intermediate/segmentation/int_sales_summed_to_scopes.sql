-- Sales of every member inside every scope (window, branches, brands; R11): what its metric is made of. A month that lies
-- inside the window counts as a whole, one on its edge by the day.
with

scopes as (
    select distinct entity, scope_number, filter_set_id, window_from, window_to
    from {{ ref('int_segment_evaluations') }}
    where is_due
),

-- A fiscal year is looked at from many dates and added up once. Its number stands for it where sales add up by the million.
windows as (
    select
        entity, filter_set_id, window_from, window_to,
        cast(row_number() over (order by entity asc, filter_set_id asc, window_from asc, window_to asc) as integer) as window_number
    from scopes
    group by entity, filter_set_id, window_from, window_to
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

filter_set_list as (
    select distinct entity, filter_set_id from windows
),

filter_sets as (
    select
        filter_set_list.*,
        cast(row_number() over (order by filter_set_list.entity asc, filter_set_list.filter_set_id asc) as integer) as filter_set_number,
        exists(select 1 from branches where branches.filter_set_id = filter_set_list.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = filter_set_list.filter_set_id) as has_brands
    from filter_set_list
),

members as (
    select entity, member_id, member_number from {{ ref('int_segment_population') }}
),

-- Filtered and added up once per filter set, so that a window adds as few rows as it can.
periods as (
    select
        filter_sets.filter_set_number,
        members.member_number,
        periods.is_month,
        periods.period_from,
        sum(periods.line_count) as line_count,
        cast(sum(periods.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(periods.cost) as numeric(18, 2)) as cost,
        cast(sum(periods.gross_margin) as numeric(18, 2)) as gross_margin,
        cast(sum(periods.quantity) as numeric(18, 4)) as quantity
    from {{ ref('int_sales_summed_to_periods') }} as periods
    inner join members
        on periods.entity = members.entity
        and periods.member_id = members.member_id
    inner join filter_sets
        on periods.entity = filter_sets.entity
    left join branches
        on filter_sets.filter_set_id = branches.filter_set_id
        and periods.branch_id = branches.branch_id
    left join brands
        on filter_sets.filter_set_id = brands.filter_set_id
        and periods.brand = brands.brand
    where (not filter_sets.has_branches or branches.branch_id is not null)
        and (not filter_sets.has_brands or brands.brand is not null)
    group by filter_sets.filter_set_number, members.member_number, periods.is_month, periods.period_from
),

period_list as (
    select distinct is_month, period_from, period_to, month_from, month_to from {{ ref('int_sales_summed_to_periods') }}
),

-- Few rows on both sides, so that the sales themselves meet their windows by equality.
window_periods as (
    select windows.window_number, filter_sets.filter_set_number, period_list.is_month, period_list.period_from
    from windows
    inner join filter_sets
        on windows.entity = filter_sets.entity
        and windows.filter_set_id = filter_sets.filter_set_id
    inner join period_list
        on windows.window_from <= period_list.period_from
        and windows.window_to >= period_list.period_to
        and period_list.is_month = (windows.window_from <= period_list.month_from and windows.window_to >= period_list.month_to)
),

sales as (
    select
        window_periods.window_number,
        periods.member_number,
        cast(sum(periods.line_count) as bigint) as line_count,
        cast(sum(periods.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(periods.cost) as numeric(18, 2)) as cost,
        cast(sum(periods.gross_margin) as numeric(18, 2)) as gross_margin,
        cast(sum(periods.quantity) as numeric(18, 4)) as quantity
    from periods
    inner join window_periods
        on periods.filter_set_number = window_periods.filter_set_number
        and periods.is_month = window_periods.is_month
        and periods.period_from = window_periods.period_from
    group by window_periods.window_number, periods.member_number
)

select
    scopes.scope_number,
    sales.member_number,
    sales.line_count,
    sales.net_sales,
    sales.cost,
    sales.gross_margin,
    sales.quantity
from sales
inner join windows
    on sales.window_number = windows.window_number
inner join scopes
    on windows.entity = scopes.entity
    and windows.filter_set_id = scopes.filter_set_id
    and windows.window_from = scopes.window_from
    and windows.window_to = scopes.window_to
