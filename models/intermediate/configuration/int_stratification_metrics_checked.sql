-- What is wrong with stratification_metrics. A file without rows is legal: nobody is stratified.
{{ check_seed_columns(['stratification_metrics']) }}
{% set metrics = stratification_metrics() %}
{% set options = stratification_options() %}
{% set chosen_version = var('stratification_version', none) %}
{% set metric, grading = cell_text('metric'), cell_text('grading') %}
{% set version = "coalesce(" ~ parse_cell('version', 'integer', true) ~ ", 1)" %}
{% set key = metric ~ " || ' of version ' || coalesce(" ~ cell_text('version') ~ ", '1')" %}
{% set weight = parse_cell('weight', 'rate', true) %}
{% set limits = [parse_cell('limit_a', 'amount', true), parse_cell('limit_b', 'amount', true), parse_cell('limit_c', 'amount', true)] %}
{% set is_falling = "coalesce(" ~ parse_cell('higher_is_better', 'boolean', true) ~ ", " ~ metric ~ " not in ('" ~ stratification_metrics_that('falling') | join("', '") ~ "')) = false" %}
{{ findings_missing('stratification_metrics', key, ['metric', 'dimension', 'grading']) }}
union all
{{ findings_option('stratification_metrics', key, 'metric', metrics.keys() | list) }}
{% for column in options %}
union all
{{ findings_option('stratification_metrics', key, column, options[column]) }}
{% endfor %}
union all
{{ findings_value('stratification_metrics', key, 'version', 'integer', 1) }}
union all
{{ findings_value('stratification_metrics', key, 'weight', 'rate', 0.0001, 1000) }}
union all
{{ finding('stratification_metrics', key, "'weight ' || weight || ' has more than four decimals'", "'round it to four of them'") }}
from {{ ref('stratification_metrics') }}
where {{ weight }} <> round({{ weight }}, 4)
union all
{{ findings_value('stratification_metrics', key, 'higher_is_better', 'boolean') }}
{% for column in ['limit_a', 'limit_b', 'limit_c'] %}
union all
{{ findings_value('stratification_metrics', key, column, 'amount', -10000000000, 10000000000, required=true) }}
{% endfor %}
union all
{{ finding('stratification_metrics', 'min(' ~ key ~ ')', "'stands ' || cast(count(*) as " ~ dbt.type_string() ~ ") || ' times (metric + version)'", "'keep one of them'") }}
from {{ ref('stratification_metrics') }}
where {{ metric }} is not null
group by {{ metric }}, {{ version }}
having count(*) > 1
union all
{{ finding('stratification_metrics', key, "'grading absolute needs limit_a, limit_b and limit_c'", "'fill them in'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} = 'absolute'
    and ({{ cell_text('limit_a') }} is null or {{ cell_text('limit_b') }} is null or {{ cell_text('limit_c') }} is null)
union all
{{ finding('stratification_metrics', key, "'grading ' || " ~ grading ~ " || ' has some of its limits and not all'", "'give all three, or leave them empty for the default'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} in ('share', 'quartile')
    and ({{ cell_text('limit_a') }} is null or {{ cell_text('limit_b') }} is null or {{ cell_text('limit_c') }} is null)
    and coalesce({{ cell_text('limit_a') }}, {{ cell_text('limit_b') }}, {{ cell_text('limit_c') }}) is not null
union all
{{ finding('stratification_metrics', key, "'limits ' || limit_a || ', ' || limit_b || ', ' || limit_c || ' do not fall from A to C, and more of it is better'", "'give A the largest limit, or set higher_is_better to false'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} = 'absolute' and not ({{ is_falling }}) and ({{ limits[0] }} <= {{ limits[1] }} or {{ limits[1] }} <= {{ limits[2] }})
union all
{{ finding('stratification_metrics', key, "'limits ' || limit_a || ', ' || limit_b || ', ' || limit_c || ' do not rise from A to C, and less of it is better'", "'give A the smallest limit, or set higher_is_better to true'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} = 'absolute' and {{ is_falling }} and ({{ limits[0] }} >= {{ limits[1] }} or {{ limits[1] }} >= {{ limits[2] }})
union all
{{ finding('stratification_metrics', key, "'limits ' || limit_a || ', ' || limit_b || ', ' || limit_c || ' are no cumulative cuts'", "'let them rise from above 0 to at most 1'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} in ('share', 'quartile')
    and ({{ limits[0] }} <= 0 or {{ limits[0] }} >= {{ limits[1] }} or {{ limits[1] }} >= {{ limits[2] }} or {{ limits[2] }} > 1)
union all
{{ finding('stratification_metrics', key, "'grading share does not go with a rate: rates of customers do not add up'", "'set grading to absolute or quartile'") }}
from {{ ref('stratification_metrics') }}
where {{ grading }} = 'share' and {{ metric }} in ('{{ stratification_metrics_that('rates') | join("', '") }}')
{% for dimension in options.dimension %}
union all
{{ finding('stratification_metrics', "'version ' || cast(" ~ version ~ " as " ~ dbt.type_string() ~ ")", "'has no metric of dimension " ~ dimension ~ "'", "'add one: without it nobody has a quadrant'") }}
from {{ ref('stratification_metrics') }}
group by {{ version }}
having count(case when {{ cell_text('dimension') }} = '{{ dimension }}' then 1 end) = 0
{% endfor %}
{% if chosen_version is not none %}
union all
select seed, row_key, problem, mend
from (
    {{ finding('stratification_metrics', "'version " ~ chosen_version ~ "'", "'is chosen by the var stratification_version and has no rows'", "'add them, or choose another version'") }}
    from {{ ref('stratification_metrics') }}
    having count(case when {{ version }} = {{ chosen_version }} then 1 end) = 0
) as version_chosen
{% endif %}
