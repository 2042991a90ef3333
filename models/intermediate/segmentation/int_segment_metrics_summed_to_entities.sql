-- R12, R14: what the members of each entity bring to the metric of a type, from wherever it comes: sales, orders, contracts, costs,
-- less what the treatment of outliers takes away. Entities that bring nothing are not here; entity_number is that of
-- the roster of the evaluation.
with

evaluations as (
    select segment_type_id, evaluation_date, evaluation_number, is_month_end, roster_id, roster_date, scope_number, window_from, window_to
    from {{ ref('int_segment_evaluations') }}
    where is_due
),

rosters as (
    select roster_id, roster_date, member_number, entity_number, appeared_on from {{ ref('int_segment_rosters') }}
),

{{ member_amounts_gathered() }},

amounts_summed as (
    select
        amounts_gathered.evaluation_number,
        rosters.entity_number,
        cast(sum(amounts_gathered.record_count) as bigint) as record_count,
        cast(sum(amounts_gathered.net_sales) as numeric(18, 2)) as net_sales,
        cast(sum(amounts_gathered.metric_amount) as numeric(18, 4)) as metric_amount
    from amounts_gathered
    inner join evaluations
        on amounts_gathered.evaluation_number = evaluations.evaluation_number
    inner join rosters
        on evaluations.roster_id = rosters.roster_id
        and evaluations.roster_date = rosters.roster_date
        and amounts_gathered.member_number = rosters.member_number
    -- Who has not appeared has no sales, but may have a contract.
    where not evaluations.is_month_end or rosters.appeared_on <= evaluations.evaluation_date
    group by amounts_gathered.evaluation_number, rosters.entity_number
)

select * from amounts_summed
