{# Whether two warehouses say the same: dbt run-operation mart_hashes prints one JSON object, for every public mart and snapshot its rows and
   a SHA-256 over all of them, whatever their order. Every engine makes the same hash of the same rows. `as_queries` prints the queries instead. #}
{% macro mart_hashes(as_queries=false) -%}
    {%- set found = {} -%}
    {%- for node in hashed_nodes() -%}
        {%- set query = mart_hash_query(node) -%}
        {%- if as_queries -%}
            {%- do found.update({node.name: query}) -%}
        {%- else -%}
            {%- set row = run_query(query).rows[0] -%}
            {%- do found.update({node.name: {'rows': row[0] | int, 'hash': row[1]}}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do print(tojson(found)) -%}
{%- endmacro %}


{# The marts, which are under contract, and the snapshots. #}
{% macro hashed_nodes() -%}
    {%- set nodes = [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='name') if node.package_name == 'stratum' -%}
        {%- if node.resource_type == 'snapshot' or (node.resource_type == 'model' and node.config.contract.enforced) -%} {%- do nodes.append(node) -%} {%- endif -%}
    {%- endfor -%}
    {{ return(nodes) }}
{%- endmacro %}


{# The rows are hashed one by one, then in blocks by their first three digits, then the blocks: nobody ever has to hold all of them. #}
{% macro mart_hash_query(node) -%}
    {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
    select cast(coalesce(sum(row_count), 0) as bigint) as row_count, {{ sha256_hex(texts_in_order("block || ':' || block_hash")) }} as mart_hash
    from (
        select substring(row_hash, 1, 3) as block, count(*) as row_count, {{ hash_of_rows('row_hash') }} as block_hash
        from (select {{ sha256_hex(canonical_text(node.name, hashed_columns(node, relation))) }} as row_hash from {{ relation }}) as hashed_rows
        group by substring(row_hash, 1, 3)
    ) as blocks
{%- endmacro %}


{# column -> kind of canonical_value. Left out are columns that say in their meta that they differ from engine to engine, and dbt's own
   keys of snapshots, which are made from texts that engines write as they like. #}
{% macro hashed_columns(node, relation) -%}
    {%- set kinds = {} -%}
    {%- if node.resource_type == 'snapshot' -%}
        {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower != 'dbt_scd_id' -%}
            {%- do kinds.update({column.name | lower: column_kind(column.data_type)}) -%}
        {%- endfor -%}
    {%- else -%}
        {%- for column in node.columns.values() if not column.config.meta.get('engine_specific') -%}
            {%- do kinds.update({column.name: column_kind(column.data_type)}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(kinds) }}
{%- endmacro %}


{% macro column_kind(data_type) -%}
    {%- set name = data_type | lower -%}
    {%- if name.startswith('numeric') or name.startswith('decimal') -%} {{ return('decimal ' ~ name.split(',')[1].replace(')', '') | trim) }}
    {%- elif name in ['bigint', 'integer', 'int', 'smallint'] -%} {{ return('integer') }}
    {%- elif name == 'date' -%} {{ return('date') }}
    {%- elif name.startswith('timestamp') -%} {{ return('timestamp') }}
    {%- elif name == 'boolean' -%} {{ return('boolean') }}
    {%- elif name in ['varchar', 'text', 'string'] or name.startswith('character varying') -%} {{ return('text') }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error('column_kind knows no type ' ~ data_type ~ '.') }}
{%- endmacro %}
