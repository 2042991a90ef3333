-- Who moves with the least: the ranked entities nearest to a better or a worse tier, as of the run.
{% set length = var('edge_list_length') %}
with

-- One row per entity: members of a group share its distance.
entities as (
    select distinct
        segment_type_id, as_of_date, entity, entity_id, computed_tier, metric_amount, distance_to_better_tier, distance_to_worse_tier
    from {{ ref('int_segment_members_described') }}
    where reason_code = 'ranked'
),

tiers as (
    select segment_type_id, tier, tier_rank from {{ ref('int_segment_tiers') }}
),

bounds as (
    select segment_type_id, tier_rank, better_tier_rank, worse_tier_rank from {{ ref('int_segment_tier_bounds') }}
),

entity_names as (
    select 'customer' as entity, customer_id as entity_id, name from {{ ref('int_customers_identified') }}
    union all
    select 'customer' as entity, vat_group_id as entity_id, min(name) as name
    from {{ ref('int_customers_identified') }}
    where vat_group_id <> customer_id
    group by vat_group_id
    union all
    select 'product' as entity, product_id as entity_id, name from {{ ref('int_products_identified') }}
),

edges as (
    {% for direction, side in [('up', 'better'), ('down', 'worse')] %}
    select
        entities.segment_type_id,
        entities.as_of_date,
        '{{ direction }}' as direction,
        entities.computed_tier,
        neighbours.tier as neighbouring_tier,
        entities.entity,
        entities.entity_id,
        entities.metric_amount,
        entities.distance_to_{{ side }}_tier as distance
    from entities
    inner join tiers
        on entities.segment_type_id = tiers.segment_type_id
        and entities.computed_tier = tiers.tier
    inner join bounds
        on tiers.segment_type_id = bounds.segment_type_id
        and tiers.tier_rank = bounds.tier_rank
    inner join tiers as neighbours
        on bounds.segment_type_id = neighbours.segment_type_id
        and bounds.{{ side }}_tier_rank = neighbours.tier_rank
    where entities.distance_to_{{ side }}_tier is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

edges_ordered as (
    select
        *,
        row_number() over (
            partition by segment_type_id, direction, computed_tier order by distance asc nulls last, entity_id asc
        ) as edge_rank
    from edges
)

select
    edges_ordered.segment_type_id,
    edges_ordered.as_of_date,
    edges_ordered.direction,
    edges_ordered.computed_tier,
    edges_ordered.neighbouring_tier,
    edges_ordered.edge_rank,
    edges_ordered.entity_id,
    entity_names.name as entity_name,
    edges_ordered.metric_amount,
    edges_ordered.distance
from edges_ordered
left join entity_names
    on edges_ordered.entity = entity_names.entity
    and edges_ordered.entity_id = entity_names.entity_id
where edges_ordered.edge_rank <= {{ length }}
