-- Guards R18: the recorded history of a member under a type is a row of half-open periods of at least a day that follow each other
-- without a gap or an overlap, exactly one of them, the last, current.
{% for entity in ['customer', 'product'] %}
select *
from (
    select
        segment_type_id,
        {{ entity }}_id as member_id,
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (partition by segment_type_id, {{ entity }}_id order by valid_from asc, valid_to asc) as next_valid_from
    from {{ ref('dim_' ~ entity ~ '_segment_history') }}
) as periods
where valid_from >= valid_to
    or valid_to <> coalesce(next_valid_from, cast('9999-12-31' as date))
    or is_current <> (next_valid_from is null)
{{ 'union all' if not loop.last }}
{% endfor %}
