{# Leaves out the findings somebody has accepted (seed accepted_findings), until the acceptance expires. #}
{% macro is_open_finding(finding_kind) -%}
    not exists (
        select 1
        from {{ ref('accepted_findings') }} as accepted
        inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
            on evaluation_dates.is_as_of
            and evaluation_dates.evaluation_date <= {{ parse_cell('accepted.expires_on', 'date', true) }}
        where {{ cell_text('accepted.finding_kind') }} = '{{ finding_kind }}'
            and {{ cell_text('accepted.finding_id') }} = found.finding_id
    )
{%- endmacro %}
