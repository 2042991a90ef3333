{# Selects that find what people wrote wrongly in a seed: one row per fault, with the columns of
   findings_configuration. `key` is an expression that names the row in words a person can search for. #}

{% macro finding(seed, key, problem, mend) -%}
    select
        '{{ seed }}' as seed,
        coalesce({{ key }}, '(empty)') as row_key,
        {{ problem }} as problem,
        {{ mend }} as mend
{%- endmacro %}


{% macro findings_missing(seed, key, columns) -%}
    {%- for column in columns %}
    {{ finding(seed, key, "'" ~ column ~ " is empty'", "'fill it in'") }}
    from {{ ref(seed) }}
    where {{ cell_text(adapter.quote(column)) }} is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro findings_duplicate(seed, key, columns) -%}
    {%- set quoted = [] -%}
    {%- for column in columns -%} {%- do quoted.append('lower(' ~ cell_text(adapter.quote(column)) ~ ')' if column == 'source_system' else cell_text(adapter.quote(column))) -%} {%- endfor -%}
    {{ finding(seed, key, "'stands ' || cast(count(*) as " ~ dbt.type_string() ~ ") || ' times (" ~ columns | join(' + ') ~ ")'", "'keep one of them'") }}
    from {{ ref(seed) }}
    where {{ quoted[0] }} is not null
    group by {{ quoted | join(', ') }}
    having count(*) > 1
{%- endmacro %}


{# An empty cell means the default and is fine. #}
{% macro findings_option(seed, key, column, options) -%}
    {%- set cell = cell_text(adapter.quote(column)) -%}
    {%- set problem -%} '{{ column }} ' || {{ in_quotes(cell) }} || ' is unknown' {%- endset -%}
    {{ finding(seed, key, problem, "'use one of: " ~ options | join(', ') ~ "'") }}
    from {{ ref(seed) }}
    where {{ cell }} not in ('{{ options | join("', '") }}')
{%- endmacro %}


{# A cell that must be of a kind (cell_types), within bounds where they are given; a required one has no default. #}
{% macro findings_value(seed, key, column, kind, minimum=none, maximum=none, required=false) -%}
    {%- set cell = cell_text(adapter.quote(column)) -%}
    {%- set value = parse_cell(adapter.quote(column), kind, true) -%}
    {%- set words = cell_types()[kind].words -%}
    {%- if maximum is not none -%} {%- set words = words ~ ' from ' ~ minimum ~ ' to ' ~ maximum -%}
    {%- elif minimum is not none -%} {%- set words = words ~ ' of at least ' ~ minimum -%} {%- endif -%}
    {%- set problem -%} '{{ column }} ' || {{ in_quotes(cell) }} || ' is not {{ words }}' {%- endset -%}
    {{ finding(seed, key, problem, "'correct it'" if required else "'correct it, or leave it empty for the default'") }}
    from {{ ref(seed) }}
    where {{ cell }} is not null
        and (
            {{ value }} is null
            {%- if minimum is not none %} or {{ value }} < {{ minimum }}{% endif %}
            {%- if maximum is not none %} or {{ value }} > {{ maximum }}{% endif %}
        )
{%- endmacro %}


{# A reference to a row of another seed. The row itself is called `child` in `key`. #}
{% macro findings_reference(seed, key, column, to_seed, to_column) -%}
    {%- set problem -%} '{{ column }} ' || {{ in_quotes(cell_text('child.' ~ column)) }} || ' is not in {{ to_seed }}.csv' {%- endset -%}
    {{ finding(seed, key, problem, "'correct it, or add it there'") }}
    from {{ ref(seed) }} as child
    left join {{ ref(to_seed) }} as parent
        on {{ cell_text('child.' ~ column) }} = {{ cell_text('parent.' ~ to_column) }}
    where {{ cell_text('child.' ~ column) }} is not null
        and parent.{{ to_column }} is null
{%- endmacro %}
