-- R5-R7: what each entity brings to the ranking, and the first reason that applies. Branch and brand have filtered
-- before this roll-up; the minimum is tested after it, always on net sales.
with

members as (
    select segment_type_id, evaluation_date, member_id, entity_id, is_excluded, first_invoice_date
    from {{ ref('int_segment_members') }}
),

windows as (
    select segment_type_id, evaluation_date, scope_id from {{ ref('int_segment_windows') }}
),

sales as (
    select scope_id, evaluation_date, member_id, line_count, net_sales, gross_margin
    from {{ ref('int_sales_summed_to_scopes') }}
),

segment_types as (
    select segment_type_id, metric, min_net_sales, new_customer_days from {{ ref('int_segment_types') }}
),

entities_summed as (
    select
        members.segment_type_id,
        members.evaluation_date,
        members.entity_id,
        members.is_excluded,
        count(*) as member_count,
        min(members.first_invoice_date) as first_invoice_date,
        cast(coalesce(sum(sales.line_count), 0) as bigint) as line_count,
        cast(coalesce(sum(sales.net_sales), 0) as numeric(18, 2)) as net_sales,
        cast(coalesce(sum(sales.gross_margin), 0) as numeric(18, 2)) as gross_margin
    from members
    inner join windows
        on members.segment_type_id = windows.segment_type_id
        and members.evaluation_date = windows.evaluation_date
    left join sales
        on windows.scope_id = sales.scope_id
        and windows.evaluation_date = sales.evaluation_date
        and members.member_id = sales.member_id
    group by members.segment_type_id, members.evaluation_date, members.entity_id, members.is_excluded
),

metrics_chosen as (
    select
        entities_summed.*,
        case segment_types.metric
            when 'net_sales' then entities_summed.net_sales
            when 'gross_margin' then entities_summed.gross_margin
        end as metric_amount,
        segment_types.min_net_sales,
        coalesce(
            {{ dbt.datediff('entities_summed.first_invoice_date', 'entities_summed.evaluation_date', 'day') }} < segment_types.new_customer_days,
            true
        ) as is_new
    from entities_summed
    inner join segment_types
        on entities_summed.segment_type_id = segment_types.segment_type_id
),

reasons_found as (
    select
        *,
        case
            when is_excluded then 'excluded'
            when is_new then 'default_new'
            when line_count = 0 then 'no_sales_in_scope'
            when metric_amount <= 0 then 'non_positive_net_sales'
            when net_sales < min_net_sales then 'below_min_net_sales'
            else 'ranked'
        end as reason_code
    from metrics_chosen
)

select
    segment_type_id,
    evaluation_date,
    entity_id,
    is_excluded,
    member_count,
    first_invoice_date,
    net_sales,
    metric_amount,
    case when reason_code = 'ranked' then metric_amount end as eligible_amount,
    reason_code
from reasons_found
