-- R14: what the flagged orders of a member come to in every evaluation that ranks by actual sales, and what their treatment takes out of
-- the metric of its type; null where the type only flags them.
with

evaluations as (
    select
        evaluations.evaluation_number,
        evaluations.evaluation_date,
        evaluations.scope_id,
        segment_types.metric,
        segment_types.outlier_treatment
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due and segment_types.metric_basis = 'actual'
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
)

select
    evaluations.evaluation_number,
    outliers.member_id,
    outliers.order_count as outlier_order_count,
    cast(outliers.net_sales as numeric(18, 2)) as outlier_amount,
    case
        when evaluations.outlier_treatment = 'flag' then null
        when evaluations.metric = 'net_sales'
            then cast(case evaluations.outlier_treatment when 'cap' then outliers.cut_net_sales else outliers.net_sales end as numeric(18, 4))
        when evaluations.metric in ('gross_margin', 'net_profit_after_cost_to_serve')
            then cast(case evaluations.outlier_treatment when 'cap' then outliers.cut_gross_margin else outliers.gross_margin end as numeric(18, 4))
        when evaluations.metric = 'quantity'
            then cast(case evaluations.outlier_treatment when 'cap' then outliers.cut_quantity else outliers.quantity end as numeric(18, 4))
        when evaluations.metric = 'order_count'
            then cast(case evaluations.outlier_treatment when 'cap' then 0 else outliers.order_count end as numeric(18, 4))
    end as removed_amount
from evaluations
inner join outliers
    on evaluations.scope_id = outliers.scope_id
    and evaluations.evaluation_date = outliers.evaluation_date
