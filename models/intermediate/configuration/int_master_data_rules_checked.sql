-- What is wrong with the seeds that say who belongs to whom and what is kept: organisations, hierarchy and
-- match overrides, the attribute registry, accepted findings.
{{ check_seed_columns(['organisations', 'hierarchy_overrides', 'account_match_overrides', 'attribute_registry', 'accepted_findings']) }}
{% set organisation = cell_text('organisation_id') %}
{% set customer = cell_text('customer_id') %}
{% set attribute = cell_text('attribute') %}
{{ findings_missing('organisations', organisation, ['organisation_id', 'source_system']) }}
union all
{{ findings_duplicate('organisations', 'min(' ~ cell_text('source_system') ~ ')', ['source_system']) }}
union all
{{ findings_missing('hierarchy_overrides', customer, ['customer_id', 'valid_from', 'reason']) }}
union all
{{ findings_duplicate('hierarchy_overrides', 'min(' ~ customer ~ ')', ['customer_id', 'valid_from']) }}
{% for column in ['valid_from', 'valid_to'] %}
union all
{{ findings_value('hierarchy_overrides', customer, column, 'date', required=(column == 'valid_from')) }}
{% endfor %}
union all
{{ finding('hierarchy_overrides', customer, "'valid_to ' || valid_to || ' lies before valid_from ' || valid_from", "'swap or correct them; valid_to is the last day'") }}
from {{ ref('hierarchy_overrides') }}
where {{ parse_cell('valid_to', 'date', true) }} < {{ parse_cell('valid_from', 'date', true) }}
union all
{{ finding('hierarchy_overrides', customer, "'is its own parent'", "'empty parent_customer_id to make it stand alone'") }}
from {{ ref('hierarchy_overrides') }}
where {{ customer }} = {{ cell_text('parent_customer_id') }}
union all
{{ findings_missing('account_match_overrides', customer, ['customer_id', 'party_kind', 'party_id', 'action', 'reason']) }}
union all
{{ findings_duplicate('account_match_overrides', 'min(' ~ customer ~ ')', ['customer_id', 'party_kind', 'party_id']) }}
union all
{{ findings_option('account_match_overrides', customer, 'party_kind', ['crm_account', 'tpl_consignee']) }}
union all
{{ findings_option('account_match_overrides', customer, 'action', ['match', 'never_match']) }}
union all
{{ findings_missing('attribute_registry', attribute, ['attribute', 'table', 'kind', 'history']) }}
union all
{{ findings_duplicate('attribute_registry', 'min(' ~ attribute ~ ')', ['attribute', 'table']) }}
union all
{{ findings_option('attribute_registry', attribute, 'attribute', customer_attributes()) }}
union all
{{ findings_option('attribute_registry', attribute, 'table', ['customers']) }}
union all
{{ findings_option('attribute_registry', attribute, 'kind', ['static', 'dynamic']) }}
union all
{{ findings_option('attribute_registry', attribute, 'history', ['overwrite', 'keep']) }}
union all
{{ findings_missing('accepted_findings', cell_text('finding_id'), ['finding_kind', 'finding_id', 'reason', 'approved_by', 'expires_on']) }}
union all
{{ findings_value('accepted_findings', cell_text('finding_id'), 'expires_on', 'date') }}
