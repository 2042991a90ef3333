{# Stops with a sentence where a configuration file lacks a column: a check that names it would fail with the engine's words. #}
{% macro check_seed_columns(seeds) -%}
    {%- if execute and flags.WHICH in ['build', 'run'] -%}
        {%- set sentences = [] -%}
        {#- In a unit test a seed is a CTE and has the columns its rows give. -#}
        {%- for seed in seeds if not ref(seed).is_cte -%}
            {%- set seed_node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('name', 'equalto', seed) | first -%}
            {%- set found = adapter.get_columns_in_relation(ref(seed)) | map(attribute='name') | map('lower') | list -%}
            {%- for column in seed_node.columns if column not in found -%}
                {%- do sentences.append(seed ~ '.csv has no column ' ~ column ~ ' (it has: ' ~ found | join(', ')
                    ~ '); add it, its cells may be empty. The columns are described in ' ~ seed_node.patch_path.split('://')[1] ~ '.') -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if sentences -%}
            {{ exceptions.raise_compiler_error('The configuration in ' ~ env_var('STRATUM_CONFIGURATION', 'seeds') ~ ' lacks columns; no segment has changed.\n  ' ~ sentences | join('\n  ')) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
