{# Raw tables that hold the latest version of a row alone (R19): under known_on their rows count whenever they landed, for without
   them everything that names them would be gone. #}
{% macro is_overwritten(system, table) %}
    {{ return(var('known_on', none) is not none and (system ~ '.' ~ table) in (var('overwritten_tables', []) or [])) }}
{% endmacro %}


{# Master data: what other tables name, and what a feed may overwrite. #}
{% macro master_tables() %}
    {{ return({
        'erp.customers': 'customer_id',
        'erp.products': 'product_id',
        'erp.branches': 'branch_id',
        'erp.sales_reps': 'sales_rep_id',
        'crm.accounts': 'account_id',
    }) }}
{% endmacro %}


{# The first moment of which known_on knows nothing any more. #}
{% macro known_until() -%}
    {{ dbt.dateadd('day', 1, "cast('" ~ var('known_on') ~ "' as timestamp)") }}
{%- endmacro %}


{# Rows of a snapshot as they stood on the day a replay speaks of. #}
{% macro recorded_then(snapshot, columns) -%}
    {%- set day = "cast('" ~ (var('as_of_date', none) or var('known_on')) ~ "' as date)" -%}
    select {{ columns | join(', ') }}
    from {{ kept_relation(snapshot, always=true) }}
    where cast(dbt_valid_from as date) <= {{ day }}
        and (dbt_valid_to is null or cast(dbt_valid_to as date) > {{ day }})
{%- endmacro %}


{# The staged customers. Of one that was overwritten since, the attributes are those recorded for the day of the replay, where
   attribute_registry keeps them and a build has recorded them; the rest is as it landed. #}
{% macro customers_as_known() -%}
    {%- set customers = ref('stg_erp__customers') -%}
    {%- set attributes_recorded = kept_relation('snap_customer_attributes', always=true) if is_overwritten('erp', 'customers') -%}
    {%- if not attributes_recorded %}
    select * from {{ customers }} where record_status = 'staged'
    {%- else %}
    select
        customers.source_system,
        customers.customer_id,
        {% for attribute, kind in customer_attributes().items() -%}
        case
            when recorded.{{ attribute }}_count > 0 and customers.loaded_at >= {{ known_until() }} then {{ parse_cell('recorded.' ~ attribute, kind, true) }}
            else customers.{{ attribute }}
        end as {{ attribute }},
        {% endfor -%}
        customers.created_on,
        customers.loaded_at
    from {{ customers }} as customers
    left join (
        select
            customer_id
            {%- for attribute in customer_attributes() %},
            max(case when attribute = '{{ attribute }}' then attribute_value end) as {{ attribute }},
            count(case when attribute = '{{ attribute }}' then 1 end) as {{ attribute }}_count
            {%- endfor %}
        from (
            {{ recorded_then('snap_customer_attributes', ['customer_id', 'attribute', 'attribute_value']) }}
        ) as attributes
        group by customer_id
    ) as recorded
        on {{ global_id('customers.source_system', 'customers.customer_id') }} = recorded.customer_id
    where customers.record_status = 'staged'
    {%- endif %}
{%- endmacro %}


{# The parents one source named, as recorded for the day of a replay over overwritten masters: a select of customer_id and parent_id,
   else of nobody. #}
{% macro parents_recorded(system, table) -%}
    {%- if is_overwritten(system, table) and kept_relation('snap_customer_parents', always=true) -%}
        {{ recorded_then('snap_customer_parents', ['customer_id', system ~ '_parent_id as parent_id']) }}
            and dbt_is_deleted = 'False'
    {%- else -%}
    select cast(null as {{ dbt.type_string() }}) as customer_id, cast(null as {{ dbt.type_string() }}) as parent_id where false
    {%- endif -%}
{%- endmacro %}
