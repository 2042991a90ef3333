-- R17: the metrics of the stratification typed, every empty cell replaced by its default. In force is the version of the var
-- stratification_version, else the highest. Weights are whole ten-thousandths, so that scores are compared exactly (R4).
-- depends_on: {{ ref('int_configuration_gate') }}
{% set chosen_version = var('stratification_version', none) %}
{% set grading = cell_text('grading') %}
{% set default_limits = stratification_default_limits() %}
with

metrics as (
    select
        {{ cell_text('metric') }} as metric,
        {{ cell_text('dimension') }} as dimension,
        {{ grading }} as grading,
        coalesce({{ parse_cell('weight', 'rate', true) }}, 1) as weight,
        coalesce(
            {{ parse_cell('higher_is_better', 'boolean', true) }},
            {{ cell_text('metric') }} not in ('{{ stratification_metrics_that('falling') | join("', '") }}')
        ) as higher_is_better,
        {%- for column in ['limit_a', 'limit_b', 'limit_c'] %}
        coalesce(
            {{ parse_cell(column, 'amount', true) }},
            case {{ grading }} when 'share' then {{ default_limits.share[loop.index0] }} when 'quartile' then {{ default_limits.quartile[loop.index0] }} end
        ) as {{ column }},
        {%- endfor %}
        coalesce({{ parse_cell('version', 'integer', true) }}, 1) as version
    from {{ ref('stratification_metrics') }}
),

versions as (
    select max(version) as highest_version from metrics
)

select
    metrics.version,
    metrics.metric,
    metrics.dimension,
    metrics.grading,
    cast(metrics.weight as numeric(9, 4)) as weight,
    cast(metrics.weight * 10000 as integer) as weight_units,
    metrics.higher_is_better,
    cast(metrics.limit_a as numeric(17, 6)) as limit_a,
    cast(metrics.limit_b as numeric(17, 6)) as limit_b,
    cast(metrics.limit_c as numeric(17, 6)) as limit_c,
    metrics.version = {{ chosen_version if chosen_version is not none else 'versions.highest_version' }} as is_in_force
from metrics
cross join versions
