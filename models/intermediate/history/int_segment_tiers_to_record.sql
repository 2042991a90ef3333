-- R18: the tier in force of every customer and product under every type that counts or challenges, as of the build. Amounts are
-- carried along and recorded when something else has changed.
{% set columns = ['segment_type_id', 'entity', 'family', 'version', 'member_id', 'entity_id', 'inherited_from', 'tier', 'computed_tier', 'reason_code',
    'tier_source', 'override_id', 'override_reason', 'window_from', 'window_to', 'net_sales', 'metric_amount', 'eligible_amount', 'share_before',
    'cumulative_share', 'distance_to_better_tier', 'distance_to_worse_tier'] %}
with

members as (
    {% for entity in ['customer', 'product'] -%}
    select
        {% for column in columns -%}
        {{ "'" ~ entity ~ "' as entity" if column == 'entity' else (entity ~ '_id as member_id' if column == 'member_id' else column) }},
        {% endfor -%}
        cast(as_of_date as timestamp) as recorded_at
    from {{ ref('fct_' ~ entity ~ '_segments') }}
    where status in ('active', 'challenger')
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ rows_to_record('members', 'snap_segment_tiers', columns) }}
