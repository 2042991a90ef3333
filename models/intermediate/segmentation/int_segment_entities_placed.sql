-- R1, R3-R5: where each entity stands among those that are counted: what strictly larger ones hold (amount_before), what they
-- hold together with it and its equals (amount_through), and the same in heads. Under ties split every entity has a place of its own,
-- and the id decides among equals. An entity that a person set aside is placed as if it alone came back (R6).
with

entities as (
    select * from {{ ref('int_segment_entities_judged') }}
),

segment_types as (
    select segment_type_id, ties from {{ ref('int_segment_types') }}
),

ties_settled as (
    select
        entities.*,
        case
            when segment_types.ties = 'split' then entities.entity_id || case when entities.stands_apart then '|apart' else '' end
            else ''
        end as tie_breaker,
        entities.is_set_aside and not entities.stands_apart and not entities.is_counted and entities.base_reason = 'ranked' as comes_back_alone
    from entities
    inner join segment_types
        on entities.segment_type_id = segment_types.segment_type_id
),

counted_summed as (
    select
        *,
        sum(metric_amount) over (
            partition by segment_type_id, evaluation_date, is_counted
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as amount_through,
        count(*) over (
            partition by segment_type_id, evaluation_date, is_counted
            order by metric_amount desc nulls last, tie_breaker asc nulls last
            range between unbounded preceding and current row
        ) as count_through,
        rank() over (
            partition by segment_type_id, evaluation_date, is_counted
            order by metric_amount desc nulls last, tie_breaker asc nulls last
        ) - 1 as count_before,
        sum(metric_amount) over (
            partition by segment_type_id, evaluation_date, is_counted rows between unbounded preceding and unbounded following
        ) as total_amount,
        count(*) over (
            partition by segment_type_id, evaluation_date, is_counted rows between unbounded preceding and unbounded following
        ) as total_count
    from ties_settled
),

coming_back as (
    select
        returned.segment_type_id,
        returned.evaluation_date,
        returned.entity_id,
        sum(case when counted.metric_amount > returned.metric_amount or (counted.metric_amount = returned.metric_amount and counted.tie_breaker < returned.tie_breaker) then counted.metric_amount else 0 end) as amount_before,
        count(case when counted.metric_amount > returned.metric_amount or (counted.metric_amount = returned.metric_amount and counted.tie_breaker < returned.tie_breaker) then 1 end) as count_before,
        count(case when counted.metric_amount = returned.metric_amount and counted.tie_breaker = returned.tie_breaker then 1 end) as equal_count,
        coalesce(sum(counted.metric_amount), 0) as total_amount,
        count(counted.entity_id) as total_count
    from ties_settled as returned
    left join ties_settled as counted
        on returned.segment_type_id = counted.segment_type_id
        and returned.evaluation_date = counted.evaluation_date
        and counted.is_counted
    where returned.comes_back_alone
    group by returned.segment_type_id, returned.evaluation_date, returned.entity_id
)

select
    placed.segment_type_id,
    placed.evaluation_date,
    placed.entity_id,
    placed.stands_apart,
    placed.in_population,
    placed.first_invoice_date,
    placed.net_sales,
    placed.metric_amount_untreated,
    placed.metric_amount,
    placed.outlier_amount,
    placed.outlier_order_count,
    placed.is_set_aside,
    placed.base_reason,
    placed.reason_code,
    placed.is_counted,
    placed.comes_back_alone,
    case
        when placed.is_counted then cast(placed.amount_through - (placed.count_through - placed.count_before) * placed.metric_amount as numeric(24, 4))
        when placed.comes_back_alone then cast(coalesce(coming_back.amount_before, 0) as numeric(24, 4))
    end as amount_before,
    case
        when placed.is_counted then cast(placed.amount_through as numeric(24, 4))
        when placed.comes_back_alone
            then cast(coalesce(coming_back.amount_before, 0) + (coming_back.equal_count + 1) * placed.metric_amount as numeric(24, 4))
    end as amount_through,
    case
        when placed.is_counted then cast(placed.total_amount as numeric(24, 4))
        when placed.comes_back_alone then cast(coming_back.total_amount + placed.metric_amount as numeric(24, 4))
    end as total_amount,
    case when placed.is_counted then placed.count_before when placed.comes_back_alone then coming_back.count_before end as count_before,
    case
        when placed.is_counted then placed.count_through
        when placed.comes_back_alone then coming_back.count_before + coming_back.equal_count + 1
    end as count_through,
    case when placed.is_counted then placed.total_count when placed.comes_back_alone then coming_back.total_count + 1 end as total_count
from counted_summed as placed
left join coming_back
    on placed.segment_type_id = coming_back.segment_type_id
    and placed.evaluation_date = coming_back.evaluation_date
    and placed.entity_id = coming_back.entity_id
    and not placed.stands_apart
