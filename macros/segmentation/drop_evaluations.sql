{# Closed evaluations are kept from run to run. Before an incremental model gets new rows, those go out that are no longer true. #}

{# int_segment_members_evaluated: what is due, what no evaluation speaks of any more, and who stood there only because the
   as-of date has everybody. #}
{% macro drop_evaluations_due() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where not in_population
        or not exists (
            select 1 from {{ ref('int_segment_evaluations') }} as evaluations
            where evaluations.segment_type_id = {{ this }}.segment_type_id
                and evaluations.evaluation_date = {{ this }}.evaluation_date
                and not evaluations.is_due
        )
    {%- endif -%}
{%- endmacro %}


{# A mart by type and date: the rows whose fingerprint is no longer that of their evaluation in `evaluations`. #}
{% macro drop_outdated_evaluations(evaluations, evaluation_date, kept_date, fingerprint='input_fingerprint') -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where not exists (
        select 1 from {{ ref(evaluations) }} as evaluations
        where evaluations.segment_type_id = {{ this }}.segment_type_id
            and evaluations.{{ evaluation_date }} = {{ this }}.{{ kept_date }}
            and evaluations.{{ fingerprint }} = {{ this }}.input_fingerprint
    )
    {%- endif -%}
{%- endmacro %}


{# The where clause that leaves the evaluations a mart by type and date does not have yet. #}
{% macro without_kept_evaluations(evaluations, evaluation_date, kept_date) -%}
    {%- if is_incremental() -%}
    where not exists (
        select 1 from {{ this }} as kept
        where kept.segment_type_id = {{ evaluations }}.segment_type_id
            and kept.{{ kept_date }} = {{ evaluations }}.{{ evaluation_date }}
    )
    {%- endif -%}
{%- endmacro %}
