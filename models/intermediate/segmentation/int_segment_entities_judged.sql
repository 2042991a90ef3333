-- R5-R7: what each entity brings to the ranking, and the first reason that applies. Branch and brand have filtered before the
-- roll-up; the minimum is tested after it, always on net sales in scope. base_reason is what applies unless it is excluded, because
-- it stands apart or was set aside; is_counted says who fills the ranking and its denominator. Numbers stand for names: there are as many rows as
-- evaluations times entities.
with

evaluations as (
    select
        evaluations.*,
        segment_types.denominator,
        segment_types.min_net_sales,
        -- Whoever bought first on a later day, or has not bought yet, is new.
        {{ add_days('evaluations.evaluation_date', '-segment_types.new_customer_days') }} as last_day_of_known
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join {{ ref('int_segment_types') }} as segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_due
),

metrics as (
    select * from {{ ref('int_segment_metrics_summed_to_entities') }}
),

-- One member of each stands for the entity: the one that appeared first.
entities_listed as (
    select roster_id, roster_date, entity_number, entity_id, stands_apart, appeared_on, entity_first_invoice_date
    from {{ ref('int_segment_rosters') }}
    where is_head
),

set_aside as (
    select evaluations.evaluation_number, entities_listed.entity_number
    from {{ ref('int_segment_overrides_in_force') }} as overrides
    inner join evaluations
        on overrides.segment_type_id = evaluations.segment_type_id
        and overrides.evaluation_date = evaluations.evaluation_date
    inner join entities_listed
        on evaluations.roster_id = entities_listed.roster_id
        and evaluations.roster_date = entities_listed.roster_date
        and overrides.entity_id = entities_listed.entity_id
    where overrides.is_set_aside
),

entities_measured as (
    select
        evaluations.evaluation_number,
        evaluations.denominator,
        evaluations.min_net_sales,
        entities_listed.entity_number,
        entities_listed.stands_apart,
        not evaluations.is_month_end or entities_listed.appeared_on <= evaluations.evaluation_date as in_population,
        coalesce(entities_listed.entity_first_invoice_date > evaluations.last_day_of_known, true) as is_new,
        set_aside.entity_number is not null as is_set_aside,
        coalesce(metrics.record_count, 0) as record_count,
        cast(coalesce(metrics.net_sales, 0) as numeric(18, 2)) as net_sales,
        cast(coalesce(metrics.metric_amount, 0) as numeric(18, 4)) as metric_amount
    from evaluations
    inner join entities_listed
        on evaluations.roster_id = entities_listed.roster_id
        and evaluations.roster_date = entities_listed.roster_date
        and (evaluations.is_as_of or evaluations.evaluation_date >= entities_listed.appeared_on)
    left join metrics
        on evaluations.evaluation_number = metrics.evaluation_number
        and entities_listed.entity_number = metrics.entity_number
    left join set_aside
        on evaluations.evaluation_number = set_aside.evaluation_number
        and entities_listed.entity_number = set_aside.entity_number
),

base_reasons_found as (
    select
        *,
        case
            when is_new then 'default_new'
            when record_count = 0 then 'no_sales_in_scope'
            when metric_amount <= 0 then 'non_positive_net_sales'
            when net_sales < min_net_sales then 'below_min_net_sales'
            else 'ranked'
        end as base_reason
    from entities_measured
)

select
    evaluation_number,
    entity_number,
    stands_apart,
    in_population,
    net_sales,
    metric_amount,
    is_set_aside,
    base_reason,
    case
        when denominator = 'all' then base_reason in ('ranked', 'below_min_net_sales')
        else base_reason = 'ranked' and not stands_apart and not is_set_aside
    end as is_counted
from base_reasons_found
