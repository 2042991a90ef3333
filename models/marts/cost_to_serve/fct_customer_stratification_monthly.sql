-- The quadrant of every customer at the last month-ends, each over the profit_months before it: restated, as facts and configuration
-- are known today. A view: int_customers_stratified has written it once.
select
    period_to as month_end,
    customer_id,
    quadrant,
    case when has_low_coverage then 'low_coverage' else 'ok' end as coverage_flag,
    imputed_count > 0 as is_imputed
from {{ ref('int_customers_stratified') }}
