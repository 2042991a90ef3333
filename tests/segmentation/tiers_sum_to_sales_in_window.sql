-- Guards R11 and R16: the tiers of a type without branch or brand hold all sales of its members in its window, whatever the level it
-- ranks. The lines are summed to days and ERPs first; an ERP belongs to one organisation, and so do its customers and products.
with

days_summed as (
    select
        source_system,
        invoice_date,
        sum(net_sales) as customer_net_sales,
        -- The unknown product is a member of no type.
        sum(case when product_id <> 'unknown' then net_sales else 0 end) as product_net_sales
    from {{ ref('fct_invoice_lines') }}
    group by source_system, invoice_date
),

erps as (
    select distinct source_system, organisation_id
    from {{ ref('dim_customers') }}
),

filtered_types as (
    select {{ cell_text('segment_type_id') }} as segment_type_id
    from {{ ref('segment_type_branches') }}
    union
    select {{ cell_text('segment_type_id') }} as segment_type_id
    from {{ ref('segment_type_brands') }}
),

windows as (
    select
        segment_types.segment_type_id,
        segment_types.entity,
        segment_types.organisation_id,
        windows_evaluated.evaluation_date,
        windows_evaluated.window_from,
        windows_evaluated.window_to
    from {{ ref('dim_segment_types') }} as segment_types
    inner join {{ ref('int_segment_windows') }} as windows_evaluated
        on segment_types.segment_type_id = windows_evaluated.segment_type_id
    left join filtered_types
        on segment_types.segment_type_id = filtered_types.segment_type_id
    where filtered_types.segment_type_id is null
),

expected as (
    select
        windows.segment_type_id,
        windows.evaluation_date,
        sum(case windows.entity when 'product' then days_summed.product_net_sales else days_summed.customer_net_sales end) as net_sales
    from windows
    inner join days_summed
        on windows.window_from <= days_summed.invoice_date
        and windows.window_to >= days_summed.invoice_date
    inner join erps
        on days_summed.source_system = erps.source_system
        and (windows.organisation_id is null or windows.organisation_id = erps.organisation_id)
    group by windows.segment_type_id, windows.evaluation_date
),

tiers_summed as (
    select
        summary.segment_type_id,
        summary.as_of_date as evaluation_date,
        sum(summary.net_sales) as net_sales
    from {{ ref('fct_segment_summary') }} as summary
    left join filtered_types
        on summary.segment_type_id = filtered_types.segment_type_id
    where filtered_types.segment_type_id is null
    group by summary.segment_type_id, summary.as_of_date
)

select
    coalesce(expected.segment_type_id, tiers_summed.segment_type_id) as segment_type_id,
    coalesce(expected.evaluation_date, tiers_summed.evaluation_date) as evaluation_date,
    coalesce(expected.net_sales, 0) as net_sales_in_window,
    coalesce(tiers_summed.net_sales, 0) as net_sales_of_tiers
from expected
full outer join tiers_summed
    on expected.segment_type_id = tiers_summed.segment_type_id
    and expected.evaluation_date = tiers_summed.evaluation_date
where coalesce(expected.net_sales, 0) <> coalesce(tiers_summed.net_sales, 0)
