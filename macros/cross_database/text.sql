{# Where engines differ in reading text. #}
{% macro matches_pattern(expression, pattern) -%}
    {{ return(adapter.dispatch('matches_pattern', 'stratum')(expression, pattern)) }}
{%- endmacro %}
{% macro default__matches_pattern(expression, pattern) -%}
    regexp_matches({{ expression }}, '{{ pattern }}')
{%- endmacro %}
{% macro postgres__matches_pattern(expression, pattern) -%}
    {{ expression }} ~ '{{ pattern }}'
{%- endmacro %}
{% macro spark__matches_pattern(expression, pattern) -%}
    {{ expression }} rlike '{{ pattern }}'
{%- endmacro %}


{# A cast that gives null where the value does not fit. #}
{% macro try_to_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_to_cast', 'stratum')(expression, type)) }}
{%- endmacro %}
{% macro default__try_to_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}
{# PostgreSQL 15 has no such cast, so what may not fit is looked at before: numbers by their size, moments by their day. The text of a moment
   has been held against its grammar (cell_types), which leaves the 29th to the 31st to be wrong; digits behind the microsecond are cut off. #}
{% macro postgres__try_to_cast(expression, type) -%}
    {%- set text = 'cast(' ~ expression ~ ' as text)' -%}
    {%- if type.startswith('numeric') -%}
        {%- set precision, scale = type[8:-1].split(',') -%}
        case
            when abs(round(cast({{ expression }} as numeric), {{ scale | int }})) < 1e{{ (precision | int) - (scale | int) }}
                then cast(cast({{ expression }} as numeric) as {{ type }})
        end
    {%- elif type == 'integer' -%}
        case
            when round(cast({{ expression }} as numeric)) between -2147483648 and 2147483647
                then cast(cast({{ expression }} as numeric) as integer)
        end
    {%- elif type == 'boolean' -%}
        case when lower({{ text }}) in ('true', 't', '1') then true when lower({{ text }}) in ('false', 'f', '0') then false end
    {%- else -%}
        case
            when substring({{ text }}, 9, 2) <= '28'
                or (substring({{ text }}, 6, 2) <> '02' and substring({{ text }}, 9, 2) <= '30')
                or (substring({{ text }}, 6, 2) in ('01', '03', '05', '07', '08', '10', '12') and substring({{ text }}, 9, 2) = '31')
                or (
                    substring({{ text }}, 6, 5) = '02-29'
                    and cast(substring({{ text }}, 1, 4) as integer) % 4 = 0
                    and (cast(substring({{ text }}, 1, 4) as integer) % 100 <> 0 or cast(substring({{ text }}, 1, 4) as integer) % 400 = 0)
                )
                then cast(case when length({{ text }}) > 26 then regexp_replace({{ text }}, '([.][0-9]{6})[0-9]+', '\1') else {{ text }} end as {{ type }})
        end
    {%- endif -%}
{%- endmacro %}


{# A value that landed with a type, as the type it is staged as; null where it does not fit. #}
{% macro cast_landed(expression, type) -%}
    {{ return(adapter.dispatch('cast_landed', 'stratum')(expression, type)) }}
{%- endmacro %}
{% macro default__cast_landed(expression, type) -%}
    {{ try_to_cast(expression, type) }}
{%- endmacro %}
{# Moments and truth values of any type fit; taking them through text would cost more than all the rest of staging. #}
{% macro postgres__cast_landed(expression, type) -%}
    {%- if type.startswith('numeric') or type == 'integer' -%} {{ try_to_cast(expression, type) }}
    {%- else -%} cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}


{# An ISO timestamp as UTC: an offset behind the time is taken off, no offset means UTC already. Engines want seconds
   in front of an offset and ISO does not, so they are put in where position 17 is not their colon. #}
{% macro try_to_utc(text) -%}
    {%- set with_seconds -%}
        case when substring({{ text }}, 17, 1) = ':' then {{ text }} else left({{ text }}, 16) || ':00' || substring({{ text }}, 17) end
    {%- endset -%}
    case
        when {{ matches_pattern(text, ':.*(Z|[+-][0-9:]+)$') }}
            then {{ zoned_text_as_utc(with_seconds) }}
        else {{ try_to_cast(text, 'timestamp') }}
    end
{%- endmacro %}


{# A complete timestamp with an offset, as UTC; null where it does not fit. #}
{% macro zoned_text_as_utc(text) -%}
    {{ return(adapter.dispatch('zoned_text_as_utc', 'stratum')(text)) }}
{%- endmacro %}
{% macro default__zoned_text_as_utc(text) -%}
    {{ try_to_cast(text, 'timestamp with time zone') }} at time zone 'UTC'
{%- endmacro %}
{# Spark keeps moments, and shows them in the zone of the session, which is UTC. #}
{% macro spark__zoned_text_as_utc(text) -%}
    {{ try_to_cast(text, 'timestamp') }}
{%- endmacro %}


{# Upper case, and nothing but letters and digits: what names and numbers are compared by. #}
{% macro letters_and_digits(expression) -%}
    {{ return(adapter.dispatch('letters_and_digits', 'stratum')(expression)) }}
{%- endmacro %}
{% macro default__letters_and_digits(expression) -%}
    regexp_replace(upper({{ expression }}), '[^\p{L}\p{N}]', '', 'g')
{%- endmacro %}
{% macro postgres__letters_and_digits(expression) -%}
    regexp_replace(upper({{ expression }}), '[^[:alnum:]]', '', 'g')
{%- endmacro %}
{% macro spark__letters_and_digits(expression) -%}
    regexp_replace(upper({{ expression }}), '[^\\p{L}\\p{N}]', '')
{%- endmacro %}


{% macro digits_only(expression) -%}
    {{ return(adapter.dispatch('digits_only', 'stratum')(expression)) }}
{%- endmacro %}
{% macro default__digits_only(expression) -%}
    regexp_replace({{ expression }}, '[^0-9]', '', 'g')
{%- endmacro %}
{% macro spark__digits_only(expression) -%}
    regexp_replace({{ expression }}, '[^0-9]', '')
{%- endmacro %}


{# A 64-bit hash of some columns, for telling apart and never for identity: two values may share one. #}
{% macro key_hash(columns, prefix='') -%}
    {%- set names = [] -%}
    {%- for column in columns -%} {%- do names.append(prefix ~ column) -%} {%- endfor -%}
    {{ return(adapter.dispatch('key_hash', 'stratum')(names)) }}
{%- endmacro %}
{% macro default__key_hash(names) -%}
    hash({{ names | join(', ') }})
{%- endmacro %}
{% macro postgres__key_hash(names) -%}
    hash_record_extended(row({{ names | join(', ') }}), 0)
{%- endmacro %}
{# Spark passes over nulls: which of two columns is empty would make no difference. #}
{% macro spark__key_hash(names) -%}
    xxhash64({% for name in names %}{{ name }}, isnull({{ name }}){{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{# A fingerprint of some rows in whatever order: the sum of their hashes, wide enough for a billion of them. #}
{% macro sum_of_hashes(columns) -%}
    sum(cast({{ key_hash(columns) }} as numeric(38, 0)))
{%- endmacro %}


{# A value as a text literal, whatever quotes or backslashes are in it. #}
{% macro text_literal(value) -%}
    {{ return(adapter.dispatch('text_literal', 'stratum')(value | string)) }}
{%- endmacro %}
{% macro default__text_literal(value) -%}
    {{ return("'" ~ value | replace("'", "''") ~ "'") }}
{%- endmacro %}
{% macro spark__text_literal(value) -%}
    {{ return("'" ~ value | replace("\\", "\\\\") | replace("'", "\\'") ~ "'") }}
{%- endmacro %}


{# A text in single quotes. They are no part of a literal, for Spark reads two literals where others read a doubled quote. #}
{% macro in_quotes(expression) -%}
    chr(39) || {{ expression }} || chr(39)
{%- endmacro %}


{# SHA-256 of the texts of a group in whatever order, the same on every engine: sorted by bytes, a line each. #}
{% macro hash_of_rows(expression) -%}
    {{ return(adapter.dispatch('hash_of_rows', 'stratum')(expression)) }}
{%- endmacro %}
{% macro default__hash_of_rows(expression) -%}
    sha256(string_agg({{ expression }}, chr(10) order by {{ expression }}))
{%- endmacro %}
{% macro postgres__hash_of_rows(expression) -%}
    encode(sha256(convert_to(string_agg({{ expression }}, chr(10) order by {{ expression }} collate "C"), 'UTF8')), 'hex')
{%- endmacro %}
{% macro spark__hash_of_rows(expression) -%}
    sha2(nullif(array_join(sort_array(collect_list({{ expression }})), chr(10)), ''), 256)
{%- endmacro %}


{# SHA-256 of the UTF-8 bytes of a text, as 64 hexadecimal digits in lower case. #}
{% macro sha256_hex(expression) -%}
    {{ return(adapter.dispatch('sha256_hex', 'stratum')(expression)) }}
{%- endmacro %}
{% macro default__sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}
{% macro postgres__sha256_hex(expression) -%}
    encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}
{% macro spark__sha256_hex(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}


{# The texts of a group, smallest first, with a comma between them. They begin with hexadecimal digits of one length, which every
   collation sorts alike. #}
{% macro texts_in_order(expression) -%}
    {{ return(adapter.dispatch('texts_in_order', 'stratum')(expression)) }}
{%- endmacro %}
{% macro default__texts_in_order(expression) -%}
    string_agg({{ expression }}, ',' order by {{ expression }})
{%- endmacro %}
{% macro spark__texts_in_order(expression) -%}
    nullif(array_join(sort_array(collect_list({{ expression }})), ','), '')
{%- endmacro %}
