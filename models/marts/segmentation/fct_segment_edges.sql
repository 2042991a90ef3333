-- Who moves with the least: the ranked entities nearest to a better or a worse tier, as of the run.
{% set length = var('edge_list_length') %}
with

evaluations as (
    select evaluation_number, segment_type_id, evaluation_date, roster_id, roster_date
    from {{ ref('int_segment_evaluations') }}
    where is_as_of
),

entities as (
    select evaluations.*, ranked.entity_number, ranked.metric_amount, ranked.computed_tier_rank as tier_rank
    from {{ ref('int_segment_entities_ranked') }} as ranked
    inner join evaluations
        on ranked.evaluation_number = evaluations.evaluation_number
    where ranked.reason_code = 'ranked'
),

rosters as (
    select roster_id, roster_date, entity_number, entity_id from {{ ref('int_segment_rosters') }} where is_head
),

segment_types as (
    select segment_type_id, entity from {{ ref('int_segment_types') }}
),

tiers as (
    select segment_type_id, tier, tier_rank from {{ ref('int_segment_tiers') }}
),

bounds as (
    select * from {{ ref('int_segment_tier_bounds') }}
),

entity_names as (
    select 'customer' as entity, customer_id as entity_id, name from {{ ref('int_customers_identified') }}
    union all
    select 'customer' as entity, vat_group_id as entity_id, min(name) as name
    from {{ ref('int_customers_identified') }}
    where vat_group_id <> customer_id and customer_kind not in ('internal', 'test')
    group by vat_group_id
    union all
    select 'product' as entity, product_id as entity_id, name from {{ ref('int_products_identified') }}
),

edges as (
    {% for direction, side in [('up', 'better'), ('down', 'worse')] %}
    select
        entities.*,
        '{{ direction }}' as direction,
        bounds.{{ side }}_tier_rank as neighbouring_tier_rank,
        {{ 'bounds.better_amount - entities.metric_amount' if side == 'better' else 'entities.metric_amount - bounds.worse_amount' }} as distance
    from entities
    inner join bounds
        on entities.segment_type_id = bounds.segment_type_id
        and entities.tier_rank = bounds.tier_rank
    where bounds.{{ side }}_amount is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

edges_ordered as (
    select
        *,
        row_number() over (
            partition by segment_type_id, direction, tier_rank order by distance asc nulls last, entity_number asc
        ) as edge_rank
    from edges
)

select
    edges_ordered.segment_type_id,
    edges_ordered.evaluation_date as as_of_date,
    edges_ordered.direction,
    tiers.tier as computed_tier,
    neighbours.tier as neighbouring_tier,
    cast(edges_ordered.edge_rank as bigint) as edge_rank,
    rosters.entity_id,
    entity_names.name as entity_name,
    cast(edges_ordered.metric_amount as numeric(18, 2)) as metric_amount,
    cast(edges_ordered.distance as numeric(18, 2)) as distance
from edges_ordered
inner join rosters
    on edges_ordered.roster_id = rosters.roster_id
    and edges_ordered.roster_date = rosters.roster_date
    and edges_ordered.entity_number = rosters.entity_number
inner join segment_types
    on edges_ordered.segment_type_id = segment_types.segment_type_id
inner join tiers
    on edges_ordered.segment_type_id = tiers.segment_type_id
    and edges_ordered.tier_rank = tiers.tier_rank
inner join tiers as neighbours
    on edges_ordered.segment_type_id = neighbours.segment_type_id
    and edges_ordered.neighbouring_tier_rank = neighbours.tier_rank
left join entity_names
    on segment_types.entity = entity_names.entity
    and rosters.entity_id = entity_names.entity_id
where edges_ordered.edge_rank <= {{ length }}
