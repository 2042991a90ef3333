-- Orders per member and day, for the types that count them (R12): an order is counted on every day it was invoiced on,
-- with the day before that it was. In a window it counts once, on the day whose predecessor lies before the window; so an
-- order delivered in parts is one order whatever the window, and the counts of days can be added.
with

filter_sets as (
    select distinct windows.entity, windows.filter_set_id
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_segment_types') }} as segment_types
        on windows.segment_type_id = segment_types.segment_type_id
    where segment_types.metric = 'order_count'
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

filter_sets_described as (
    select
        filter_sets.*,
        exists(select 1 from branches where branches.filter_set_id = filter_sets.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = filter_sets.filter_set_id) as has_brands
    from filter_sets
),

invoice_lines as (
    select customer_id, product_id, order_key, invoice_date, branch_id, brand
    from {{ ref('fct_invoice_lines') }}
    where document_type = 'invoice'
),

order_days as (
    {% for entity in ['customer', 'product'] %}
    select distinct
        '{{ entity }}' as entity,
        filter_sets_described.filter_set_id,
        invoice_lines.{{ entity }}_id as member_id,
        invoice_lines.order_key,
        invoice_lines.invoice_date
    from invoice_lines
    inner join filter_sets_described
        on filter_sets_described.entity = '{{ entity }}'
    left join branches
        on filter_sets_described.filter_set_id = branches.filter_set_id
        and invoice_lines.branch_id = branches.branch_id
    left join brands
        on filter_sets_described.filter_set_id = brands.filter_set_id
        and invoice_lines.brand = brands.brand
    where (not filter_sets_described.has_branches or branches.branch_id is not null)
        and (not filter_sets_described.has_brands or brands.brand is not null)
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

days_linked as (
    select
        *,
        lag(invoice_date) over (partition by entity, filter_set_id, member_id, order_key order by invoice_date asc) as previous_on
    from order_days
)

select
    entity,
    filter_set_id,
    member_id,
    invoice_date,
    previous_on,
    count(*) as order_count
from days_linked
group by entity, filter_set_id, member_id, invoice_date, previous_on
