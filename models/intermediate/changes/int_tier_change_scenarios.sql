-- R21: the rankings that a change is explained by: how things stood (start), with the hierarchy moved, with the configuration moved as
-- well, and how they stand now (end). What two of them share, also from pair to pair, is ranked once: scenario_number.
{% set columns = ['metric_type_id', 'metric_date', 'rules_number', 'roster_kind', 'hierarchy_version', 'override_rules_number', 'override_date'] %}
with

pairs as (
    select * from {{ ref('int_tier_change_pairs') }} where is_due
),

steps as (
    {% for step, metric, metric_date, rules, kind, version, overrides, override_date in [
        ('start', 'old', 'from', 'old', 'old', 'old', 'old', 'from'),
        ('hierarchy', 'old', 'from', 'old', 'old', 'moved', 'old', 'from'),
        ('configuration', 'new', 'from', 'new', 'new', 'new', 'old', 'from'),
        ('end', 'new', 'to', 'new', 'new', 'new', 'new', 'to'),
    ] -%}
    select
        pair_number,
        '{{ step }}' as step,
        {{ metric }}_metric_type_id as metric_type_id,
        {{ metric_date }}_date as metric_date,
        {{ rules }}_rules_number as rules_number,
        {{ kind }}_roster_kind as roster_kind,
        {{ version }}_hierarchy_version as hierarchy_version,
        {{ overrides }}_rules_number as override_rules_number,
        {{ override_date }}_date as override_date
    from pairs
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    *,
    cast(dense_rank() over (order by {{ columns | join(' asc, ') }} asc) as integer) as scenario_number
from steps
