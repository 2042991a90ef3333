{# part / whole of amounts in cents, for display: rounded half up to six decimals, of either sign and of any size; null where the
   whole is not above zero. #}
{% macro rate_of(part, whole) -%}
    case
        when {{ whole }} > 0
            then cast(cast({{ divide_half_up(
                'cast(cast(' ~ part ~ ' as numeric(19, 2)) * 100 as numeric(20, 0)) * 1000000',
                'cast(cast(' ~ whole ~ ' as numeric(19, 2)) * 100 as numeric(20, 0))'
            ) }} as numeric(19, 0)) * 0.000001 as numeric(18, 6))
    end
{%- endmacro %}
