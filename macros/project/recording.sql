{# What a snapshot compares with what it has (R18): the rows of the build; or, in a build that looks back behind what has been
   recorded, the rows that stand, so that nothing changes and nothing counts as gone. `rows_now` is a CTE with the columns to
   record and recorded_at. #}
{% macro rows_to_record(rows_now, snapshot, columns, records_deletions=true) -%}
    {%- set recording = ref('int_recording') -%}
    {%- set recorded = kept_relation(snapshot, always=true) -%}
    select {{ columns | join(', ') }}, recorded_at
    from {{ rows_now }}
    {% if recorded -%}
    where exists (select 1 from {{ recording }} as recording where recording.is_forward)
    union all
    select {{ columns | join(', ') }}, dbt_updated_at as recorded_at
    from {{ recorded }}
    where dbt_valid_to is null
        {%- if records_deletions %}
        and dbt_is_deleted = 'False'
        {%- endif %}
        and not exists (select 1 from {{ recording }} as recording where recording.is_forward)
    {%- endif %}
{%- endmacro %}


{# Selects of the days up to which history stands: by the snapshots, and by the builds that found nothing to record, for a quiet
   night leaves no row in a snapshot. The tables stand downstream of whoever asks. #}
{% macro recorded_days(column) -%}
    {%- set selects = [] -%}
    {%- set snapshot = kept_relation({'as_of_date': 'snap_segment_tiers', 'known_on': 'snap_segment_periods'}[column], always=true) -%}
    {%- if snapshot is not none -%}
        {%- do selects.append('select cast(max(dbt_updated_at) as date) as recorded_day from ' ~ snapshot) -%}
    {%- endif -%}
    {%- set builds = kept_relation('int_recording', always=true) -%}
    {%- if builds is not none -%}
        {%- do selects.append('select greatest(max(' ~ column ~ '), max(last_' ~ column ~ ')) as recorded_day from ' ~ builds) -%}
    {%- endif -%}
    {%- do selects.append('select cast(null as date) as recorded_day') -%}
    {{ return(selects) }}
{%- endmacro %}


{# The moment a snapshot says that a row went away: the logical day of the build, never the clock. #}
{% macro logical_snapshot_time() -%}
    (
        select cast({{ 'known_on' if model.name == 'snap_segment_periods' else 'as_of_date' }} as timestamp)
        from {{ kept_relation('int_recording', always=true) }}
    )
{%- endmacro %}
{% macro duckdb__snapshot_get_time() -%} {{ logical_snapshot_time() }} {%- endmacro %}
{% macro postgres__snapshot_get_time() -%} {{ logical_snapshot_time() }} {%- endmacro %}
{% macro spark__snapshot_get_time() -%} {{ logical_snapshot_time() }} {%- endmacro %}
