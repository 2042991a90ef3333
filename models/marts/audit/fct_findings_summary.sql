-- How many findings of each kind are open, and how many tiers hinge on them: those of everybody in an entity a finding names, in the
-- active types it can touch. A placeholder for a VAT number moves nobody in a type that ranks by id, nor does a reversal at the end of
-- a window that has passed, nor what is said otherwise about an earlier month. Owner and next step are those in the description of each mart, so they are written once.
{#- Kind, the column that names somebody, and the types the finding can touch. Configuration faults are not here: they stop the build. #}
{%- set same_type = 'findings.segment_type_id = segment_types.segment_type_id' -%}
{%- set by_parent = "segment_types.hierarchy_level = 'ultimate_parent'" -%}
{%- set listed_type -%}
{{ dbt.position("', ' || segment_types.segment_type_id || ','", "', ' || findings.segment_type_ids || ','") }} > 0
{%- endset -%}
{%- set marts = [
    ('findings_account_matches', 'customer_id', by_parent),
    ('findings_contracts', 'customer_id', "segment_types.metric_basis = 'contract'"),
    ('findings_costs', none, none),
    ('findings_hierarchy', 'customer_id', by_parent),
    ('findings_history_disagreements', 'member_id', same_type ~ ' and findings.last_month_end = segment_types.as_of_date'),
    ('findings_inert_overrides', 'entity_id', same_type ~ ' or (findings.segment_type_id is null and ' ~ by_parent ~ ')'),
    ('findings_order_outliers', 'customer_id', listed_type),
    ('findings_order_splitting', 'entity_id', same_type),
    ('findings_overrides_to_review', 'entity_id', same_type),
    ('findings_period_end_reversals', 'entity_id', same_type ~ ' and findings.evaluation_date = segment_types.as_of_date'),
    ('findings_unknown_members', none, none),
    ('findings_vat_numbers', 'customer_id', "segment_types.identity_basis = 'vat'"),
] -%}
{%- set written = {} -%}
{#- A unit test has no graph. -#}
{%- for node in (graph.nodes | default({})).values() if node.resource_type == 'model' -%} {%- do written.update({node.name: node.config.meta}) -%} {%- endfor %}
with

as_of_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }} where is_as_of
),

segment_types as (
    select types.segment_type_id, types.identity_basis, types.hierarchy_level, types.metric_basis, as_of_dates.evaluation_date as as_of_date
    from {{ ref('int_segment_types') }} as types
    cross join as_of_dates
    where types.status = 'active'
),

members as (
    select segment_type_id, customer_id as member_id, entity_id from {{ ref('fct_customer_segments') }}
    union all
    select segment_type_id, product_id as member_id, entity_id from {{ ref('fct_product_segments') }}
),

acceptances as (
    select {{ cell_text('accepted.finding_kind') }} as finding_kind, count(*) as accepted_count
    from {{ ref('accepted_findings') }} as accepted
    inner join as_of_dates
        on as_of_dates.evaluation_date <= {{ parse_cell('accepted.expires_on', 'date', true) }}
    group by {{ cell_text('accepted.finding_kind') }}
),

kinds as (
    {%- for mart, name_column, touches in marts %}
    select
        '{{ mart }}' as finding_kind,
        '{{ dbt.escape_single_quotes(written.get(mart, {}).get("owner", "")) }}' as owner,
        '{{ dbt.escape_single_quotes(written.get(mart, {}).get("next_step", "")) }}' as next_step,
        count(*) as open_count
    from {{ ref(mart) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Whom a finding names, as an entity or as one of its members.
names_given as (
    {%- for mart, name_column, touches in marts if name_column %}
    select '{{ mart }}' as finding_kind, segment_types.segment_type_id, findings.{{ name_column }} as named_id
    from {{ ref(mart) }} as findings
    inner join segment_types
        on {{ touches }}
    where findings.{{ name_column }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

entities_named as (
    select names_given.finding_kind, members.segment_type_id, members.entity_id
    from names_given
    inner join members
        on names_given.segment_type_id = members.segment_type_id
        and names_given.named_id = members.member_id
    union
    select names_given.finding_kind, members.segment_type_id, members.entity_id
    from names_given
    inner join members
        on names_given.segment_type_id = members.segment_type_id
        and names_given.named_id = members.entity_id
),

entity_sizes as (
    select segment_type_id, entity_id, count(*) as member_count from members group by segment_type_id, entity_id
),

-- A tier that hinges on findings of two kinds counts once in the total.
entities_named_at_all as (
    select distinct segment_type_id, entity_id from entities_named
),

tiers_counted as (
    select entities_named.finding_kind, sum(entity_sizes.member_count) as tiers_at_stake
    from entities_named
    inner join entity_sizes
        on entities_named.segment_type_id = entity_sizes.segment_type_id
        and entities_named.entity_id = entity_sizes.entity_id
    group by entities_named.finding_kind
    union all
    select '(all)' as finding_kind, sum(entity_sizes.member_count) as tiers_at_stake
    from entities_named_at_all
    inner join entity_sizes
        on entities_named_at_all.segment_type_id = entity_sizes.segment_type_id
        and entities_named_at_all.entity_id = entity_sizes.entity_id
),

kinds_counted as (
    select
        kinds.finding_kind,
        kinds.owner,
        kinds.next_step,
        kinds.open_count,
        coalesce(acceptances.accepted_count, 0) as accepted_count
    from kinds
    left join acceptances
        on kinds.finding_kind = acceptances.finding_kind
),

total_added as (
    select * from kinds_counted
    union all
    select
        '(all)' as finding_kind,
        cast(null as {{ dbt.type_string() }}) as owner,
        cast(null as {{ dbt.type_string() }}) as next_step,
        sum(open_count) as open_count,
        sum(accepted_count) as accepted_count
    from kinds_counted
)

select
    total_added.finding_kind,
    total_added.owner,
    total_added.next_step,
    as_of_dates.evaluation_date as as_of_date,
    cast(total_added.open_count as bigint) as open_count,
    cast(total_added.accepted_count as bigint) as accepted_count,
    cast(coalesce(tiers_counted.tiers_at_stake, 0) as bigint) as tiers_at_stake
from total_added
cross join as_of_dates
left join tiers_counted
    on total_added.finding_kind = tiers_counted.finding_kind
