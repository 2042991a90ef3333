{# Whether an entity lies inside a cut (R1), by the boundary of its type: upper looks at what strictly larger ones hold, lower at
   what it and its equals hold with them, nearest at the middle of the entity. Multiplied out, nothing is divided. #}
{% macro is_inside_cut(boundary, before, own, through, cut) -%}
    case {{ boundary }}
        when 'upper' then {{ before }} < {{ cut }}
        when 'lower' then {{ through }} <= {{ cut }}
        else 2 * {{ before }} + {{ own }} < 2 * {{ cut }}
    end
{%- endmacro %}


{# The first tier whose cut, or minimum amount, a place lies inside: null where it lies inside none, and where quotas are filled later. Of a
   relation with metric_amount, the rules of its type (method, boundary, cumulative_cut_1, ...) and what is compared under its method:
   amounts, or heads. #}
{% macro cut_tier_rank(before, own, through, total) -%}
    case method
        when 'absolute'
            then case
                    {%- for tier in range(1, sales_tier_limit() + 1) %}
                    when metric_amount >= minimum_amount_{{ tier }} then tier_rank_{{ tier }}
                    {%- endfor %}
                end
        when 'sequential_quota' then null
        else
            case
                {%- for tier in range(1, sales_tier_limit() + 1) %}
                when {{ is_inside_cut('boundary', before, own, through, '(cumulative_cut_' ~ tier ~ ' * ' ~ total ~ ')') }}
                    then tier_rank_{{ tier }}
                {%- endfor %}
            end
    end
{%- endmacro %}
