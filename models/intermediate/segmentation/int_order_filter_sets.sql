-- R12, R14: the sets of branches and brands whose orders somebody counts or looks through for outliers, with the days that are needed.
select
    windows.filter_set_id,
    cast(row_number() over (order by windows.filter_set_id asc) as integer) as filter_set_number,
    min(windows.window_from) as first_day,
    max(windows.window_to) as last_day
from {{ ref('int_segment_windows') }} as windows
inner join {{ ref('int_segment_types') }} as segment_types
    on windows.segment_type_id = segment_types.segment_type_id
inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
    on windows.evaluation_date = evaluation_dates.evaluation_date
where windows.entity = 'customer'
    and segment_types.metric_basis = 'actual'
    and (evaluation_dates.is_as_of or segment_types.outlier_treatment in ('cap', 'exclude') or segment_types.metric = 'order_count')
group by windows.filter_set_id
