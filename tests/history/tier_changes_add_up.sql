-- Guards R21: the steps of a change add up. What stands in causes is what the columns say; every cause that is named begins where the one before it ended, the first at the tier of the
-- start, the last at the tier of the end; and a change ends where the next one of the member begins.
with

changes as (
    select
        *,
        lead(tier_start) over (partition by segment_type_id, member_id order by to_date asc) as next_tier_start,
        lead(from_date) over (partition by segment_type_id, member_id order by to_date asc) as next_from_date
    from {{ ref('fct_tier_changes') }}
)

select *
from changes
where 'start|' || causes <> 'start'
    {%- for step in ['hierarchy', 'configuration', 'own_metric', 'peers', 'override', 'hysteresis'] %}
    {%- set before = 'tier_start' if loop.first else 'tier_after_' ~ loop.previtem %}
    {%- set after = 'tier_end' if loop.last else 'tier_after_' ~ step %}
    || case when is_moved_by_{{ step }} then '|{{ step }}:' || {{ before }} || '>' || {{ after }} else '' end
    {%- endfor %}
    or causes not like '%>' || tier_end
    or (next_from_date = to_date and next_tier_start <> tier_end)
