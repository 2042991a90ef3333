{# The pairs of dates whose changes earlier runs have explained. The table stands downstream of whoever asks. #}
{% macro tier_change_pairs_kept() -%}
    {%- set explained = kept_relation('int_tier_change_pairs_explained') -%}
    {%- if explained is not none and kept_relation('fct_tier_changes') is not none -%}
    {{ explained }}
    {%- else -%}
    (
        select
            cast(null as {{ dbt.type_string() }}) as segment_type_id,
            cast(null as date) as from_date,
            cast(null as date) as to_date,
            cast(null as numeric(38, 0)) as input_fingerprint
        where false
    )
    {%- endif -%}
{%- endmacro %}


{# fct_tier_changes: the changes of pairs that are explained anew, and of those that nobody evaluates any more. #}
{% macro drop_tier_changes_due() -%}
    {%- set tier_change_pairs = ref('int_tier_change_pairs') -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where not exists (
        select 1 from {{ tier_change_pairs }} as pairs
        where pairs.segment_type_id = {{ this }}.segment_type_id
            and pairs.from_date = {{ this }}.from_date
            and pairs.to_date = {{ this }}.to_date
            and not pairs.is_due
    )
    {%- endif -%}
{%- endmacro %}
