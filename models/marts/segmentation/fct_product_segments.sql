-- A product that sold nothing in the window has no steady demand: Z (R23).
select
    members.segment_type_id,
    members.family,
    members.version,
    members.status,
    members.member_id as product_id,
    members.as_of_date,
    members.entity_id,
    members.inherited_from,
    members.window_from,
    members.window_to,
    members.first_invoice_date,
    members.net_sales,
    members.cost,
    members.gross_margin,
    members.metric_amount,
    members.metric_amount_untreated,
    members.outlier_amount,
    members.outlier_order_count,
    members.eligible_amount,
    members.sales_rank,
    members.share_before,
    members.cumulative_share,
    members.computed_tier,
    members.reason_code,
    members.override_id,
    members.override_reason,
    members.tier,
    members.tier_source,
    members.distance_to_better_tier,
    members.distance_to_worse_tier,
    members.hysteresis_status,
    members.pending_tier,
    members.pending_months,
    coalesce(demand.xyz_class, 'Z') as xyz_class,
    case
        -- Of no whole month there is no mean.
        when {{ month_end(add_months(add_days('members.window_from', -1), 1)) }} <= members.window_to then coalesce(demand.monthly_quantity_mean, 0)
    end as monthly_quantity_mean,
    demand.squared_variation,
    members.tier || coalesce(demand.xyz_class, 'Z') as abc_xyz
from {{ ref('int_segment_members_described') }} as members
left join {{ ref('int_product_demand_classified') }} as demand
    on members.segment_type_id = demand.segment_type_id
    and members.member_id = demand.product_id
where members.entity = 'product'
