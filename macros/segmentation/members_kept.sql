{# What earlier runs have evaluated and kept. The models that find out which months are closed look back at what stands downstream
   of them: no dependency of this run, so a ref() would be wrong. Nothing is kept where it is not there yet or everything is to
   be made anew; what is recorded (`always`) is never made anew. #}
{% macro kept_relation(model, always=false) -%}
    {%- if execute and (always or not flags.FULL_REFRESH) -%}
        {%- set node = graph.nodes.values() | selectattr('name', 'equalto', model) | first -%}
        {{ return(adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}


{# The evaluations that are kept: members and concentration, which are made from the same transient models, both have them. #}
{% macro evaluations_kept() -%}
    {%- set members, concentration = kept_relation('int_segment_members_evaluated'), kept_relation('fct_segment_concentration') -%}
    {%- if members is not none and concentration is not none -%}
    (
        select segment_type_id, evaluation_date, input_fingerprint from {{ members }}
        intersect
        select segment_type_id, as_of_date as evaluation_date, input_fingerprint from {{ concentration }}
    )
    {%- else -%}
    (
        select
            cast(null as {{ dbt.type_string() }}) as segment_type_id,
            cast(null as date) as evaluation_date,
            cast(null as numeric(38, 0)) as input_fingerprint
        where false
    )
    {%- endif -%}
{%- endmacro %}


{# The members that are kept, with what hysteresis needs of them. #}
{% macro members_kept() -%}
    {%- set members = kept_relation('int_segment_members_evaluated') -%}
    {%- if members is not none -%}
    {{ members }}
    {%- else -%}
    (
        select
            cast(null as {{ dbt.type_string() }}) as segment_type_id,
            cast(null as date) as evaluation_date,
            cast(null as {{ dbt.type_string() }}) as member_id,
            cast(null as {{ dbt.type_string() }}) as inherited_from,
            cast(null as boolean) as stands_apart,
            cast(null as boolean) as is_head,
            cast(null as boolean) as in_population,
            cast(null as integer) as computed_tier_rank,
            cast(null as {{ dbt.type_string() }}) as reason_code
        where false
    )
    {%- endif -%}
{%- endmacro %}


{# Part of every fingerprint: a release whose SQL gives other tiers for the same input raises it, and closed months are
   evaluated once more. #}
{% macro rules_version() %}
    {{ return('2') }}
{% endmacro %}
