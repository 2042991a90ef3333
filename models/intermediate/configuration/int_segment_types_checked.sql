-- What is wrong with segment_types and the two seeds that narrow a type.
{{ check_seed_columns(['segment_types', 'segment_type_branches', 'segment_type_brands', 'organisations']) }}
{% set key = cell_text('segment_type_id') %}
{% set family = "coalesce(" ~ cell_text('family') ~ ", " ~ key ~ ")" %}
{% set version = "coalesce(cast(" ~ parse_cell('version', 'integer', true) ~ " as " ~ dbt.type_string() ~ "), '1')" %}
{{ findings_missing('segment_types', key, ['segment_type_id', 'entity', 'metric']) }}
union all
{{ findings_duplicate('segment_types', key, ['segment_type_id']) }}
{% for column, options in segment_type_options().items() %}
union all
{{ findings_option('segment_types', key, column, options) }}
{% endfor %}
{% for column in ['is_default', 'is_shared', 'notify'] %}
union all
{{ findings_value('segment_types', key, column, 'boolean') }}
{% endfor %}
union all
{{ findings_value('segment_types', key, 'version', 'integer', 1) }}
union all
{{ findings_value('segment_types', key, 'timespan_months', 'integer', 1, 120) }}
union all
{{ findings_value('segment_types', key, 'fiscal_year_start_month', 'integer', 1, 12) }}
union all
{{ findings_value('segment_types', key, 'new_customer_days', 'integer', 0) }}
union all
{{ findings_value('segment_types', key, 'min_net_sales', 'amount') }}
union all
{{ findings_reference('segment_types', 'child.segment_type_id', 'organisation_id', 'organisations', 'organisation_id') }}
union all
{{ findings_value('segment_types', key, 'hysteresis_months', 'integer', 0, 24) }}
{% for column in ['xyz_x_limit', 'xyz_y_limit'] %}
union all
{{ findings_value('segment_types', key, column, 'rate', 0, 9) }}
{% endfor %}
union all
{{ finding('segment_types', key, "'xyz_x_limit is not below xyz_y_limit'", "'X is the steadier class: give it the smaller limit (empty: 0.20 and 0.60)'") }}
from {{ ref('segment_types') }}
where coalesce({{ parse_cell('xyz_x_limit', 'rate', true) }}, 0.20) >= coalesce({{ parse_cell('xyz_y_limit', 'rate', true) }}, 0.60)
union all
{{ finding('segment_types', 'min(' ~ key ~ ')',
    "'stands ' || cast(count(distinct " ~ key ~ ") as " ~ dbt.type_string() ~ ") || ' times (family + version)'",
    "'give each version of a family its own number (empty family: the type itself; empty version: 1)'") }}
from {{ ref('segment_types') }}
where {{ key }} is not null
group by {{ family }}, {{ version }}
having count(distinct {{ key }}) > 1
union all
{{ finding('segment_types', key, "'metric_basis contract goes with metric net_sales only'", "'set metric to net_sales, or metric_basis to actual'") }}
from {{ ref('segment_types') }}
where {{ cell_text('metric_basis') }} = 'contract' and {{ cell_text('metric') }} <> 'net_sales'
union all
{{ finding('segment_types', key, "'metric_basis contract goes with customers only'", "'a contract names no product: set metric_basis to actual'") }}
from {{ ref('segment_types') }}
where {{ cell_text('metric_basis') }} = 'contract' and {{ cell_text('entity') }} = 'product'
{% for seed, column in [('segment_type_branches', 'branch'), ('segment_type_brands', 'brand')] %}
{% for option, value, reason, mend in [
    ('metric_basis', 'contract', 'a contract names none', 'set metric_basis to actual'),
    ('metric', 'net_profit_after_cost_to_serve', 'costs are known by customer and month', 'choose another metric'),
] %}
union all
select distinct seed, row_key, problem, mend
from (
    {{ finding('segment_types', cell_text('segment_types.segment_type_id'), "'" ~ option ~ " " ~ value ~ " does not go with a " ~ column ~ "'",
        "'" ~ reason ~ ": take its rows out of " ~ seed ~ ".csv, or " ~ mend ~ "'") }}
    from {{ ref('segment_types') }} as segment_types
    inner join {{ ref(seed) }} as filters
        on {{ cell_text('segment_types.segment_type_id') }} = {{ cell_text('filters.segment_type_id') }}
    where {{ cell_text('segment_types.' ~ option) }} = '{{ value }}'
) as filtered_{{ option }}_{{ column }}
{% endfor %}
{% endfor %}
union all
{{ finding('segment_types', key, "'metric net_profit_after_cost_to_serve goes with customers only'", "'no cost is known by product: set metric to gross_margin'") }}
from {{ ref('segment_types') }}
where {{ cell_text('metric') }} = 'net_profit_after_cost_to_serve' and {{ cell_text('entity') }} = 'product'
union all
{{ finding('segment_types', key, "'metric net_profit_after_cost_to_serve goes with window_end last_complete_month'", "'costs are known by whole months: leave window_end empty'") }}
from {{ ref('segment_types') }}
where {{ cell_text('metric') }} = 'net_profit_after_cost_to_serve' and {{ cell_text('window_end') }} = 'as_of_date'
union all
{{ finding('segment_types', key, "'outlier_treatment ' || outlier_treatment || ' goes with customers only'", "'an outlier is an order of a customer (R14): leave it empty'") }}
from {{ ref('segment_types') }}
where {{ cell_text('outlier_treatment') }} in ('cap', 'exclude') and {{ cell_text('entity') }} = 'product'
union all
{{ finding('segment_types', key, "'outlier_treatment ' || outlier_treatment || ' does not go with metric_basis contract'", "'a contract is no order: leave it empty'") }}
from {{ ref('segment_types') }}
where {{ cell_text('outlier_treatment') }} in ('cap', 'exclude') and {{ cell_text('metric_basis') }} = 'contract'
union all
{{ finding('segment_types', key, "'identity_basis vat goes with hierarchy_level customer only'", "'a VAT group is its own level: set hierarchy_level to customer'") }}
from {{ ref('segment_types') }}
where {{ cell_text('identity_basis') }} = 'vat' and {{ cell_text('hierarchy_level') }} = 'ultimate_parent'
union all
{{ finding('segment_types', key, "'a product type has neither a VAT number nor a parent'", "'leave identity_basis and hierarchy_level empty'") }}
from {{ ref('segment_types') }}
where {{ cell_text('entity') }} = 'product'
    and ({{ cell_text('identity_basis') }} = 'vat' or {{ cell_text('hierarchy_level') }} = 'ultimate_parent')
union all
{{ finding('segment_types', 'min(' ~ key ~ ')',
    "'is one of ' || cast(count(*) as " ~ dbt.type_string() ~ ") || ' default ' || min(" ~ cell_text('entity') ~ ") || ' types of organisation ' || coalesce(min(" ~ cell_text('organisation_id') ~ "), '(all)')",
    "'leave is_default on one of them'") }}
from {{ ref('segment_types') }}
where lower({{ cell_text('is_default') }}) in ('true', 't', '1') and coalesce({{ cell_text('status') }}, 'active') = 'active'
group by {{ cell_text('entity') }}, {{ cell_text('organisation_id') }}
having count(*) > 1
union all
{{ finding('segment_type_branches', key, "'branch_id ' || " ~ in_quotes(cell_text('branch_id')) ~ " || ' is not a global id'",
    "'write <source_system>:<native id>, such as erp_north:B1'") }}
from {{ ref('segment_type_branches') }}
where {{ cell_text('branch_id') }} not like '_%:_%'
{% for seed, column in [('segment_type_branches', 'branch_id'), ('segment_type_brands', 'brand')] %}
union all
{{ findings_missing(seed, key, ['segment_type_id', column]) }}
union all
{{ findings_duplicate(seed, 'min(' ~ key ~ ')', ['segment_type_id', column]) }}
union all
{{ findings_reference(seed, 'child.segment_type_id', 'segment_type_id', 'segment_types', 'segment_type_id') }}
{% endfor %}
