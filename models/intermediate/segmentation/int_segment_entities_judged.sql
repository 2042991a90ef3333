-- R5-R7, R12, R14: what each entity brings to the ranking, and the first reason that applies. Branch and brand have
-- filtered before this roll-up; the minimum is tested after it, always on net sales in scope. base_reason is what would
-- apply if nobody were excluded; is_counted says who fills the ranking and its denominator.
with

evaluations as (
    select segment_type_id, evaluation_date, scope_id from {{ ref('int_segment_evaluations') }} where is_due
),

segment_types as (
    select segment_type_id, metric, metric_basis, outlier_treatment, denominator, min_net_sales, new_customer_days
    from {{ ref('int_segment_types') }}
),

members as (
    select segment_type_id, evaluation_date, member_id, entity_id, stands_apart, in_population, first_invoice_date
    from {{ ref('int_segment_members') }}
),

sales as (
    select scope_id, evaluation_date, member_id, line_count, net_sales, gross_margin, quantity
    from {{ ref('int_sales_summed_to_scopes') }}
),

orders as (
    select scope_id, evaluation_date, member_id, order_count from {{ ref('int_orders_summed_to_scopes') }}
),

contracts as (
    select segment_type_id, evaluation_date, customer_id as member_id, count(*) as contract_count, sum(amount) as amount
    from {{ ref('int_contracts_valued') }}
    where amount is not null
    group by segment_type_id, evaluation_date, customer_id
),

outliers as (
    select
        scope_id,
        evaluation_date,
        customer_id as member_id,
        count(*) as order_count,
        sum(net_sales) as net_sales,
        sum(gross_margin) as gross_margin,
        sum(quantity) as quantity,
        sum(net_sales - kept_net_sales) as cut_net_sales,
        sum(gross_margin - kept_gross_margin) as cut_gross_margin,
        sum(quantity - kept_quantity) as cut_quantity
    from {{ ref('int_order_outliers_found') }}
    group by scope_id, evaluation_date, customer_id
),

overrides as (
    select segment_type_id, evaluation_date, entity_id, is_set_aside from {{ ref('int_segment_overrides_in_force') }}
),

members_measured as (
    select
        members.segment_type_id,
        members.evaluation_date,
        members.entity_id,
        members.stands_apart,
        members.in_population,
        members.first_invoice_date,
        case when segment_types.metric_basis = 'contract' then contracts.contract_count else sales.line_count end as record_count,
        sales.net_sales,
        case
            when segment_types.metric_basis = 'contract' then cast(contracts.amount as numeric(18, 4))
            when segment_types.metric = 'net_sales' then cast(sales.net_sales as numeric(18, 4))
            when segment_types.metric = 'gross_margin' then cast(sales.gross_margin as numeric(18, 4))
            when segment_types.metric = 'quantity' then cast(sales.quantity as numeric(18, 4))
            when segment_types.metric = 'order_count' then cast(orders.order_count as numeric(18, 4))
        end as metric_amount,
        case
            when segment_types.metric_basis = 'contract' or segment_types.outlier_treatment = 'flag' then null
            when segment_types.metric = 'net_sales'
                then cast(case segment_types.outlier_treatment when 'cap' then outliers.cut_net_sales else outliers.net_sales end as numeric(18, 4))
            when segment_types.metric = 'gross_margin'
                then cast(case segment_types.outlier_treatment when 'cap' then outliers.cut_gross_margin else outliers.gross_margin end as numeric(18, 4))
            when segment_types.metric = 'quantity'
                then cast(case segment_types.outlier_treatment when 'cap' then outliers.cut_quantity else outliers.quantity end as numeric(18, 4))
            when segment_types.metric = 'order_count'
                then cast(case segment_types.outlier_treatment when 'cap' then 0 else outliers.order_count end as numeric(18, 4))
        end as removed_amount,
        case when segment_types.metric_basis = 'actual' then outliers.net_sales end as outlier_amount,
        case when segment_types.metric_basis = 'actual' then outliers.order_count end as outlier_order_count
    from members
    inner join evaluations
        on members.segment_type_id = evaluations.segment_type_id
        and members.evaluation_date = evaluations.evaluation_date
    inner join segment_types
        on members.segment_type_id = segment_types.segment_type_id
    left join sales
        on evaluations.scope_id = sales.scope_id
        and evaluations.evaluation_date = sales.evaluation_date
        and members.member_id = sales.member_id
    left join orders
        on evaluations.scope_id = orders.scope_id
        and evaluations.evaluation_date = orders.evaluation_date
        and members.member_id = orders.member_id
    left join contracts
        on members.segment_type_id = contracts.segment_type_id
        and members.evaluation_date = contracts.evaluation_date
        and members.member_id = contracts.member_id
    left join outliers
        on evaluations.scope_id = outliers.scope_id
        and evaluations.evaluation_date = outliers.evaluation_date
        and members.member_id = outliers.member_id
),

entities_summed as (
    select
        segment_type_id,
        evaluation_date,
        entity_id,
        stands_apart,
        max(case when in_population then 1 else 0 end) = 1 as in_population,
        min(first_invoice_date) as first_invoice_date,
        coalesce(sum(record_count), 0) as record_count,
        cast(coalesce(sum(net_sales), 0) as numeric(18, 2)) as net_sales,
        cast(coalesce(sum(metric_amount), 0) as numeric(18, 4)) as metric_amount_untreated,
        cast(coalesce(sum(metric_amount), 0) - coalesce(sum(removed_amount), 0) as numeric(18, 4)) as metric_amount,
        cast(coalesce(sum(outlier_amount), 0) as numeric(18, 2)) as outlier_amount,
        cast(coalesce(sum(outlier_order_count), 0) as integer) as outlier_order_count
    from members_measured
    group by segment_type_id, evaluation_date, entity_id, stands_apart
),

base_reasons_found as (
    select
        entities_summed.*,
        segment_types.denominator,
        coalesce(overrides.is_set_aside, false) as is_set_aside,
        case
            when
                coalesce({{ dbt.datediff('entities_summed.first_invoice_date', 'entities_summed.evaluation_date', 'day') }} < segment_types.new_customer_days, true)
                then 'default_new'
            when entities_summed.record_count = 0 then 'no_sales_in_scope'
            when entities_summed.metric_amount <= 0 then 'non_positive_net_sales'
            when entities_summed.net_sales < segment_types.min_net_sales then 'below_min_net_sales'
            else 'ranked'
        end as base_reason
    from entities_summed
    inner join segment_types
        on entities_summed.segment_type_id = segment_types.segment_type_id
    left join overrides
        on entities_summed.segment_type_id = overrides.segment_type_id
        and entities_summed.evaluation_date = overrides.evaluation_date
        and entities_summed.entity_id = overrides.entity_id
)

select
    segment_type_id,
    evaluation_date,
    entity_id,
    stands_apart,
    in_population,
    first_invoice_date,
    net_sales,
    metric_amount_untreated,
    metric_amount,
    outlier_amount,
    outlier_order_count,
    is_set_aside,
    base_reason,
    case when stands_apart or is_set_aside then 'excluded' else base_reason end as reason_code,
    case
        when denominator = 'all' then base_reason in ('ranked', 'below_min_net_sales')
        else base_reason = 'ranked' and not stands_apart and not is_set_aside
    end as is_counted
from base_reasons_found
