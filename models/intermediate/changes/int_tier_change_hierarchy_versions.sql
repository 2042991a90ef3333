-- R21, R8: under which version of the hierarchy every evaluation date stands: the last day on which somebody was recorded with another
-- ultimate parent (or VAT number) than before. Nothing was recorded before the first build: there the parents by the validity of
-- decisions stand in, and where these were those of the first build, what it recorded.
with

evaluation_dates as (
    select evaluation_date, hierarchy_date from {{ ref('int_evaluation_dates') }}
),

recorded as (
    select
        cast(dbt_valid_from as date) as changed_on,
        ultimate_parent_id,
        vat_group_id,
        lag(ultimate_parent_id) over (partition by customer_id order by dbt_valid_from asc, dbt_updated_at asc) as previous_parent_id,
        lag(vat_group_id) over (partition by customer_id order by dbt_valid_from asc, dbt_updated_at asc) as previous_vat_group_id
    from {{ ref('snap_customer_parents') }}
    where dbt_is_deleted = 'False'
        and (dbt_valid_to is null or cast(dbt_valid_to as date) > cast(dbt_valid_from as date))
),

kinds as (
    {% for kind in ['single', 'parent', 'vat'] -%}
    select '{{ kind }}' as roster_kind
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

first_days as (
    select min(changed_on) as first_recorded_on from recorded
),

changes as (
    select changed_on, 'parent' as roster_kind from recorded where ultimate_parent_id <> previous_parent_id
    union
    select changed_on, 'vat' as roster_kind from recorded where vat_group_id <> previous_vat_group_id
),

-- Since when the hierarchy is what it is.
last_changes as (
    select roster_kind, max(changed_on) as last_changed_on from changes group by roster_kind
),

as_of_dates as (
    select evaluation_dates.hierarchy_date, recording.is_forward
    from {{ ref('int_recording') }} as recording
    inner join evaluation_dates
        on recording.as_of_date = evaluation_dates.evaluation_date
),

anchors as (
    select
        min(evaluation_dates.evaluation_date) as anchor_date
    from evaluation_dates
    cross join first_days
    where evaluation_dates.evaluation_date >= first_days.first_recorded_on
),

dates_anchored as (
    select
        evaluation_dates.evaluation_date,
        evaluation_dates.hierarchy_date,
        first_days.first_recorded_on,
        anchor_dates.hierarchy_date as anchor_hierarchy_date
    from evaluation_dates
    cross join first_days
    cross join anchors
    left join evaluation_dates as anchor_dates
        on anchors.anchor_date = anchor_dates.evaluation_date
)

select
    dates_anchored.evaluation_date,
    kinds.roster_kind,
    dates_anchored.evaluation_date >= dates_anchored.first_recorded_on as is_recorded,
    case
        when kinds.roster_kind = 'single' then cast('1900-01-01' as date)
        when kinds.roster_kind = 'parent' and dates_anchored.evaluation_date < dates_anchored.first_recorded_on
            and dates_anchored.hierarchy_date <> dates_anchored.anchor_hierarchy_date
            then dates_anchored.hierarchy_date
        else coalesce(max(changes.changed_on), dates_anchored.first_recorded_on)
    end as hierarchy_version,
    -- Surely the same as the roll-up of today.
    kinds.roster_kind = 'single'
    or (
        as_of_dates.is_forward
        and coalesce(last_changes.last_changed_on <= dates_anchored.evaluation_date, true)
        and (
            dates_anchored.hierarchy_date = as_of_dates.hierarchy_date
            or (last_changes.last_changed_on is null and dates_anchored.evaluation_date < dates_anchored.first_recorded_on)
        )
    ) as is_as_today,
    dates_anchored.first_recorded_on,
    dates_anchored.anchor_hierarchy_date
from dates_anchored
cross join kinds
cross join as_of_dates
left join last_changes
    on kinds.roster_kind = last_changes.roster_kind
left join changes
    on kinds.roster_kind = changes.roster_kind
    and dates_anchored.evaluation_date >= changes.changed_on
group by
    dates_anchored.evaluation_date, dates_anchored.hierarchy_date, dates_anchored.first_recorded_on, dates_anchored.anchor_hierarchy_date, kinds.roster_kind,
    last_changes.last_changed_on, as_of_dates.hierarchy_date, as_of_dates.is_forward
