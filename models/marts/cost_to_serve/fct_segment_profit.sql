-- R16: the profit of a segment is the sum of its customers'; what nobody could be charged for is a line of its own; together they are
-- the company's, or that of the organisation a type belongs to. Costs without an organisation are the company's.
{% set measures = ['net_sales', 'cost', 'net_sales_of_unknown_cost', 'gross_margin', 'direct_charges', 'allocated_cost', 'cost_to_serve', 'net_profit'] %}
with

segment_types as (
    select segment_type_id, family, version, status, organisation_id
    from {{ ref('int_segment_types') }}
    where entity = 'customer' and status <> 'retired'
),

periods as (
    select * from {{ ref('int_profit_periods') }}
),

members as (
    select segments.segment_type_id, segments.customer_id, segments.tier, tiers.tier_rank
    from {{ ref('fct_customer_segments') }} as segments
    inner join {{ ref('int_segment_tiers') }} as tiers
        on segments.segment_type_id = tiers.segment_type_id
        and segments.tier = tiers.tier
),

customers as (
    select * from {{ ref('fct_customer_profitability') }}
),

unallocated as (
    select
        costs.organisation_id,
        cast(sum(case when costs.cost_method = 'traced' then costs.cost else 0 end) as numeric(18, 2)) as direct_charges,
        cast(sum(case when costs.cost_method = 'allocated' then costs.cost else 0 end) as numeric(18, 2)) as allocated_cost,
        cast(sum(costs.cost) as numeric(18, 2)) as cost_to_serve
    from {{ ref('int_costs_allocated') }} as costs
    inner join periods
        on costs.cost_month between periods.period_from and periods.period_to
    where costs.customer_id is null
    group by costs.organisation_id
),

segments as (
    select
        members.segment_type_id,
        members.tier,
        members.tier_rank,
        count(*) as customer_count,
        {%- for measure in measures[:-1] %}
        cast(sum(customers.{{ measure }}) as numeric(18, 2)) as {{ measure }},
        {%- endfor %}
        cast(sum(customers.net_profit) as numeric(18, 2)) as net_profit
    from members
    inner join customers
        on members.customer_id = customers.customer_id
    group by members.segment_type_id, members.tier, members.tier_rank
    union all
    select
        segment_types.segment_type_id,
        cast(null as {{ dbt.type_string() }}) as tier,
        cast(null as integer) as tier_rank,
        0 as customer_count,
        cast(0 as numeric(18, 2)) as net_sales,
        cast(0 as numeric(18, 2)) as cost,
        cast(0 as numeric(18, 2)) as net_sales_of_unknown_cost,
        cast(0 as numeric(18, 2)) as gross_margin,
        cast(coalesce(sum(unallocated.direct_charges), 0) as numeric(18, 2)) as direct_charges,
        cast(coalesce(sum(unallocated.allocated_cost), 0) as numeric(18, 2)) as allocated_cost,
        cast(coalesce(sum(unallocated.cost_to_serve), 0) as numeric(18, 2)) as cost_to_serve,
        cast(-coalesce(sum(unallocated.cost_to_serve), 0) as numeric(18, 2)) as net_profit
    from segment_types
    left join unallocated
        on segment_types.organisation_id is null
        or segment_types.organisation_id = unallocated.organisation_id
    group by segment_types.segment_type_id
)

select
    segments.segment_type_id,
    segment_types.family,
    segment_types.version,
    segment_types.status,
    periods.as_of_date,
    periods.period_from,
    periods.period_to,
    segments.tier is null as is_unallocated,
    segments.tier,
    segments.tier_rank,
    segments.customer_count,
    {%- for measure in measures %}
    segments.{{ measure }},
    {%- endfor %}
    {{ rate_of('segments.gross_margin', 'segments.net_sales - segments.net_sales_of_unknown_cost') }} as gross_margin_rate,
    {{ rate_of('segments.cost_to_serve', 'segments.net_sales') }} as cost_to_serve_rate,
    {{ rate_of('segments.net_profit', 'segments.net_sales') }} as net_profit_rate
from segments
cross join periods
inner join segment_types
    on segments.segment_type_id = segment_types.segment_type_id
