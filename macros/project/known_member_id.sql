{# The global id of a member another table lists, or 'unknown': sales never vanish for want of master data.
   Where the deployment does not have that table, every id counts as known. #}
{% macro known_member_id(landed_id, found_id, table) -%}
    {%- if table in (var('absent_tables', []) or []) -%}
        coalesce({{ landed_id }}, 'unknown')
    {%- else -%}
        case when {{ found_id }} is not null then {{ landed_id }} else 'unknown' end
    {%- endif -%}
{%- endmacro %}
