-- Sales of every member inside every scope (window, branches, brands; R11): what its metric is made of. A month that lies
-- inside the window counts as a whole, one on its edge by the day.
with

scopes as (
    select distinct entity, evaluation_date, scope_id, filter_set_id, window_from, window_to
    from {{ ref('int_segment_evaluations') }}
    where is_due
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

scopes_described as (
    select
        scopes.*,
        exists(select 1 from branches where branches.filter_set_id = scopes.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = scopes.filter_set_id) as has_brands
    from scopes
),

periods as (
    select * from {{ ref('int_sales_summed_to_periods') }}
)

select
    scopes_described.entity,
    scopes_described.evaluation_date,
    scopes_described.scope_id,
    periods.member_id,
    cast(sum(periods.line_count) as bigint) as line_count,
    cast(sum(periods.net_sales) as numeric(18, 2)) as net_sales,
    cast(sum(periods.cost) as numeric(18, 2)) as cost,
    cast(sum(periods.gross_margin) as numeric(18, 2)) as gross_margin,
    cast(sum(periods.quantity) as numeric(18, 4)) as quantity
from periods
inner join scopes_described
    on periods.entity = scopes_described.entity
    and periods.period_from >= scopes_described.window_from
    and periods.period_to <= scopes_described.window_to
    and periods.is_month = (periods.month_from >= scopes_described.window_from and periods.month_to <= scopes_described.window_to)
left join branches
    on scopes_described.filter_set_id = branches.filter_set_id
    and periods.branch_id = branches.branch_id
left join brands
    on scopes_described.filter_set_id = brands.filter_set_id
    and periods.brand = brands.brand
where (not scopes_described.has_branches or branches.branch_id is not null)
    and (not scopes_described.has_brands or brands.brand is not null)
group by scopes_described.entity, scopes_described.evaluation_date, scopes_described.scope_id, periods.member_id
