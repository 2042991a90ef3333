-- Who is in the best tier of the default type and has not been invoiced for three months? A question for the sales
-- meeting; compile it and run what stands in target/compiled.
select
    segments.customer_id,
    customers.name,
    customers.sales_rep_id,
    segments.tier,
    segments.net_sales,
    customers.last_invoice_date
from {{ ref('fct_customer_segments') }} as segments
inner join {{ ref('dim_customers') }} as customers
    on segments.customer_id = customers.customer_id
    and segments.segment_type_id = customers.default_segment_type_id
inner join {{ ref('dim_segment_tiers') }} as tiers
    on segments.segment_type_id = tiers.segment_type_id
    and segments.tier = tiers.tier
where tiers.tier_rank = 1
    and customers.last_invoice_date < {{ add_days('segments.as_of_date', -90) }}
order by segments.net_sales desc, segments.customer_id asc
