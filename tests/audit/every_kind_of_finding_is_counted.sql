-- fct_findings_summary lists its kinds: a new mart of findings that is not among them would be left out of the total in silence.
-- Configuration faults stop the build and are no kind.
with

marts as (
    select cast(null as {{ dbt.type_string() }}) as finding_kind
    {%- for node in (graph.nodes | default({})).values() if node.resource_type == 'model' and node.name.startswith('findings_') and node.name != 'findings_configuration' %}
    union all
    select '{{ node.name }}' as finding_kind
    {%- endfor %}
)

select marts.finding_kind
from marts
left join {{ ref('fct_findings_summary') }} as summary
    on marts.finding_kind = summary.finding_kind
where marts.finding_kind is not null and summary.finding_kind is null
