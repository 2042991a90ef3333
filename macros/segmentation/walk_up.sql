{# CTEs that follow links upwards, `steps` times, each step one join: from the CTE `start` (hierarchy_date,
   customer_id, ancestor_id) along the relation or CTE `links` (hierarchy_date, customer_id, ancestor_id). Whoever has
   no link stays where it is. The last CTE is called `name`. #}
{% macro walk_up(name, start, links, steps) -%}
{%- for step in range(1, steps + 1) -%}
{{ name if loop.last else name ~ '_' ~ step }} as (
    select
        below.hierarchy_date,
        below.customer_id,
        coalesce(links.ancestor_id, below.ancestor_id) as ancestor_id
    from {{ start if loop.first else name ~ '_' ~ (step - 1) }} as below
    left join {{ links }} as links
        on below.hierarchy_date = links.hierarchy_date
        and below.ancestor_id = links.customer_id
)
{{- ',' if not loop.last }}
{% endfor -%}
{%- endmacro %}
