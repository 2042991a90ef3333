{# Whole-number division, towards zero, of values that are whole numbers already. #}
{% macro integer_divide(numerator, denominator) -%}
    {{ return(adapter.dispatch('integer_divide', 'stratum')(numerator, denominator)) }}
{%- endmacro %}
{% macro default__integer_divide(numerator, denominator) -%}
    (cast({{ numerator }} as hugeint) // cast({{ denominator }} as hugeint))
{%- endmacro %}
{% macro postgres__integer_divide(numerator, denominator) -%}
    div({{ numerator }}, {{ denominator }})
{%- endmacro %}
{% macro spark__integer_divide(numerator, denominator) -%}
    {#- Its own div gives 64 bits at most. -#}
    {%- set dividend, divisor = 'cast(' ~ numerator ~ ' as numeric(38, 0))', 'cast(' ~ denominator ~ ' as numeric(38, 0))' -%}
    cast(({{ dividend }} - {{ dividend }} % {{ divisor }}) / {{ divisor }} as numeric(38, 0))
{%- endmacro %}


{# A float of 64 bits, for guesses that are put right. #}
{% macro type_double() -%}
    {{ return(adapter.dispatch('type_double', 'stratum')()) }}
{%- endmacro %}
{% macro default__type_double() -%}
    {{ return('double precision') }}
{%- endmacro %}
{% macro spark__type_double() -%}
    {{ return('double') }}
{%- endmacro %}


{# How many times a denominator above zero goes into a numerator that is not negative, for quotients below 10^15. Divisions of large
   numbers are slow, so the quotient is guessed as a float and put right by exact multiplication: it is off by one at most. #}
{% macro whole_quotient(numerator, denominator) -%}
    {%- set guess = 'cast(floor(cast(' ~ numerator ~ ' as ' ~ type_double() ~ ') / cast(' ~ denominator ~ ' as ' ~ type_double() ~ ')) as numeric(19, 0))' -%}
    (
        {{ guess }}
        + case
            when ({{ guess }} + 1) * {{ denominator }} <= {{ numerator }} then 1
            when {{ guess }} * {{ denominator }} > {{ numerator }} then -1
            else 0
        end
    )
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


{# A decimal of up to eighteen digits, four of them decimals, as the whole number of its ten-thousandths. The two parts are taken over one by
   one: rescaling a decimal of more than eighteen digits is a division, forty times as slow. #}
{% macro to_ten_thousandths(quantity) -%}
    {%- set size = 'abs(cast(' ~ quantity ~ ' as numeric(18, 4)))' -%}
    cast(
        case when {{ quantity }} < 0 then -1 else 1 end
        * (
            cast(floor({{ size }}) as numeric(19, 0)) * 10000
            + cast(cast({{ size }} - floor({{ size }}) as numeric(5, 4)) * 10000 as numeric(5, 0))
        ) as numeric(19, 0)
    )
{%- endmacro %}


{# An amount of two decimals as whole cents, and whole cents as an amount: shares of money are computed in between. Wide enough for
   the largest amounts, and for a product of two of them that fits 38 digits. Taken over in two parts, as to_ten_thousandths does. #}
{% macro to_cents(amount) -%}
    {%- set size = 'abs(cast(' ~ amount ~ ' as numeric(18, 2)))' -%}
    cast(
        case when {{ amount }} < 0 then -1 else 1 end
        * (
            cast(floor({{ size }}) as numeric(19, 0)) * 100
            + cast(cast({{ size }} - floor({{ size }}) as numeric(3, 2)) * 100 as numeric(3, 0))
        ) as numeric(20, 0)
    )
{%- endmacro %}

{% macro from_cents(cents) -%}
    cast(cast({{ cents }} as numeric(19, 0)) * 0.01 as numeric(18, 2))
{%- endmacro %}


{# part / whole for display, rounded half up to six decimals: both have at most four, and the whole is not negative. Divisions of large
   decimals are slow, so the share is guessed as a float and put right by exact multiplication: it is off by one millionth at most. #}
{% macro display_share(part, whole) -%}
    {%- set size, total = 'abs(cast(' ~ part ~ ' as numeric(24, 4)))', 'cast(' ~ whole ~ ' as numeric(24, 4))' -%}
    {%- set guess = 'cast(floor(cast(' ~ size ~ ' as ' ~ type_double() ~ ') / cast(nullif(' ~ total ~ ', 0) as ' ~ type_double() ~ ') * 1000000 + 0.5) as integer)' -%}
    cast(
        case when {{ part }} < 0 then -0.000001 else 0.000001 end
        * (
            {{ guess }}
            + case
                when (2 * {{ guess }} + 1) * {{ total }} <= 2000000 * {{ size }} then 1
                when (2 * {{ guess }} - 1) * {{ total }} > 2000000 * {{ size }} then -1
                else 0
            end
        ) as numeric(9, 6)
    )
{%- endmacro %}
