-- Stops the build, with the sentences, before anything that depends on the configuration changes. The typed
-- configuration and the segmentation read nothing that has not come through here.
-- depends_on: {{ ref('findings_configuration') }}
{% if execute and flags.WHICH in ['build', 'run', 'test'] -%}
    {%- set sentences = run_query('select sentence from ' ~ ref('findings_configuration') ~ ' order by sentence').columns[0].values() -%}
    {{ stop_on_configuration_faults(sentences) }}
{%- endif %}
select 'accepted' as verdict
