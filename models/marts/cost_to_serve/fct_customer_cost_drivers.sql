-- The three largest costs to serve of each customer, beside what the same costs take from the sales of its peers: trade customers with
-- sales, of the same organisation (each has its own pools), default tier and industry; where those are too few, of all industries.
-- The peers' rate is a ratio of sums, with the customer itself taken out by subtraction: no customers².
{% set peer_minimum = var('peer_minimum') %}
with

customers as (
    select
        *,
        -- Text to join by; no industry is none that anybody shares.
        coalesce(organisation_id, '') as organisation_key,
        coalesce(default_tier, '') as tier_key,
        case when customer_kind = 'trade' and net_sales > 0 then 1 else 0 end as own_count
    from {{ ref('fct_customer_profitability') }}
),

pools as (
    select cost_pool_id, name, activity from {{ ref('int_cost_pools') }}
),

costs as (
    select customer_id, cost_pool_id, cost_method, driver, driver_quantity, cost
    from {{ ref('int_customer_costs_summed_to_pools') }}
),

peers as (
    select customer_id, organisation_key, tier_key, industry as peer_industry, net_sales
    from customers
    where own_count = 1 and industry is not null
    union all
    select customer_id, organisation_key, tier_key, '' as peer_industry, net_sales
    from customers
    where own_count = 1
),

peer_groups as (
    select
        organisation_key,
        tier_key,
        peer_industry,
        count(*) as customer_count,
        cast(sum(net_sales) as numeric(18, 2)) as net_sales
    from peers
    group by organisation_key, tier_key, peer_industry
),

peer_costs as (
    select
        peers.organisation_key,
        peers.tier_key,
        peers.peer_industry,
        costs.cost_pool_id,
        cast(sum(costs.cost) as numeric(18, 2)) as cost
    from peers
    inner join costs
        on peers.customer_id = costs.customer_id
    group by peers.organisation_key, peers.tier_key, peers.peer_industry, costs.cost_pool_id
),

customers_placed as (
    select
        customers.*,
        case
            when close_groups.customer_count - customers.own_count >= {{ peer_minimum }} then 'industry_and_tier'
            when wide_groups.customer_count - customers.own_count >= {{ peer_minimum }} then 'tier'
        end as peer_level
    from customers
    left join peer_groups as close_groups
        on customers.organisation_key = close_groups.organisation_key
        and customers.tier_key = close_groups.tier_key
        and customers.industry = close_groups.peer_industry
    left join peer_groups as wide_groups
        on customers.organisation_key = wide_groups.organisation_key
        and customers.tier_key = wide_groups.tier_key
        and wide_groups.peer_industry = ''
),

costs_ranked as (
    select
        *,
        cast(row_number() over (partition by customer_id order by cost desc, cost_pool_id asc) as integer) as cost_rank
    from costs
    where cost > 0
),

costs_compared as (
    select
        costs_ranked.cost_rank,
        costs_ranked.cost_pool_id,
        costs_ranked.cost_method,
        costs_ranked.driver,
        costs_ranked.driver_quantity,
        costs_ranked.cost as amount,
        customers_placed.*,
        peer_groups.customer_count - customers_placed.own_count as peer_count,
        peer_groups.net_sales - customers_placed.own_count * customers_placed.net_sales as peer_net_sales,
        case
            when customers_placed.peer_level is not null
                then coalesce(peer_costs.cost, 0) - customers_placed.own_count * costs_ranked.cost
        end as peer_cost
    from costs_ranked
    inner join customers_placed
        on costs_ranked.customer_id = customers_placed.customer_id
    left join peer_groups
        on customers_placed.organisation_key = peer_groups.organisation_key
        and customers_placed.tier_key = peer_groups.tier_key
        and case customers_placed.peer_level when 'industry_and_tier' then customers_placed.industry when 'tier' then '' end = peer_groups.peer_industry
    left join peer_costs
        on peer_groups.organisation_key = peer_costs.organisation_key
        and peer_groups.tier_key = peer_costs.tier_key
        and peer_groups.peer_industry = peer_costs.peer_industry
        and costs_ranked.cost_pool_id = peer_costs.cost_pool_id
    where costs_ranked.cost_rank <= 3
),

-- Who buys nothing on balance should cost nothing: then all of it is excess.
costs_expected as (
    select
        *,
        {{ from_cents(divide_half_up(
            to_cents('peer_cost') ~ ' * ' ~ to_cents('greatest(net_sales, 0)'),
            to_cents('peer_net_sales')
        )) }} as expected_cost
    from costs_compared
)

select
    costs.customer_id,
    costs.cost_rank,
    costs.cost_pool_id,
    coalesce(pools.name, costs.cost_pool_id) as cost_pool_name,
    coalesce(pools.activity, substring(costs.cost_pool_id, 8)) as activity,
    costs.cost_method,
    costs.driver,
    costs.name,
    costs.organisation_id,
    costs.industry,
    costs.default_tier,
    costs.as_of_date,
    costs.period_from,
    costs.period_to,
    costs.driver_quantity,
    costs.net_sales,
    costs.amount,
    {{ rate_of('costs.amount', 'costs.cost_to_serve') }} as share_of_cost_to_serve,
    {{ rate_of('costs.amount', 'costs.net_sales') }} as cost_rate,
    costs.peer_level,
    costs.peer_count,
    {{ rate_of('costs.peer_cost', 'costs.peer_net_sales') }} as peer_cost_rate,
    costs.expected_cost as expected_amount,
    cast(costs.amount - costs.expected_cost as numeric(18, 2)) as excess_amount
from costs_expected as costs
left join pools
    on costs.cost_pool_id = pools.cost_pool_id
    and costs.cost_method = 'allocated'
