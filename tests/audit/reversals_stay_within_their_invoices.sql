-- What was taken back is part of what was invoiced, and the metric without it is the metric less it.
select finding_id, invoiced_amount, reversed_amount, metric_amount, amount_without
from {{ ref('findings_period_end_reversals') }}
where reversed_amount <= 0
    or reversed_amount > invoiced_amount
    or amount_without <> metric_amount - reversed_amount
