{# An amount of a document in cents of the reporting currency, rounded half up (R13). A rate has ten decimals and an
   amount six, so the inverse is a division of whole numbers and exact before it is rounded. Nineteen digits, because DuckDB
   multiplies decimals of up to eighteen without widening them and Spark keeps at most thirty-eight. #}
{% macro in_reporting_currency(amount, rate, is_inverse, is_reporting) -%}
    case
        when {{ is_reporting }} then cast(round({{ amount }}, 2) as numeric(18, 2))
        when {{ is_inverse }}
            then cast(cast({{ divide_half_up(
                'cast(cast(' ~ amount ~ ' as numeric(19, 6)) * 1000000 as numeric(26, 0)) * 1000000',
                'cast(cast(' ~ rate ~ ' as numeric(19, 10)) * 10000000000 as numeric(26, 0))'
            ) }} as numeric(18, 0)) * 0.01 as numeric(18, 2))
        else cast(round(cast({{ amount }} as numeric(19, 6)) * {{ rate }}, 2) as numeric(18, 2))
    end
{%- endmacro %}
