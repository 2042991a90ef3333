{# part / whole of amounts in cents, for display: rounded half up to six decimals, of either sign; null where the whole is not above zero,
   or is less than a billionth of the part. Guessed as a float and put right by exact multiplication, as display_share is. #}
{% macro rate_of(part, whole) -%}
    {%- set size, total = 'abs(cast(' ~ part ~ ' as numeric(20, 2)))', 'cast(' ~ whole ~ ' as numeric(20, 2))' -%}
    {%- set guess = 'cast(floor(cast(' ~ size ~ ' as ' ~ type_double() ~ ') / cast(' ~ total ~ ' as ' ~ type_double() ~ ') * 1000000 + 0.5) as numeric(18, 0))' -%}
    case
        when {{ whole }} > 0 and {{ size }} <= {{ total }} * 1000000000
            then cast(
                    case when {{ part }} < 0 then -0.000001 else 0.000001 end
                    * (
                        {{ guess }}
                        + case
                            when (2 * {{ guess }} + 1) * {{ total }} <= 2000000 * {{ size }} then 1
                            when (2 * {{ guess }} - 1) * {{ total }} > 2000000 * {{ size }} then -1
                            else 0
                        end
                    ) as numeric(18, 6)
                )
    end
{%- endmacro %}
