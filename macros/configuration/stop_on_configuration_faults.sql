{# Ends the run with the sentences, if there are any. #}
{% macro stop_on_configuration_faults(sentences) -%}
    {%- if sentences -%}
        {{ exceptions.raise_compiler_error(
            'The configuration in ' ~ env_var('STRATUM_CONFIGURATION', 'seeds') ~ ' has ' ~ sentences | length
            ~ ' fault' ~ ('s' if sentences | length > 1) ~ '; no segment has changed.\n  ' ~ sentences | join('\n  ')
        ) }}
    {%- endif -%}
{%- endmacro %}
