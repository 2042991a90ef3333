-- R21: why a tier changed between two evaluation dates: the tier after each component has moved, one after the other, with the numbers
-- beside it. Rows of closed pairs are kept until something changes that they follow from (R18).
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ drop_tier_changes_due() }}"
) }}
-- depends_on: {{ ref('int_tier_change_pairs') }}
{% set steps = ['hierarchy', 'configuration', 'own_metric', 'peers', 'override', 'hysteresis'] %}
with

tiers as (
    select rules_number, tier_rank, tier, cumulative_cut, minimum_amount from {{ ref('int_segment_tiers_recorded') }}
),

causes_found as (
    select
        {% for step in steps -%}
        {%- set before = 'tier_start' if loop.first else 'tier_after_' ~ loop.previtem -%}
        case when {{ before }} <> tier_after_{{ step }} then '{{ step }}:' || {{ before }} || '>' || tier_after_{{ step }} end as {{ step }}_cause,
        {% endfor -%}
        *
    from {{ ref('int_tier_change_steps') }}
),

-- The tier whose cut was at stake: the best one that a ranking gave.
tiers_at_stake as (
    select
        causes_found.*,
        least(
            configuration_rank,
            own_metric_rank,
            peers_rank,
            coalesce(start_tiers.tier_rank, configuration_rank),
            coalesce(hierarchy_tiers.tier_rank, configuration_rank)
        ) as stake_rank
    from causes_found
    {% for step in ['start', 'hierarchy'] -%}
    left join tiers as {{ step }}_tiers
        on causes_found.new_rules_number = {{ step }}_tiers.rules_number
        and causes_found.{{ step }}_tier = {{ step }}_tiers.tier
    {% endfor %}
),

cuts_found as (
    select
        {% for side, name in [('old', 'start'), ('new', 'end')] -%}
        case {{ side }}_method when 'absolute' then {{ side }}_cuts.minimum_amount when 'sequential_quota' then null else {{ side }}_cuts.cumulative_cut end as cut_{{ name }},
        case
            when {{ name }}_total is null or {{ side }}_method = 'sequential_quota' then null
            when {{ side }}_method = 'absolute' then {{ name }}_amount - {{ side }}_cuts.minimum_amount
            when {{ side }}_boundary = 'upper' then {{ side }}_cuts.cumulative_cut * {{ name }}_total - {{ name }}_before
            when {{ side }}_boundary = 'lower' then {{ side }}_cuts.cumulative_cut * {{ name }}_total - {{ name }}_through
            else
                {{ side }}_cuts.cumulative_cut * {{ name }}_total - {{ name }}_before
                - case {{ side }}_method when 'count' then 0.5 else 0.5 * {{ name }}_amount end
        end as distance_to_cut_{{ name }},
        {% endfor -%}
        new_cuts.tier as cut_tier,
        tiers_at_stake.*
    from tiers_at_stake
    inner join tiers as new_cuts
        on tiers_at_stake.new_rules_number = new_cuts.rules_number
        and tiers_at_stake.stake_rank = new_cuts.tier_rank
    left join tiers as old_cuts
        on tiers_at_stake.old_rules_number = old_cuts.rules_number
        and new_cuts.tier = old_cuts.tier
)

select
    segment_type_id,
    family,
    old_segment_type_id,
    old_version,
    new_version,
    entity,
    member_id,
    from_date,
    to_date,
    old_entity_id,
    new_entity_id,
    tier_start,
    {% for step in steps[:-1] -%}
    tier_after_{{ step }},
    {% endfor -%}
    tier_after_hysteresis as tier_end,
    {% for step in steps -%}
    {{ step }}_cause is not null as is_moved_by_{{ step }},
    {% endfor -%}
    substring(
        ''
        {%- for step in steps %}
        || coalesce('|' || {{ step }}_cause, '')
        {%- endfor %}, 2
    ) as causes,
    is_recorded,
    is_metric_restated,
    old_override_id,
    end_override_id as new_override_id,
    cast(start_amount as numeric(18, 2)) as metric_amount_start,
    cast(configuration_amount as numeric(18, 2)) as metric_amount_before,
    cast(end_amount as numeric(18, 2)) as metric_amount_end,
    {{ display_share('start_before', 'start_total') }} as share_before_start,
    {{ display_share('end_before', 'end_total') }} as share_before_end,
    cast(start_total as numeric(18, 2)) as total_start,
    cast(end_total as numeric(18, 2)) as total_end,
    cut_tier,
    cast(cut_start as numeric(18, 6)) as cut_start,
    cast(cut_end as numeric(18, 6)) as cut_end,
    cast(distance_to_cut_start as numeric(18, 2)) as distance_to_cut_start,
    cast(distance_to_cut_end as numeric(18, 2)) as distance_to_cut_end
from cuts_found
