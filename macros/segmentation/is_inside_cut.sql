{# Whether an entity lies inside a cut (R1), by the boundary of its type: upper looks at what strictly larger ones hold, lower at
   what it and its equals hold with them, nearest at the middle of the entity. Multiplied out, nothing is divided. #}
{% macro is_inside_cut(boundary, before, own, through, cut) -%}
    case {{ boundary }}
        when 'upper' then {{ before }} < {{ cut }}
        when 'lower' then {{ through }} <= {{ cut }}
        else 2 * {{ before }} + {{ own }} < 2 * {{ cut }}
    end
{%- endmacro %}
