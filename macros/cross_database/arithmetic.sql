{# Whole-number division, rounded down, of a numerator of zero or more by a denominator above zero. #}
{% macro integer_divide(numerator, denominator) -%}
    {{ return(adapter.dispatch('integer_divide', 'stratum')(numerator, denominator)) }}
{%- endmacro %}
{# DuckDB divides 128-bit integers bit by bit, some ten microseconds each. So the quotient is guessed as a float and put right by
   exact multiplication; only where a float could be off by more than one does the slow division decide. #}
{% macro default__integer_divide(numerator, denominator) -%}
    {%- set n, d = 'cast(' ~ numerator ~ ' as hugeint)', 'cast(' ~ denominator ~ ' as hugeint)' -%}
    {%- set guess = 'cast(floor(cast(' ~ n ~ ' as double) / cast(' ~ d ~ ' as double)) as hugeint)' -%}
    case
        when cast({{ n }} as double) / cast({{ d }} as double) >= 1e15 then {{ n }} // {{ d }}
        when ({{ guess }} + 1) * {{ d }} <= {{ n }} then {{ guess }} + 1
        when {{ guess }} * {{ d }} > {{ n }} then {{ guess }} - 1
        else {{ guess }}
    end
{%- endmacro %}
{% macro postgres__integer_divide(numerator, denominator) -%}
    div({{ numerator }}, {{ denominator }})
{%- endmacro %}
{% macro spark__integer_divide(numerator, denominator) -%}
    (({{ numerator }}) div ({{ denominator }}))
{%- endmacro %}


{# Exact quotient of whole numbers, rounded half away from zero: no float on the way (R4, R13). Null where the
   denominator, which is never negative, is zero. #}
{% macro divide_half_up(numerator, denominator) -%}
    case
        when {{ denominator }} = 0 then null
        when {{ numerator }} < 0 then -{{ integer_divide('2 * -(' ~ numerator ~ ') + ' ~ denominator, '2 * ' ~ denominator) }}
        else {{ integer_divide('2 * (' ~ numerator ~ ') + ' ~ denominator, '2 * ' ~ denominator) }}
    end
{%- endmacro %}


{# part / whole for display, six decimals: both have at most four. #}
{% macro display_share(part, whole) -%}
    cast(cast({{ divide_half_up(
        'cast(cast(' ~ part ~ ' as numeric(24, 4)) * 10000 as numeric(28, 0)) * 1000000',
        'cast(cast(' ~ whole ~ ' as numeric(24, 4)) * 10000 as numeric(28, 0))'
    ) }} as numeric(18, 0)) * 0.000001 as numeric(9, 6))
{%- endmacro %}
