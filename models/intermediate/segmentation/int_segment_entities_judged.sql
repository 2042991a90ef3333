-- R5-R7: what each entity brings to the ranking, and the first reason that applies. Branch and brand have filtered before the
-- roll-up; the minimum is tested after it, always on net sales in scope. base_reason is what would apply if nobody were
-- excluded; is_counted says who fills the ranking and its denominator.
with

evaluations as (
    select segment_type_id, evaluation_date, is_as_of, is_month_end, roster_id, roster_date
    from {{ ref('int_segment_evaluations') }}
    where is_due
),

segment_types as (
    select segment_type_id, denominator, min_net_sales, new_customer_days from {{ ref('int_segment_types') }}
),

metrics as (
    select * from {{ ref('int_segment_metrics_summed_to_entities') }}
),

overrides as (
    select segment_type_id, evaluation_date, entity_id, is_set_aside from {{ ref('int_segment_overrides_in_force') }}
),

-- One member of each stands for the entity: the one that appeared first.
entities_listed as (
    select roster_id, roster_date, entity_number, entity_id, stands_apart, appeared_on, entity_first_invoice_date as first_invoice_date
    from {{ ref('int_segment_rosters') }}
    where is_head
),

entities_measured as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        entities_listed.entity_number,
        entities_listed.entity_id,
        entities_listed.stands_apart,
        not evaluations.is_month_end or entities_listed.appeared_on <= evaluations.evaluation_date as in_population,
        -- What lies after the evaluation date has not happened yet.
        case when entities_listed.first_invoice_date <= evaluations.evaluation_date then entities_listed.first_invoice_date end as first_invoice_date,
        coalesce(metrics.record_count, 0) as record_count,
        cast(coalesce(metrics.net_sales, 0) as numeric(18, 2)) as net_sales,
        cast(coalesce(metrics.metric_amount, 0) - coalesce(metrics.removed_amount, 0) as numeric(18, 4)) as metric_amount
    from evaluations
    inner join entities_listed
        on evaluations.roster_id = entities_listed.roster_id
        and evaluations.roster_date = entities_listed.roster_date
        and (evaluations.is_as_of or evaluations.evaluation_date >= entities_listed.appeared_on)
    left join metrics
        on evaluations.segment_type_id = metrics.segment_type_id
        and evaluations.evaluation_date = metrics.evaluation_date
        and entities_listed.entity_number = metrics.entity_number
),

base_reasons_found as (
    select
        entities_measured.*,
        segment_types.denominator,
        coalesce(overrides.is_set_aside, false) as is_set_aside,
        case
            when
                coalesce({{ dbt.datediff('entities_measured.first_invoice_date', 'entities_measured.evaluation_date', 'day') }} < segment_types.new_customer_days, true)
                then 'default_new'
            when entities_measured.record_count = 0 then 'no_sales_in_scope'
            when entities_measured.metric_amount <= 0 then 'non_positive_net_sales'
            when entities_measured.net_sales < segment_types.min_net_sales then 'below_min_net_sales'
            else 'ranked'
        end as base_reason
    from entities_measured
    inner join segment_types
        on entities_measured.segment_type_id = segment_types.segment_type_id
    left join overrides
        on entities_measured.segment_type_id = overrides.segment_type_id
        and entities_measured.evaluation_date = overrides.evaluation_date
        and entities_measured.entity_id = overrides.entity_id
)

select
    segment_type_id,
    evaluation_date,
    entity_number,
    entity_id,
    stands_apart,
    in_population,
    first_invoice_date,
    net_sales,
    metric_amount,
    is_set_aside,
    base_reason,
    case when stands_apart or is_set_aside then 'excluded' else base_reason end as reason_code,
    case
        when denominator = 'all' then base_reason in ('ranked', 'below_min_net_sales')
        else base_reason = 'ranked' and not stands_apart and not is_set_aside
    end as is_counted
from base_reasons_found
