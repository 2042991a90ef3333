{# The CTE latest_found: of all decisions on overrides (CTE `overrides`), the one that counts for an entity on the dates of `evaluations`
   (segment_type_id, evaluation_date): R10. Its number is the recency. #}
{% macro overrides_decided() -%}
decisions as (
    select
        overrides.segment_type_id,
        evaluations.evaluation_date,
        overrides.entity_id,
        overrides.override_mode,
        overrides.recency,
        max(clears.recency) as clear_recency
    from overrides
    inner join evaluations
        on overrides.segment_type_id = evaluations.segment_type_id
        and evaluations.evaluation_date between overrides.valid_from and overrides.valid_to
    left join overrides as clears
        on overrides.segment_type_id = clears.segment_type_id
        and (clears.override_mode = 'clear_all' or (clears.override_mode = 'clear' and overrides.entity_id = clears.entity_id))
        and overrides.valid_from < clears.valid_from
        and evaluations.evaluation_date >= clears.valid_from
    where overrides.override_mode in ('set', 'floor')
    group by
        overrides.segment_type_id, evaluations.evaluation_date, overrides.entity_id, overrides.override_mode, overrides.recency
),

latest_found as (
    select
        segment_type_id,
        evaluation_date,
        entity_id,
        coalesce(
            max(case when override_mode = 'set' and clear_recency is null then recency end),
            max(case when override_mode = 'floor' and clear_recency is null then recency end),
            max(clear_recency)
        ) as recency
    from decisions
    group by segment_type_id, evaluation_date, entity_id
)
{%- endmacro %}
