{# What tells the rows of each configuration file apart; findings_configuration sees to it that nothing stands twice. #}
{% macro configuration_keys() -%}
    {{ return({
        'organisations': ['organisation_id', 'source_system'],
        'segment_types': ['segment_type_id'],
        'segment_type_branches': ['segment_type_id', 'branch_id'],
        'segment_type_brands': ['segment_type_id', 'brand'],
        'segment_tiers': ['segment_type_id', 'tier'],
        'segment_overrides': ['override_id'],
        'hierarchy_overrides': ['customer_id', 'valid_from'],
        'account_match_overrides': ['customer_id', 'party_kind', 'party_id'],
        'cost_pools': ['cost_pool_id'],
        'stratification_metrics': ['metric', 'version'],
        'product_fit': ['product_id'],
        'attribute_registry': ['attribute', 'table'],
        'accepted_findings': ['finding_kind', 'finding_id', 'approved_by', 'expires_on'],
    }) }}
{%- endmacro %}


{# The columns of a configuration file, as its YAML describes them; the key alone while dbt is still reading the project. #}
{% macro configuration_columns(seed) -%}
    {%- if not execute -%} {{ return(configuration_keys()[seed]) }} {%- endif -%}
    {%- set seed_node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('name', 'equalto', seed) | first -%}
    {{ return(seed_node.columns.keys() | list) }}
{%- endmacro %}
