-- What is wrong with segment_tiers.
{{ check_seed_columns(['segment_tiers', 'segment_types']) }}
{% set key = "coalesce(" ~ cell_text('segment_type_id') ~ ", '(empty)') || ', tier ' || coalesce(" ~ cell_text('tier') ~ ", '(empty)')" %}
{% set child_key = "child.segment_type_id || ', tier ' || coalesce(child.tier, '(empty)')" %}
{% set key_of_type = cell_text('segment_types.segment_type_id') %}
{% set share = parse_cell('sales_share', 'rate', true) %}
{% set is_true = "in ('true', 't', '1')" %}
{% set absolute_types -%}
    select {{ cell_text('segment_type_id') }} from {{ ref('segment_types') }} where {{ cell_text('method') }} = 'absolute' and {{ cell_text('segment_type_id') }} is not null
{%- endset %}
{% set is_ranked_tier -%}
    not coalesce(lower({{ cell_text('is_default') }}) {{ is_true }}, false)
    and not coalesce(lower({{ cell_text('is_excluded') }}) {{ is_true }}, false)
{%- endset %}
{{ findings_missing('segment_tiers', key, ['segment_type_id', 'tier', 'tier_rank']) }}
union all
{{ findings_duplicate('segment_tiers', "min(" ~ key ~ ")", ['segment_type_id', 'tier']) }}
union all
{{ findings_duplicate('segment_tiers', "min(" ~ key ~ ")", ['segment_type_id', 'tier_rank']) }}
union all
{{ findings_reference('segment_tiers', child_key, 'segment_type_id', 'segment_types', 'segment_type_id') }}
union all
{{ findings_value('segment_tiers', key, 'tier_rank', 'integer', 1, 999, required=true) }}
union all
{{ findings_value('segment_tiers', key, 'minimum_amount', 'amount', 0) }}
union all
{{ findings_value('segment_tiers', key, 'sales_share', 'rate', 0, 1) }}
{% for column in ['is_default', 'is_excluded'] %}
union all
{{ findings_value('segment_tiers', key, column, 'boolean') }}
{% endfor %}
{% for column in ['visit_every_days', 'priority'] %}
union all
{{ findings_value('segment_tiers', key, column, 'integer', 0) }}
{% endfor %}
union all
{{ finding('segment_tiers', 'min(' ~ cell_text('segment_type_id') ~ ')',
    "'the sales_share of its tiers sum to ' || cast(cast(sum(coalesce(" ~ share ~ ", 0)) as " ~ type_double() ~ ") as " ~ dbt.type_string() ~ ")",
    "'let them sum to 1; only default-only and excluded tiers have none'") }}
from {{ ref('segment_tiers') }}
where {{ cell_text('segment_type_id') }} not in ({{ absolute_types }})
group by {{ cell_text('segment_type_id') }}
having sum(coalesce({{ share }}, 0)) <> 1
union all
{{ finding('segment_tiers', 'min(' ~ cell_text('segment_type_id') ~ ')',
    "'has more than " ~ sales_tier_limit() ~ " tiers to rank by'", "'merge some of them; tiers that are default-only or excluded do not count'") }}
from {{ ref('segment_tiers') }}
where {{ cell_text('sales_share') }} is not null or {{ cell_text('minimum_amount') }} is not null
group by {{ cell_text('segment_type_id') }}
having count(*) > {{ sales_tier_limit() }}
union all
{{ finding('segment_tiers', key, "'has no minimum_amount, and its type ranks by method absolute'", "'give it the smallest amount that belongs to it (0 for the lowest tier), or set is_default or is_excluded'") }}
from {{ ref('segment_tiers') }}
where {{ cell_text('segment_type_id') }} in ({{ absolute_types }}) and {{ cell_text('minimum_amount') }} is null and {{ is_ranked_tier }}
union all
{{ finding('segment_types', key_of_type, "'ranks by method absolute and none of its tiers has a minimum_amount'", "'fill them in in segment_tiers.csv'") }}
from {{ ref('segment_types') }} as segment_types
left join {{ ref('segment_tiers') }} as segment_tiers
    on {{ cell_text('segment_types.segment_type_id') }} = {{ cell_text('segment_tiers.segment_type_id') }}
where {{ cell_text('segment_types.method') }} = 'absolute'
group by {{ key_of_type }}
having count(segment_tiers.segment_type_id) > 0 and count({{ cell_text('segment_tiers.minimum_amount') }}) = 0
union all
{{ finding('segment_tiers', 'better.segment_type_id', "'tier ' || better.tier || ' begins at no more than the worse tier ' || worse.tier", "'let minimum_amount fall from each tier_rank to the next'") }}
from {{ ref('segment_tiers') }} as better
inner join {{ ref('segment_tiers') }} as worse
    on {{ cell_text('better.segment_type_id') }} = {{ cell_text('worse.segment_type_id') }}
    and {{ parse_cell('better.tier_rank', 'integer', true) }} < {{ parse_cell('worse.tier_rank', 'integer', true) }}
    and {{ parse_cell('better.minimum_amount', 'amount', true) }} <= {{ parse_cell('worse.minimum_amount', 'amount', true) }}
where {{ cell_text('better.segment_type_id') }} in ({{ absolute_types }})
union all
{{ finding('segment_tiers', 'min(' ~ cell_text('segment_type_id') ~ ')', "'has two default tiers'", "'leave is_default on one of them'") }}
from {{ ref('segment_tiers') }}
where lower({{ cell_text('is_default') }}) {{ is_true }}
group by {{ cell_text('segment_type_id') }}
having count(*) > 1
union all
{{ finding('segment_tiers', key, "'has no sales_share and is neither the default nor an excluded tier'", "'give it a share, or set is_default or is_excluded'") }}
from {{ ref('segment_tiers') }}
where {{ cell_text('sales_share') }} is null and {{ is_ranked_tier }} and {{ cell_text('segment_type_id') }} not in ({{ absolute_types }})
union all
{{ finding('segment_tiers', key, "'is an excluded tier with a sales_share'", "'empty the share: excluded members do not take part in the ranking'") }}
from {{ ref('segment_tiers') }}
where {{ cell_text('sales_share') }} is not null and lower({{ cell_text('is_excluded') }}) {{ is_true }}
union all
{{ finding('segment_types', 'segment_types.segment_type_id', "'has no tiers'", "'add its tiers to segment_tiers.csv, or set its status to retired'") }}
from {{ ref('segment_types') }} as segment_types
left join {{ ref('segment_tiers') }} as segment_tiers
    on {{ cell_text('segment_types.segment_type_id') }} = {{ cell_text('segment_tiers.segment_type_id') }}
where segment_tiers.segment_type_id is null and segment_types.segment_type_id is not null
    and coalesce({{ cell_text('segment_types.status') }}, 'active') <> 'retired'
