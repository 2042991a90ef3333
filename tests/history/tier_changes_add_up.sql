-- Guards R21: the steps of a change add up. What stands in causes is what the columns say; every cause that is named begins where the one before it ended, the first at the tier of the
-- start, the last at the tier of the end; and a change ends where the next one of the member begins.
with

changes as (
    select * from {{ ref('fct_tier_changes') }}
),

begun_elsewhere as (
    select changes.segment_type_id, changes.member_id, changes.to_date
    from changes
    inner join changes as next_changes
        on changes.segment_type_id = next_changes.segment_type_id
        and changes.member_id = next_changes.member_id
        and changes.to_date = next_changes.from_date
    where changes.tier_end <> next_changes.tier_start
)

select segment_type_id, member_id, to_date
from begun_elsewhere
union all
select segment_type_id, member_id, to_date
from changes
where 'start|' || causes <> 'start'
    {%- for step in ['hierarchy', 'configuration', 'own_metric', 'peers', 'override', 'hysteresis'] %}
    {%- set before = 'tier_start' if loop.first else 'tier_after_' ~ loop.previtem %}
    {%- set after = 'tier_end' if loop.last else 'tier_after_' ~ step %}
    || case when is_moved_by_{{ step }} then '|{{ step }}:' || {{ before }} || '>' || {{ after }} else '' end
    {%- endfor %}
    or causes not like '%>' || tier_end
