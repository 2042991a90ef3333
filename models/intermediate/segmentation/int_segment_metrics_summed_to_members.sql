-- R12, R14, R21: what each member alone brings to the metric of a type that ranks groups, where its own sales do not say it: counted orders, quantities,
-- contracts, costs and treated outliers. When a member changes hands, it takes this along.
with

evaluations as (
    select segment_type_id, evaluation_date, evaluation_number, scope_number, window_from, window_to
    from {{ ref('int_segment_evaluations') }}
    where is_due and own_metric = 'summed'
),

{{ member_amounts_gathered() }}

select
    evaluation_number,
    member_number,
    cast(coalesce(sum(metric_amount), 0) as numeric(18, 4)) as metric_amount
from amounts_gathered
group by evaluation_number, member_number
