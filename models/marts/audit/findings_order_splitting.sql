-- Customers whose place among those who order most often hangs on several orders of one day (R12), as of the run: with the orders of
-- a day counted once they would stand level with somebody in a worse tier, or behind (R3), or under method absolute below the
-- minimum of their own. Days are counted per customer: two subsidiaries that order on one day split nothing.
with

segment_types as (
    select segment_type_id, method
    from {{ ref('int_segment_types') }}
    where entity = 'customer' and metric = 'order_count' and status = 'active'
),

evaluations as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        evaluations.filter_set_id,
        evaluations.window_from,
        evaluations.window_to,
        segment_types.method
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    where evaluations.is_as_of
),

members as (
    select segment_type_id, evaluation_date, member_id, coalesce(inherited_from, member_id) as entity_id, metric_amount, computed_tier_rank
    from {{ ref('int_segment_members_evaluated') }}
    where reason_code = 'ranked'
),

bounds as (
    select segment_type_id, tier_rank, worse_amount from {{ ref('int_segment_tier_bounds') }}
),

tiers as (
    select segment_type_id, tier_rank, tier from {{ ref('int_segment_tiers') }}
),

-- An order delivered in parts belongs to its first day in the window.
order_days as (
    select evaluations.segment_type_id, orders.member_id, orders.invoice_date, sum(orders.order_count) as order_count
    from {{ ref('int_orders_counted') }} as orders
    inner join evaluations
        on orders.filter_set_id = evaluations.filter_set_id
        and orders.invoice_date between evaluations.window_from and evaluations.window_to
    where orders.entity = 'customer'
        and (orders.previous_on is null or orders.previous_on < evaluations.window_from)
    group by evaluations.segment_type_id, orders.member_id, orders.invoice_date
),

entities_summed as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        evaluations.window_from,
        evaluations.window_to,
        evaluations.method,
        members.entity_id,
        max(members.computed_tier_rank) as computed_tier_rank,
        max(members.metric_amount) as metric_amount,
        cast(sum(order_days.order_count) as bigint) as order_count,
        count(*) as order_day_count,
        cast(max(order_days.order_count) as bigint) as most_orders_of_a_day
    from evaluations
    inner join members
        on evaluations.segment_type_id = members.segment_type_id
        and evaluations.evaluation_date = members.evaluation_date
    inner join order_days
        on evaluations.segment_type_id = order_days.segment_type_id
        and members.member_id = order_days.member_id
    group by
        evaluations.segment_type_id, evaluations.evaluation_date, evaluations.window_from, evaluations.window_to, evaluations.method,
        members.entity_id
    having sum(order_days.order_count) > count(*)
),

amounts_compared as (
    select
        entities_summed.*,
        entities_summed.metric_amount - (entities_summed.order_count - entities_summed.order_day_count) as amount_by_days,
        bounds.worse_amount
    from entities_summed
    inner join bounds
        on entities_summed.segment_type_id = bounds.segment_type_id
        and entities_summed.computed_tier_rank = bounds.tier_rank
),

found as (
    select
        amounts_compared.segment_type_id || '|' || amounts_compared.entity_id as finding_id,
        amounts_compared.segment_type_id,
        amounts_compared.evaluation_date as as_of_date,
        amounts_compared.entity_id,
        amounts_compared.window_from,
        amounts_compared.window_to,
        tiers.tier as computed_tier,
        amounts_compared.order_count,
        amounts_compared.order_day_count,
        amounts_compared.most_orders_of_a_day,
        cast(amounts_compared.metric_amount as numeric(18, 2)) as metric_amount,
        cast(amounts_compared.amount_by_days as numeric(18, 2)) as amount_by_days,
        cast(amounts_compared.worse_amount as numeric(18, 2)) as worse_amount
    from amounts_compared
    inner join tiers
        on amounts_compared.segment_type_id = tiers.segment_type_id
        and amounts_compared.computed_tier_rank = tiers.tier_rank
    where amounts_compared.amount_by_days < amounts_compared.worse_amount
        or (amounts_compared.method <> 'absolute' and amounts_compared.amount_by_days = amounts_compared.worse_amount)
)

select * from found
where {{ is_open_finding('findings_order_splitting') }}
