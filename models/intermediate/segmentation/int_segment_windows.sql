-- R11: the window of every evaluated type on every evaluation date, bounds included. Types that look at the same
-- entity, window, branches and brands share a scope, so their sales are summed once; those with the same branches and
-- brands share a filter set, whatever their window; those that rank the same customers at the same level share a roster. Each is
-- named after one of the types that share it. evaluation_number stands for type and date where millions of rows are joined.
{# Its length in front keeps a name with a comma apart from two names. #}
{% set counted_value = "cast(length(filter_value) as " ~ dbt.type_string() ~ ") || ':' || filter_value" %}
with

segment_types as (
    select segment_type_id, entity, organisation_id, identity_basis, hierarchy_level, timespan_months, {{ adapter.quote('interval') }} as window_interval, fiscal_year_start_month, window_end
    from {{ ref('int_segment_types') }}
    where status <> 'retired'
),

evaluation_dates as (
    select evaluation_date from {{ ref('int_evaluation_dates') }}
),

branch_lists as (
    select segment_type_id, {{ dbt.listagg(counted_value, "','", 'order by filter_value') }} as branch_list
    from {{ ref('int_segment_type_filters') }}
    where filter_kind = 'branch'
    group by segment_type_id
),

brand_lists as (
    select segment_type_id, {{ dbt.listagg(counted_value, "','", 'order by filter_value') }} as brand_list
    from {{ ref('int_segment_type_filters') }}
    where filter_kind = 'brand'
    group by segment_type_id
),

ends_found as (
    select
        segment_types.*,
        evaluation_dates.evaluation_date,
        case
            when segment_types.window_end = 'as_of_date' then evaluation_dates.evaluation_date
            -- A month's last day completes it: the day after is then the first of the next month.
            else {{ add_days(month_start(add_days('evaluation_dates.evaluation_date', 1)), -1) }}
        end as last_day
    from segment_types
    cross join evaluation_dates
),

fiscal_years_found as (
    select
        *,
        -- Months since the last fiscal year that is complete on last_day.
        mod(
            cast(extract(month from {{ add_days('last_day', 1) }}) as integer) - fiscal_year_start_month + 12,
            12
        ) as months_since_year_end
    from ends_found
),

windows as (
    select
        segment_type_id,
        entity,
        organisation_id,
        identity_basis,
        hierarchy_level,
        evaluation_date,
        case
            when window_interval = 'fixed_year' then {{ add_months(month_start(add_days('last_day', 1)), '-months_since_year_end - 12') }}
            -- Whole months where the last day completes one; else the day after the same day some months ago, so that
            -- no day of the year is in it twice.
            when last_day = {{ month_end('last_day') }} then {{ add_months(add_days('last_day', 1), '-timespan_months') }}
            else {{ add_days(add_months('last_day', '-timespan_months'), 1) }}
        end as window_from,
        case
            when window_interval = 'fixed_year' then {{ add_days(add_months(month_start(add_days('last_day', 1)), '-months_since_year_end'), -1) }}
            else last_day
        end as window_to
    from fiscal_years_found
)

select
    windows.segment_type_id,
    windows.entity,
    windows.evaluation_date,
    cast(row_number() over (
        order by windows.entity asc, windows.segment_type_id asc, windows.evaluation_date asc
    ) as integer) as evaluation_number,
    windows.window_from,
    windows.window_to,
    min(windows.segment_type_id) over (
        partition by windows.entity, windows.organisation_id, windows.identity_basis, windows.hierarchy_level
        rows between unbounded preceding and unbounded following
    ) as roster_id,
    min(windows.segment_type_id) over (
        partition by windows.entity, branch_lists.branch_list, brand_lists.brand_list
        rows between unbounded preceding and unbounded following
    ) as filter_set_id,
    min(windows.segment_type_id) over (
        partition by
            windows.entity, windows.evaluation_date, windows.window_from, windows.window_to,
            branch_lists.branch_list, brand_lists.brand_list
        rows between unbounded preceding and unbounded following
    ) as scope_id
from windows
left join branch_lists
    on windows.segment_type_id = branch_lists.segment_type_id
left join brand_lists
    on windows.segment_type_id = brand_lists.segment_type_id
