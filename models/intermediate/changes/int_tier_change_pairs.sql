-- R21: every type in force on an evaluation date, as recorded, with the date before and the type of its family that was in force then:
-- of an active type itself, if it was active already, else the active version it replaces. Metrics are those of a type that is
-- evaluated now: its own where it still is, else those of the version in force today. A pair is explained again only when something
-- has changed that its answer follows from (R18).
with

evaluation_dates as (
    select
        evaluation_date as to_date,
        lag(evaluation_date) over (order by evaluation_date asc) as from_date
    from {{ ref('int_evaluation_dates') }}
),

rules as (
    select * from {{ ref('int_segment_rules_recorded') }}
),

evaluations as (
    select segment_type_id, evaluation_date, input_fingerprint from {{ ref('int_segment_evaluations') }}
),

types_evaluated as (
    select
        segment_type_id,
        row_number() over (
            partition by family order by case status when 'active' then 1 when 'challenger' then 2 else 3 end asc, version desc, segment_type_id asc
        ) as preference,
        family
    from {{ ref('int_segment_types') }}
    where status <> 'retired'
),

-- The rules of every date, with the type whose metric stands for them.
rules_on_dates as (
    select
        dates.evaluation_date,
        rules.rules_number,
        rules.rules_hash,
        rules.metric_hash,
        rules.segment_type_id,
        rules.family,
        rules.version,
        rules.entity,
        rules.status,
        rules.roster_kind,
        dates.evaluation_date >= rules.valid_from as is_recorded,
        coalesce(itself.segment_type_id, successors.segment_type_id) as metric_type_id
    from {{ ref('int_evaluation_dates') }} as dates
    inner join rules
        on dates.evaluation_date >= rules.stands_from
        and dates.evaluation_date < rules.valid_to
        and rules.status in ('active', 'challenger')
    left join types_evaluated as itself
        on rules.segment_type_id = itself.segment_type_id
    left join types_evaluated as successors
        on rules.family = successors.family
        and successors.preference = 1
    where coalesce(itself.segment_type_id, successors.segment_type_id) is not null
),

predecessors as (
    select
        afters.rules_number as new_rules_number,
        evaluation_dates.from_date,
        evaluation_dates.to_date,
        befores.rules_number as old_rules_number,
        row_number() over (
            partition by afters.rules_number, evaluation_dates.to_date
            order by
                case
                    when afters.segment_type_id = befores.segment_type_id and (befores.status = 'active' or afters.status = 'challenger') then 1
                    when befores.status = 'active' and afters.status = 'active' then 2
                    when afters.segment_type_id = befores.segment_type_id then 3
                    else 4
                end asc,
                befores.version desc, befores.segment_type_id asc
        ) as preference
    from evaluation_dates
    inner join rules_on_dates as afters
        on evaluation_dates.to_date = afters.evaluation_date
    inner join rules_on_dates as befores
        on evaluation_dates.from_date = befores.evaluation_date
        and afters.family = befores.family
        and (afters.segment_type_id = befores.segment_type_id or (befores.status = 'active' and afters.status = 'active'))
),

-- The rules that the evaluations of this build follow, hashed like those that were recorded.
tiers_now as (
    select segment_type_id, {{ sum_of_hashes(['tier', 'tier_rank', 'sales_share', 'minimum_amount', 'is_default', 'is_excluded']) }} as tiers_hash
    from {{ ref('int_segment_tiers') }}
    group by segment_type_id
),

filters_now as (
    select segment_type_id, {{ sum_of_hashes(['seed', 'row_key']) }} as filters_hash
    from (
        select
            segment_type_id,
            case filter_kind when 'branch' then 'segment_type_branches' else 'segment_type_brands' end as seed,
            segment_type_id || '|' || filter_value as row_key
        from {{ ref('int_segment_type_filters') }}
    ) as filters
    group by segment_type_id
),

types_described as (
    select
        types.*,
        case
            when types.identity_basis = 'vat' then 'vat'
            when types.hierarchy_level = 'ultimate_parent' then 'parent'
            else 'single'
        end as roster_kind,
        tiers_now.tiers_hash,
        filters_now.filters_hash,
        types.metric || '|' || types.metric_basis || '|' || cast(types.timespan_months as {{ dbt.type_string() }}) || '|'
        || types.{{ adapter.quote('interval') }} || '|' || cast(types.fiscal_year_start_month as {{ dbt.type_string() }}) || '|'
        || types.window_end || '|' || types.outlier_treatment || '|' as metric_options
    from {{ ref('int_segment_types') }} as types
    inner join tiers_now
        on types.segment_type_id = tiers_now.segment_type_id
    left join filters_now
        on types.segment_type_id = filters_now.segment_type_id
),

types_now as (
    select
        segment_type_id,
        {{ key_hash(['segment_type_id', 'boundary', 'method', 'ties', 'denominator', 'roster_kind', 'min_net_sales', 'new_customer_days',
            'hysteresis_months', 'tiers_hash']) }} as rules_hash,
        {{ key_hash(['metric_options', 'filters_hash']) }} as metric_hash
    from types_described
),

overrides as (
    select
        rules_on_dates.rules_number,
        rules_on_dates.evaluation_date,
        {{ sum_of_hashes(['overrides.override_id', 'overrides.entity_id', 'overrides.override_mode', 'overrides.tier', 'overrides.valid_from', 'overrides.valid_to']) }} as overrides_hash
    from rules_on_dates
    inner join {{ ref('int_segment_overrides') }} as overrides
        on rules_on_dates.segment_type_id = overrides.segment_type_id
        and rules_on_dates.evaluation_date >= overrides.valid_from
        and (rules_on_dates.evaluation_date <= overrides.valid_to or overrides.override_mode in ('clear', 'clear_all'))
        and overrides.is_effective
    group by rules_on_dates.rules_number, rules_on_dates.evaluation_date
),

pairs as (
    select
        evaluation_dates.from_date,
        evaluation_dates.to_date,
        afters.segment_type_id,
        afters.family,
        afters.entity,
        afters.rules_number as new_rules_number,
        -- Where nobody of its family was in force the type itself stands in.
        coalesce(befores.rules_number, afters.rules_number) as old_rules_number,
        coalesce(befores.segment_type_id, afters.segment_type_id) as old_segment_type_id,
        coalesce(befores.version, afters.version) as old_version,
        afters.version as new_version,
        coalesce(befores.rules_hash, afters.rules_hash) as old_rules_hash,
        afters.rules_hash as new_rules_hash,
        coalesce(befores.metric_hash, afters.metric_hash) as old_metric_hash,
        afters.metric_hash as new_metric_hash,
        coalesce(befores.roster_kind, afters.roster_kind) as old_roster_kind,
        afters.roster_kind as new_roster_kind,
        coalesce(befores.metric_type_id, afters.metric_type_id) as old_metric_type_id,
        afters.metric_type_id as new_metric_type_id,
        coalesce(befores.is_recorded, false) as is_old_recorded,
        afters.is_recorded as is_new_recorded
    from evaluation_dates
    inner join rules_on_dates as afters
        on evaluation_dates.to_date = afters.evaluation_date
    left join predecessors
        on afters.rules_number = predecessors.new_rules_number
        and evaluation_dates.to_date = predecessors.to_date
        and predecessors.preference = 1
    left join rules_on_dates as befores
        on predecessors.old_rules_number = befores.rules_number
        and evaluation_dates.from_date = befores.evaluation_date
    where evaluation_dates.from_date is not null
),

pairs_described as (
    select
        pairs.*,
        -- Both steps of the hierarchy by the kind of roster of the old rules, the configuration then changes the kind.
        old_hierarchies.hierarchy_version as old_hierarchy_version,
        moved_hierarchies.hierarchy_version as moved_hierarchy_version,
        new_hierarchies.hierarchy_version as new_hierarchy_version,
        pairs.is_old_recorded and pairs.is_new_recorded and old_hierarchies.is_recorded and new_hierarchies.is_recorded as is_recorded,
        old_now.metric_hash <> pairs.old_metric_hash or new_now.metric_hash <> pairs.new_metric_hash as is_metric_restated,
        -- Whether both ends are what the evaluations of this build say.
        old_now.rules_hash = pairs.old_rules_hash
        and new_now.rules_hash = pairs.new_rules_hash
        and old_hierarchies.is_as_today
        and new_hierarchies.is_as_today as is_as_today,
        {{ key_hash([
            'pairs.from_date', 'pairs.to_date', 'pairs.old_rules_hash', 'pairs.new_rules_hash', 'pairs.old_metric_hash', 'pairs.new_metric_hash',
            'pairs.old_metric_type_id', 'pairs.new_metric_type_id', 'old_now.metric_hash', 'new_now.metric_hash',
            'old_hierarchies.hierarchy_version', 'moved_hierarchies.hierarchy_version', 'new_hierarchies.hierarchy_version',
            'old_evaluations.input_fingerprint', 'moved_evaluations.input_fingerprint', 'new_evaluations.input_fingerprint',
            'old_overrides.overrides_hash', 'new_overrides.overrides_hash'
        ]) }} as pair_hash
    from pairs
    inner join {{ ref('int_tier_change_hierarchy_versions') }} as old_hierarchies
        on pairs.from_date = old_hierarchies.evaluation_date
        and pairs.old_roster_kind = old_hierarchies.roster_kind
    inner join {{ ref('int_tier_change_hierarchy_versions') }} as moved_hierarchies
        on pairs.to_date = moved_hierarchies.evaluation_date
        and pairs.old_roster_kind = moved_hierarchies.roster_kind
    inner join {{ ref('int_tier_change_hierarchy_versions') }} as new_hierarchies
        on pairs.to_date = new_hierarchies.evaluation_date
        and pairs.new_roster_kind = new_hierarchies.roster_kind
    inner join evaluations as old_evaluations
        on pairs.old_metric_type_id = old_evaluations.segment_type_id
        and pairs.from_date = old_evaluations.evaluation_date
    inner join evaluations as moved_evaluations
        on pairs.new_metric_type_id = moved_evaluations.segment_type_id
        and pairs.from_date = moved_evaluations.evaluation_date
    inner join evaluations as new_evaluations
        on pairs.new_metric_type_id = new_evaluations.segment_type_id
        and pairs.to_date = new_evaluations.evaluation_date
    inner join types_now as old_now
        on pairs.old_metric_type_id = old_now.segment_type_id
    inner join types_now as new_now
        on pairs.new_metric_type_id = new_now.segment_type_id
    left join overrides as old_overrides
        on pairs.old_rules_number = old_overrides.rules_number
        and pairs.from_date = old_overrides.evaluation_date
    left join overrides as new_overrides
        on pairs.new_rules_number = new_overrides.rules_number
        and pairs.to_date = new_overrides.evaluation_date
),

kept as (
    select segment_type_id, from_date, to_date, input_fingerprint from {{ tier_change_pairs_kept() }} as pairs_kept
)

select
    pairs_described.*,
    cast(pairs_described.pair_hash as numeric(38, 0)) as input_fingerprint,
    cast(row_number() over (order by pairs_described.segment_type_id asc, pairs_described.to_date asc) as integer) as pair_number,
    kept.input_fingerprint is null as is_due
from pairs_described
left join kept
    on pairs_described.segment_type_id = kept.segment_type_id
    and pairs_described.from_date = kept.from_date
    and pairs_described.to_date = kept.to_date
    and cast(pairs_described.pair_hash as numeric(38, 0)) = kept.input_fingerprint
