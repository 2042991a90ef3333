-- Stops the build, with the sentences, before anything that depends on the configuration changes. The typed
-- configuration and the segmentation read nothing that has not come through here.
-- depends_on: {{ ref('findings_configuration') }}
{% if execute and flags.WHICH in ['build', 'run', 'test'] -%}
    {%- set sentences = run_query('select sentence from ' ~ ref('findings_configuration') ~ ' order by sentence').columns[0].values() -%}
    {%- if sentences -%}
        {{ exceptions.raise_compiler_error(
            'The configuration in ' ~ env_var('STRATUM_CONFIGURATION', 'seeds') ~ ' has ' ~ sentences | length
            ~ ' fault' ~ ('s' if sentences | length > 1) ~ '; no segment has changed.\n  ' ~ sentences | join('\n  ')
        ) }}
    {%- endif -%}
{%- endif %}
select 'accepted' as verdict
