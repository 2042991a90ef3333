-- R18: every row of every configuration file, as its key and its content in words: one table for all of them, so that a new
-- column is recorded without anybody thinking of it.
{% set columns = ['seed', 'row_key', 'row_content'] %}
with

rows_now as (
    {% for seed, key_columns in configuration_keys().items() -%}
    select distinct
        '{{ seed }}' as seed,
        ''
        {%- for column in key_columns %} || {{ "'|' || " if not loop.first }}coalesce({{ cell_text(adapter.quote(column)) }}, ''){% endfor %} as row_key,
        ''
        {%- for column in configuration_columns(seed) %} || coalesce('{{ column }}=' || {{ cell_text(adapter.quote(column)) }} || '; ', ''){% endfor %} as row_content,
        cast(recording.as_of_date as timestamp) as recorded_at
    from {{ ref(seed) }}
    cross join {{ ref('int_recording') }} as recording
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ rows_to_record('rows_now', 'snap_configuration', columns) }}
