-- Stops the build where somebody overrides a member that is ranked as part of something else: the decision would reach nobody.
-- Whom a type ranks follows from the hierarchy, so this is checked after it and before any tier. Decisions that have
-- expired by the as-of date stay as they are, whatever became of the hierarchy since.
-- depends_on: {{ ref('int_segment_overrides_misplaced') }}
{% if execute and flags.WHICH in ['build', 'run', 'test'] -%}
    {%- set sentences = run_query('select sentence from ' ~ ref('int_segment_overrides_misplaced') ~ ' order by sentence').columns[0].values() -%}
    {{ stop_on_configuration_faults(sentences) }}
{%- endif %}
select 'accepted' as verdict
