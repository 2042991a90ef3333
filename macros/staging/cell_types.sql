{# The grammar of a raw cell, by kind of column: the type it is staged as, the text that is accepted
   (SPEC section 2: ISO dates and timestamps, point as decimal mark, no thousands separators) and the words
   of a rejection. Amounts keep six decimals because sources do; cents come with the reporting currency. #}
{% macro cell_types() %}
    {% set number = '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$' %}
    {# Days up to the 31st of every month, hours and minutes of a clock, offsets that countries have: what is let through has one meaning on every engine. #}
    {% set moment = '^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
        ~ '([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$' %}
    {{ return({
        'text': {'type': dbt.type_string()},
        'integer': {'type': 'integer', 'pattern': '^[+-]?[0-9]+$', 'words': 'a whole number'},
        'amount': {'type': 'numeric(18, 6)', 'pattern': number, 'words': 'a number with a point as decimal mark'},
        'quantity': {'type': 'numeric(18, 4)', 'pattern': number, 'words': 'a number with a point as decimal mark'},
        'rate': {'type': 'numeric(18, 10)', 'pattern': number, 'words': 'a number with a point as decimal mark'},
        'date': {'type': 'date', 'pattern': moment, 'words': 'an ISO date'},
        'timestamp': {'type': 'timestamp', 'pattern': moment, 'words': 'an ISO timestamp'},
        'boolean': {'type': 'boolean', 'pattern': '^(true|false|t|f|1|0)$', 'words': 'true or false'},
    }) }}
{% endmacro %}


{# A cell as text: trimmed, empty is null. #}
{% macro cell_text(expression) -%}
    nullif(trim(cast({{ expression }} as {{ dbt.type_string() }})), '')
{%- endmacro %}


{# A cell as its type, null where it is empty or outside the grammar. A column that lands typed (Parquet, a
   warehouse table) needs no grammar. #}
{% macro parse_cell(expression, kind, is_text) -%}
    {%- set cell_type = cell_types()[kind] -%}
    {%- if kind == 'text' -%}
        {{ cell_text(expression) }}
    {%- elif not is_text -%}
        {{ cast_landed(expression, cell_type.type) }}
    {%- else -%}
        {%- set text = cell_text(expression) -%}
        {%- if kind == 'boolean' -%} {%- set text = 'lower(' ~ text ~ ')' -%} {%- endif -%}
        {%- if kind == 'date' -%}
            {%- set value -%} case when {{ try_to_utc(text) }} is not null then {{ try_to_cast('left(' ~ text ~ ', 10)', 'date') }} end {%- endset -%}
        {%- elif kind == 'timestamp' -%} {%- set value = try_to_utc(text) -%}
        {%- else -%} {%- set value = try_to_cast(text, cell_type.type) -%} {%- endif -%}
        case when {{ matches_pattern(text, cell_type.pattern) }} then {{ value }} end
    {%- endif -%}
{%- endmacro %}
