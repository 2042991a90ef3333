{# dbt's cross-database macros, in the functions Spark has by now: dbt-spark writes them for Spark 2, with a regular expression to
   split text, lists in no order and a check of every date. #}

{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}


{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%} date_diff({{ second_date }}, {{ first_date }})
    {%- elif datepart == 'month' -%}
    ((year({{ second_date }}) - year({{ first_date }})) * 12 + month({{ second_date }}) - month({{ first_date }}))
    {%- else -%} {{ exceptions.raise_compiler_error('datediff knows days and months on Spark, not ' ~ datepart ~ '.') }}
    {%- endif -%}
{%- endmacro %}


{% macro spark__last_day(date, datepart) -%}
    {%- if datepart == 'month' -%} last_day({{ date }})
    {%- else -%} {{ exceptions.raise_compiler_error('last_day knows months on Spark, not ' ~ datepart ~ '.') }}
    {%- endif -%}
{%- endmacro %}


{% macro spark__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}


{# The order is that of the texts themselves, or of one expression, named as in `order by expression`. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- if limit_num -%} {{ exceptions.raise_compiler_error('listagg has no limit on Spark.') }} {%- endif -%}
    {%- if order_by_clause -%}
    {%- set order = order_by_clause | trim | replace('order by ', '') -%}
    nullif(array_join(transform(array_sort(collect_list(case when {{ measure }} is not null then struct({{ order }} as place, {{ measure }} as listed) end)), entry -> entry.listed), {{ delimiter_text }}), '')
    {%- else -%}
    nullif(array_join(collect_list({{ measure }}), {{ delimiter_text }}), '')
    {%- endif -%}
{%- endmacro %}


{% macro spark__generate_series(upper_bound) -%}
    select explode(sequence(1, {{ upper_bound }})) as generated_number
{%- endmacro %}


{# Spark writes a zero of many places as 0E-10: the places are moved before the point instead. #}
{% macro spark__digits_of_decimal(expression, scale, whole) -%}
    cast(cast({% if scale %}cast({{ expression }} as numeric(28, {{ scale }})) * 1{{ '0' * scale }}{% else %}{{ expression }}{% endif %} as numeric(38, 0)) as {{ dbt.type_string() }})
{%- endmacro %}
