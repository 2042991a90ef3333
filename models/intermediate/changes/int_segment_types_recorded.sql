-- R21: every segment type as it was recorded, typed: one row per period in which neither it nor its tiers changed. What was recorded
-- first about a family stands for the time before (stands_from). metric_hash is of the options that change the metric itself.
{% set rules = ['boundary', 'method', 'ties', 'denominator', 'identity_basis', 'hierarchy_level'] %}
{% set metric_options = ['metric', 'metric_basis', 'timespan_months', 'interval', 'fiscal_year_start_month', 'window_end', 'outlier_treatment'] %}
{% set options = segment_type_options() %}
with

recorded as (
    select
        seed,
        {{ dbt.split_part('row_key', "'|'", 1) }} as segment_type_id,
        row_key,
        '; ' || row_content as row_content,
        cast(dbt_valid_from as date) as valid_from,
        coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to
    from {{ ref('snap_configuration') }}
    where seed in ('segment_types', 'segment_tiers', 'segment_type_branches', 'segment_type_brands')
        and dbt_is_deleted = 'False'
        -- Two builds for one day: the last one counts.
        and (dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date))
),

days as (
    select segment_type_id, valid_from as changed_on from recorded
    union
    select segment_type_id, valid_to as changed_on from recorded where valid_to < cast('9999-12-31' as date)
),

periods as (
    select
        segment_type_id,
        changed_on as valid_from,
        coalesce(
            lead(changed_on) over (partition by segment_type_id order by changed_on asc),
            cast('9999-12-31' as date)
        ) as valid_to
    from days
),

types as (
    select
        periods.segment_type_id,
        periods.valid_from,
        periods.valid_to,
        coalesce({{ recorded_cell('recorded.row_content', 'family') }}, periods.segment_type_id) as family,
        coalesce({{ parse_cell(recorded_cell('recorded.row_content', 'version'), 'integer', true) }}, 1) as version,
        {{ recorded_cell('recorded.row_content', 'entity') }} as entity,
        coalesce({{ recorded_cell('recorded.row_content', 'status') }}, '{{ options["status"][0] }}') as status,
        {% for column in rules -%}
        coalesce({{ recorded_cell('recorded.row_content', column) }}, '{{ options[column][0] }}') as {{ column }},
        {% endfor -%}
        {{ parse_cell(recorded_cell('recorded.row_content', 'min_net_sales'), 'amount', true) }} as min_net_sales,
        coalesce(
            {{ parse_cell(recorded_cell('recorded.row_content', 'new_customer_days'), 'integer', true) }},
            case when {{ recorded_cell('recorded.row_content', 'entity') }} = 'product' then 0 else 90 end
        ) as new_customer_days,
        coalesce({{ parse_cell(recorded_cell('recorded.row_content', 'hysteresis_months'), 'integer', true) }}, 0) as hysteresis_months,
        ''
        {%- for column in metric_options %}
        || coalesce({{ recorded_cell('recorded.row_content', column) }}, '{{ (options.get(column) or {"timespan_months": ["12"], "fiscal_year_start_month": ["1"]}[column])[0] }}') || '|'
        {%- endfor %} as metric_options
    from periods
    inner join recorded
        on periods.segment_type_id = recorded.segment_type_id
        and recorded.seed = 'segment_types'
        and periods.valid_from >= recorded.valid_from
        and periods.valid_from < recorded.valid_to
),

filters as (
    select types.segment_type_id, types.valid_from, {{ sum_of_hashes(['recorded.seed', 'recorded.row_key']) }} as filters_hash
    from types
    inner join recorded
        on types.segment_type_id = recorded.segment_type_id
        and recorded.seed in ('segment_type_branches', 'segment_type_brands')
        and types.valid_from >= recorded.valid_from
        and types.valid_from < recorded.valid_to
    group by types.segment_type_id, types.valid_from
),

families as (
    select family, min(valid_from) as first_recorded_on from types group by family
)

select
    cast(row_number() over (order by types.segment_type_id asc, types.valid_from asc) as integer) as rules_number,
    types.segment_type_id,
    types.valid_from,
    types.valid_to,
    case when types.valid_from = families.first_recorded_on then cast('1900-01-01' as date) else types.valid_from end as stands_from,
    types.family,
    types.version,
    types.entity,
    types.status,
    {% for column in rules -%}
    types.{{ column }},
    {% endfor -%}
    types.min_net_sales,
    types.new_customer_days,
    types.hysteresis_months,
    case
        when types.identity_basis = 'vat' then 'vat'
        when types.hierarchy_level = 'ultimate_parent' then 'parent'
        else 'single'
    end as roster_kind,
    {{ key_hash(['types.metric_options', 'filters.filters_hash']) }} as metric_hash
from types
inner join families
    on types.family = families.family
left join filters
    on types.segment_type_id = filters.segment_type_id
    and types.valid_from = filters.valid_from
