{# The CTE questions: which ranking of a change is asked about what is brought in which (R21), from the CTE `steps`. Every ranking about what
   is brought in it, that of the configuration step also about what is brought at the end. #}
{% macro tier_change_questions() -%}
questions as (
    select distinct scenario_number as ranking_number, scenario_number as measured_number, rules_number from steps
    union
    select rankings.scenario_number as ranking_number, measures.scenario_number as measured_number, rankings.rules_number
    from steps as rankings
    inner join steps as measures
        on rankings.pair_number = measures.pair_number
        and measures.step = 'end'
    where rankings.step = 'configuration'
)
{%- endmacro %}
