{# The run log: what each build was, over what, and how it ended. No model can hold it, for a build that fails or dies
   would leave nothing behind. Hooks write it; the tables are described as the source `audit`, which is also what they
   are made from. #}

{% macro is_logged_run() %}
    {{ return(execute and flags.WHICH in ['build', 'run', 'snapshot']) }}
{% endmacro %}


{# First hook of a run. A row that is still running belongs to a build that died. #}
{% macro start_run_log() %}
    {% if is_logged_run() %}
        {% set run_log = run_table('run_log') %}
        {% do adapter.create_schema(run_relation(run_log)) %}
        {% for name in ['run_log', 'run_log_inputs', 'run_notices'] %}
            {% do write_run_records([create_run_table(run_table(name))]) %}
            {% do write_run_records(add_run_columns(run_table(name))) %}
        {% endfor %}
        {% set code_version = [var('code_version')] + ([env_var('STRATUM_CODE_VERSION')] if env_var('STRATUM_CODE_VERSION', '') else []) %}
        {% do write_run_records([
            "update " ~ run_relation(run_log) ~ " set status = 'interrupted' where status = 'running'",
            insert_run_record(run_log, {
                'run_id': invocation_id,
                'command': flags.WHICH,
                'status': 'running',
                'trigger': env_var('STRATUM_TRIGGER', '') or 'manual',
                'known_on': var('known_on', none),
                'code_version': code_version | join('+'),
                'variables': toyaml(invocation_args_dict.get('vars') or {}, sort_keys=true) | trim,
                'started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f'),
            }),
        ]) %}
    {% endif %}
{% endmacro %}


{# Last hook of a run, also of one that failed. What it reads may be older than the run or not there at all:
   relation_of_run says which. #}
{% macro finish_run_log(results) %}
    {% if is_logged_run() %}
        {% set failed_count = results | selectattr('status', 'in', ['error', 'fail', 'runtime error']) | list | length %}
        {% set status = 'failed' if failed_count else 'success' %}
        {% set values = {
            'model_count': nodes_made(results) | length,
            'failed_count': failed_count,
            'configuration_hash': configuration_hash(results),
        } %}
        {% set statements = [] %}
        {% set dates = relation_of_run('int_evaluation_dates', results) %}
        {% if dates is not none %}
            {% do values.update({'as_of_date': run_query('select cast(max(evaluation_date) as ' ~ dbt.type_string() ~ ') from ' ~ dates ~ ' where is_as_of').rows[0][0]}) %}
        {% endif %}
        {% set recording = relation_of_run('int_recording', results) if 'snap_segment_tiers' in nodes_made(results) else none %}
        {% do values.update({'has_recorded': recording is not none and run_query('select is_forward from ' ~ recording).rows[0][0]}) %}
        {% if var('known_on', none) is not none and 'int_reproduction' in nodes_made(results) %}
            {% set obstacles = run_query('select obstacle from ' ~ relation_of_run('int_reproduction', results) ~ ' order by obstacle').columns[0].values() %}
            {% do values.update({'reproduction': 'approximate' if obstacles else 'exact', 'reproduction_detail': obstacles | join('; ') or none}) %}
        {% endif %}
        {# Counts of an earlier run say nothing about the rows this one read. #}
        {% if 'fct_record_counts' in nodes_made(results) %}
            {% set counts = relation_of_run('fct_record_counts', results) %}
            {% set quarantined = "cast(coalesce(sum(case when record_status = 'quarantined' then record_count end), 0) as bigint)" %}
            {% set totals = run_query('select cast(coalesce(sum(record_count), 0) as bigint), ' ~ quarantined ~ ' from ' ~ counts).rows[0] %}
            {% do values.update({'record_count': totals[0] | int, 'quarantined_count': totals[1] | int}) %}
            {% do statements.append(
                'insert into ' ~ run_relation(run_table('run_log_inputs')) ~ ' (run_id, source_table, record_count, quarantined_count, latest_loaded_at)'
                ~ ' select ' ~ text_literal(invocation_id) ~ ', source_table, cast(sum(record_count) as bigint), ' ~ quarantined ~ ', max(latest_loaded_at)'
                ~ ' from ' ~ counts ~ ' group by source_table'
            ) %}
        {% endif %}
        {% if status == 'success' and 'fct_segment_summary' in nodes_made(results) %}
            {% do statements.extend(completion_notices(values.get('as_of_date'), results)) %}
        {% endif %}
        {% do close_run(status, values, statements) %}
    {% endif %}
{% endmacro %}


{# Ends the row of this run, together with what else is to be written or not at all. #}
{% macro close_run(status, values={}, statements=[]) %}
    {% if is_logged_run() %}
        {% set run_log = run_table('run_log') %}
        {% set ended_at = modules.datetime.datetime.now(modules.pytz.utc) %}
        {% set cells = dict(values, status=status, ended_at=ended_at.strftime('%Y-%m-%d %H:%M:%S.%f'), duration_seconds=(ended_at - run_started_at).total_seconds()) %}
        {% set assignments = [] %}
        {% for name, value in cells.items() %}
            {% do assignments.append(name ~ ' = ' ~ run_cell(run_log, name, value)) %}
        {% endfor %}
        {% do write_run_records(statements + [
            'update ' ~ run_relation(run_log) ~ ' set ' ~ assignments | join(', ') ~ ' where run_id = ' ~ text_literal(invocation_id)
        ]) %}
    {% endif %}
{% endmacro %}


{# A payload for every type that asks for a notice; tools/notify.py posts it, so that no endpoint can stop a build. #}
{% macro completion_notices(as_of_date, results) %}
    {% set types, summary = relation_of_run('int_segment_types', results), relation_of_run('fct_segment_summary', results) %}
    {% set statements = [] %}
    {% if types is not none and summary is not none and as_of_date %}
        {% set tiers_by_type = {} %}
        {% for row in run_query("select segment_type_id, tier, member_count from " ~ summary ~ " where as_of_date = cast('" ~ as_of_date ~ "' as date) order by segment_type_id, tier_rank") %}
            {% do tiers_by_type.setdefault(row[0], []).append({'tier': row[1], 'member_count': row[2] | int}) %}
        {% endfor %}
        {% for row in run_query("select segment_type_id, family, version, name, entity from " ~ types ~ " where notify and status = 'active' order by segment_type_id") %}
            {% set tiers = tiers_by_type.get(row[0], []) %}
            {% set words = [] %}
            {% for tier in tiers %} {% do words.append(tier.tier ~ ' ' ~ tier.member_count) %} {% endfor %}
            {% do statements.append(insert_run_record(run_table('run_notices'), {
                'run_id': invocation_id,
                'segment_type_id': row[0],
                'payload': tojson({
                    'run_id': invocation_id,
                    'segment_type_id': row[0],
                    'family': row[1],
                    'version': row[2] | int,
                    'name': row[3],
                    'entity': row[4],
                    'as_of_date': as_of_date,
                    'known_on': var('known_on', none) and var('known_on') | string,
                    'member_count': tiers | sum(attribute='member_count'),
                    'tiers': tiers,
                    'text': row[3] ~ ' as of ' ~ as_of_date ~ ': ' ~ (words | join(', ') or 'nobody'),
                }),
                'delivery_status': 'pending',
            })) %}
        {% endfor %}
    {% endif %}
    {{ return(statements) }}
{% endmacro %}


{# SHA-256 of what the configuration says, whatever the order of rows and columns: a line per row, in it every cell that
   is not empty, by the name of its column and with its length, so that no two contents read alike. None where a seed is not there. #}
{% macro configuration_hash(results) %}
    {% set selects = [] %}
    {% for seed in graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('package_name', 'equalto', 'stratum') | sort(attribute='name') %}
        {% set relation = relation_of_run(seed.name, results) %}
        {% if relation is none %} {{ return(none) }} {% endif %}
        {% set cells = ["'" ~ seed.name ~ "'"] %}
        {% for column in adapter.get_columns_in_relation(relation) | map(attribute='name') | sort %}
            {% set text = cell_text(adapter.quote(column)) %}
            {% do cells.append("coalesce('|" ~ column | lower ~ "=' || cast(length(" ~ text ~ ") as " ~ dbt.type_string() ~ ") || ':' || " ~ text ~ ", '')") %}
        {% endfor %}
        {% do selects.append('select ' ~ cells | join(' || ') ~ ' as row_text from ' ~ relation) %}
    {% endfor %}
    {{ return(run_query('select ' ~ hash_of_rows('row_text') ~ ' from (' ~ selects | join(' union all ') ~ ') as configuration_rows').rows[0][0]) }}
{% endmacro %}


{# The models, seeds and snapshots this run has made, by name. #}
{% macro nodes_made(results) %}
    {{ return(results | selectattr('node.resource_type', 'in', ['model', 'seed', 'snapshot']) | selectattr('status', 'equalto', 'success') | map(attribute='node.name') | list) }}
{% endmacro %}


{# A model or seed as this run has made or found it: none where the run tried to make it and did not, for what stands there is
   not what this run speaks of, and none where it is not there. #}
{% macro relation_of_run(name, results) %}
    {% set tried = results | selectattr('node.resource_type', 'in', ['model', 'seed', 'snapshot']) | map(attribute='node.name') | list %}
    {% if name in tried and name not in nodes_made(results) %} {{ return(none) }} {% endif %}
    {% set node = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot']) | selectattr('name', 'equalto', name) | first %}
    {{ return(adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias)) }}
{% endmacro %}


{# The description of a table of the run log: its columns and types are what it is made from. #}
{% macro run_table(name) %}
    {{ return(graph.sources.values() | selectattr('source_name', 'equalto', 'audit') | selectattr('name', 'equalto', name) | first) }}
{% endmacro %}


{% macro run_relation(table) %}
    {{ return(api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier)) }}
{% endmacro %}


{% macro run_column_type(column) %}
    {{ return(dbt.type_string() if column.data_type == 'varchar' else column.data_type) }}
{% endmacro %}


{% macro create_run_table(table) %}
    {% set columns = [] %}
    {% for column in table.columns.values() %}
        {% do columns.append(column.name ~ ' ' ~ run_column_type(column)) %}
    {% endfor %}
    {{ return('create table if not exists ' ~ run_relation(table) ~ ' (' ~ columns | join(', ') ~ ')' ~ run_table_format()) }}
{% endmacro %}


{# Rows are updated, which Spark does only in some formats: the log has that of the audit marts. #}
{% macro run_table_format() %}
    {{ return(adapter.dispatch('run_table_format', 'stratum')()) }}
{% endmacro %}
{% macro default__run_table_format() %}
    {{ return('') }}
{% endmacro %}
{% macro spark__run_table_format() %}
    {% set mart = graph.nodes.values() | selectattr('name', 'equalto', 'fct_record_counts') | first %}
    {{ return(' using ' ~ mart.config.file_format if mart.config.file_format else '') }}
{% endmacro %}


{# The log outlives releases and is never made anew: a column that a release adds is added to what stands. #}
{% macro add_run_columns(table) %}
    {% set found = run_query('select * from ' ~ run_relation(table) ~ ' where 1 = 0').column_names | map('lower') | list %}
    {% set statements = [] %}
    {% for column in table.columns.values() if column.name not in found %}
        {% do statements.append('alter table ' ~ run_relation(table) ~ ' add column ' ~ column.name ~ ' ' ~ run_column_type(column)) %}
    {% endfor %}
    {{ return(statements) }}
{% endmacro %}


{# Every column is named: Spark does not fill in what is left out. #}
{% macro insert_run_record(table, values) %}
    {% set cells = [] %}
    {% for name in table.columns %}
        {% do cells.append(run_cell(table, name, values.get(name))) %}
    {% endfor %}
    {{ return('insert into ' ~ run_relation(table) ~ ' (' ~ table.columns.keys() | join(', ') ~ ') values (' ~ cells | join(', ') ~ ')') }}
{% endmacro %}


{% macro run_cell(table, name, value) %}
    {{ return('cast(' ~ ('null' if value is none else text_literal(value)) ~ ' as ' ~ run_column_type(table.columns[name]) ~ ')') }}
{% endmacro %}


{# Looking something up may have opened a transaction, which the end of the hook would roll back: these are committed. #}
{% macro write_run_records(statements) %}
    {% for sql in statements %}
        {% call statement('run_record', auto_begin=true) %}{{ sql }}{% endcall %}
    {% endfor %}
    {% if statements %} {% do adapter.commit() %} {% endif %}
{% endmacro %}
