-- Every evaluation (type x date), with a fingerprint of all that its result follows from: the type and its tiers, the sales,
-- orders, contracts and costs in its window, who had appeared and belonged to whom, the decisions of people. A month-end whose
-- fingerprint stands in what earlier runs kept is closed and not due again; the as-of date always is (R18).
-- own_metric says where a member's own part of the metric is found. Costs are known by customer and whole month: is_costed says whether
-- they can be told for the window, summary_fingerprint adds them for what shows them beside the tiers. Hashes are summed, so no
-- order matters. With hysteresis a month follows from all months before it, and so does its fingerprint.
with

segment_types as (
    select
        *,
        case
            when identity_basis = 'id' and hierarchy_level = 'customer' then 'entity'
            when metric in ('net_sales', 'gross_margin') and metric_basis = 'actual' and outlier_treatment = 'flag' then metric
            else 'summed'
        end as own_metric,
        {{ key_hash(['segment_type_id', 'organisation_id', 'identity_basis', 'hierarchy_level', 'metric', 'metric_basis', 'min_net_sales',
            'new_customer_days', 'outlier_treatment', 'boundary', 'method', 'ties', 'denominator', 'hysteresis_months']) }} as type_hash
    from {{ ref('int_segment_types') }}
),

tiers as (
    select
        segment_type_id,
        {{ sum_of_hashes(['tier', 'tier_rank', 'sales_share', 'minimum_amount', 'is_default', 'is_excluded']) }} as tiers_hash
    from {{ ref('int_segment_tiers') }}
    group by segment_type_id
),

filters as (
    select segment_type_id, filter_kind, filter_value from {{ ref('int_segment_type_filters') }}
),

filtered_types as (
    select distinct segment_type_id from filters
),

evaluations as (
    select
        windows.*,
        evaluation_dates.is_as_of,
        evaluation_dates.is_month_end,
        evaluation_dates.hierarchy_date,
        windows.entity = 'customer'
        and windows.window_from = {{ month_start('windows.window_from') }}
        and windows.window_to = {{ month_end('windows.window_to') }}
        and filtered_types.segment_type_id is null as is_costed
    from {{ ref('int_segment_windows') }} as windows
    inner join {{ ref('int_evaluation_dates') }} as evaluation_dates
        on windows.evaluation_date = evaluation_dates.evaluation_date
    left join filtered_types
        on windows.segment_type_id = filtered_types.segment_type_id
),

periods as (
    select
        entity,
        is_month,
        period_from,
        period_to,
        month_from,
        month_to,
        branch_id,
        brand,
        {{ sum_of_hashes(['member_id', 'line_count', 'net_sales', 'cost', 'gross_margin', 'quantity']) }} as sales_hash
    from {{ ref('int_sales_summed_to_periods') }}
    group by entity, is_month, period_from, period_to, month_from, month_to, branch_id, brand
),

sales as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        sum(periods.sales_hash) as sales_hash
    from evaluations
    inner join periods
        on evaluations.entity = periods.entity
        and evaluations.window_from <= periods.period_from
        and evaluations.window_to >= periods.period_to
        and periods.is_month = (evaluations.window_from <= periods.month_from and evaluations.window_to >= periods.month_to)
    where (
        not exists (select 1 from filters where filters.segment_type_id = evaluations.segment_type_id and filters.filter_kind = 'branch')
        or exists (
            select 1 from filters
            where filters.segment_type_id = evaluations.segment_type_id and filters.filter_kind = 'branch' and filters.filter_value = periods.branch_id
        )
    )
    and (
        not exists (select 1 from filters where filters.segment_type_id = evaluations.segment_type_id and filters.filter_kind = 'brand')
        or exists (
            select 1 from filters
            where filters.segment_type_id = evaluations.segment_type_id and filters.filter_kind = 'brand' and filters.filter_value = periods.brand
        )
    )
    group by evaluations.segment_type_id, evaluations.evaluation_date
),

order_days as (
    select entity, filter_set_id, invoice_date, {{ sum_of_hashes(['member_id', 'previous_on', 'order_count']) }} as orders_hash
    from {{ ref('int_orders_counted') }}
    group by entity, filter_set_id, invoice_date
),

orders as (
    select evaluations.segment_type_id, evaluations.evaluation_date, sum(order_days.orders_hash) as orders_hash
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.metric = 'order_count'
    inner join order_days
        on evaluations.entity = order_days.entity
        and evaluations.filter_set_id = order_days.filter_set_id
        and order_days.invoice_date between evaluations.window_from and evaluations.window_to
    group by evaluations.segment_type_id, evaluations.evaluation_date
),

-- All orders and not those of candidates alone: who is one depends on days a closed month does not look at.
outlier_order_days as (
    select
        filter_set_id,
        invoice_date,
        {{ sum_of_hashes(['customer_id', 'order_key', 'invoice_line_count', 'net_sales', 'gross_margin', 'quantity']) }} as outlier_orders_hash
    from {{ ref('int_orders_summed_to_days') }}
    group by filter_set_id, invoice_date
),

outlier_orders as (
    select evaluations.segment_type_id, evaluations.evaluation_date, sum(outlier_order_days.outlier_orders_hash) as outlier_orders_hash
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
        and segment_types.outlier_treatment in ('cap', 'exclude')
    inner join outlier_order_days
        on evaluations.filter_set_id = outlier_order_days.filter_set_id
        and outlier_order_days.invoice_date between evaluations.window_from and evaluations.window_to
    group by evaluations.segment_type_id, evaluations.evaluation_date
),

contracts as (
    select segment_type_id, evaluation_date, {{ sum_of_hashes(['contract_id', 'customer_id', 'amount']) }} as contracts_hash
    from {{ ref('int_contracts_valued') }}
    group by segment_type_id, evaluation_date
),

cost_months as (
    select cost_month, {{ sum_of_hashes(['customer_id', 'cost_to_serve']) }} as costs_hash
    from {{ ref('int_customer_costs_summed_to_months') }}
    group by cost_month
),

costs as (
    select evaluations.segment_type_id, evaluations.evaluation_date, sum(cost_months.costs_hash) as costs_hash
    from evaluations
    inner join cost_months
        on cost_months.cost_month between evaluations.window_from and evaluations.window_to
    where evaluations.is_costed
    group by evaluations.segment_type_id, evaluations.evaluation_date
),

population_days as (
    select
        entity,
        appeared_on,
        {{ sum_of_hashes(['member_id', 'organisation_id', 'stands_apart']) }} as members_hash,
        {{ sum_of_hashes(['member_id', 'vat_group_id']) }} as vat_groups_hash
    from {{ ref('int_segment_population') }}
    group by entity, appeared_on
),

population as (
    select
        dates.evaluation_date,
        population_days.entity,
        sum(population_days.members_hash) as members_hash,
        sum(population_days.vat_groups_hash) as vat_groups_hash
    from {{ ref('int_evaluation_dates') }} as dates
    inner join population_days
        on dates.evaluation_date >= population_days.appeared_on or not dates.is_month_end
    group by dates.evaluation_date, population_days.entity
),

first_invoice_days as (
    select entity, first_invoice_date, {{ sum_of_hashes(['member_id', 'first_invoice_date']) }} as first_invoices_hash
    from {{ ref('int_segment_population') }}
    group by entity, first_invoice_date
),

first_invoices as (
    select dates.evaluation_date, first_invoice_days.entity, sum(first_invoice_days.first_invoices_hash) as first_invoices_hash
    from {{ ref('int_evaluation_dates') }} as dates
    inner join first_invoice_days
        on dates.evaluation_date >= first_invoice_days.first_invoice_date
    group by dates.evaluation_date, first_invoice_days.entity
),

parent_days as (
    select
        rolled_up.hierarchy_date,
        population.appeared_on,
        {{ sum_of_hashes(['rolled_up.customer_id', 'rolled_up.ultimate_parent_id']) }} as parents_hash
    from {{ ref('int_customers_rolled_up') }} as rolled_up
    inner join {{ ref('int_segment_population') }} as population
        on rolled_up.customer_id = population.member_id
        and population.entity = 'customer'
    group by rolled_up.hierarchy_date, population.appeared_on
),

parents as (
    select dates.evaluation_date, sum(parent_days.parents_hash) as parents_hash
    from {{ ref('int_evaluation_dates') }} as dates
    inner join parent_days
        on dates.hierarchy_date = parent_days.hierarchy_date
        and (dates.evaluation_date >= parent_days.appeared_on or not dates.is_month_end)
    group by dates.evaluation_date
),

overrides as (
    select
        evaluations.segment_type_id,
        evaluations.evaluation_date,
        {{ sum_of_hashes(['overrides.override_id', 'overrides.entity_id', 'overrides.override_mode', 'overrides.tier', 'overrides.valid_from', 'overrides.valid_to']) }} as overrides_hash
    from evaluations
    inner join {{ ref('int_segment_overrides') }} as overrides
        on evaluations.segment_type_id = overrides.segment_type_id
        and evaluations.evaluation_date >= overrides.valid_from
        and (evaluations.evaluation_date <= overrides.valid_to or overrides.override_mode in ('clear', 'clear_all'))
        and overrides.is_effective
    group by evaluations.segment_type_id, evaluations.evaluation_date
),

hashes_joined as (
    select
        evaluations.*,
        segment_types.hysteresis_months,
        segment_types.hierarchy_level,
        segment_types.own_metric,
        segment_types.type_hash,
        tiers.tiers_hash,
        sales.sales_hash,
        orders.orders_hash,
        outlier_orders.outlier_orders_hash,
        contracts.contracts_hash,
        costs.costs_hash as window_costs_hash,
        case when segment_types.metric = 'net_profit_after_cost_to_serve' then costs.costs_hash end as costs_hash,
        population.members_hash,
        case when segment_types.identity_basis = 'vat' then population.vat_groups_hash end as vat_groups_hash,
        first_invoices.first_invoices_hash,
        case when segment_types.hierarchy_level = 'ultimate_parent' then parents.parents_hash end as parents_hash,
        overrides.overrides_hash,
        '{{ rules_version() }}|{{ var("outlier_multiple") }}|{{ var("outlier_minimum_amount") }}' as settings
    from evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    left join tiers
        on evaluations.segment_type_id = tiers.segment_type_id
    {% for name in ['sales', 'orders', 'outlier_orders', 'contracts', 'costs', 'overrides'] -%}
    left join {{ name }}
        on evaluations.segment_type_id = {{ name }}.segment_type_id
        and evaluations.evaluation_date = {{ name }}.evaluation_date
    {% endfor -%}
    {% for name in ['population', 'first_invoices'] -%}
    left join {{ name }}
        on evaluations.entity = {{ name }}.entity
        and evaluations.evaluation_date = {{ name }}.evaluation_date
    {% endfor -%}
    left join parents
        on evaluations.entity = 'customer'
        and evaluations.evaluation_date = parents.evaluation_date
),

own_hashes as (
    select
        *,
        cast({{ key_hash(['evaluation_date', 'window_from', 'window_to', 'settings', 'type_hash', 'tiers_hash', 'sales_hash', 'orders_hash', 'outlier_orders_hash', 'contracts_hash',
            'costs_hash', 'members_hash', 'vat_groups_hash', 'first_invoices_hash', 'parents_hash', 'overrides_hash']) }} as numeric(38, 0)) as own_hash
    from hashes_joined
),

fingerprints as (
    select
        *,
        cast(
            case
                when hysteresis_months = 0 then own_hash
                else sum(own_hash) over (partition by segment_type_id order by evaluation_date asc rows between unbounded preceding and current row)
            end as numeric(38, 0)
        ) as input_fingerprint
    from own_hashes
),

kept as (
    select segment_type_id, evaluation_date, input_fingerprint from {{ evaluations_kept() }} as evaluations_kept
)

select
    fingerprints.segment_type_id,
    fingerprints.entity,
    fingerprints.evaluation_date,
    fingerprints.evaluation_number,
    fingerprints.is_as_of,
    fingerprints.is_month_end,
    fingerprints.roster_id,
    case when fingerprints.hierarchy_level = 'ultimate_parent' then fingerprints.hierarchy_date else cast('1900-01-01' as date) end as roster_date,
    fingerprints.window_from,
    fingerprints.window_to,
    fingerprints.filter_set_id,
    fingerprints.scope_id,
    -- Stands for scope and date where millions of rows are joined.
    cast(dense_rank() over (order by fingerprints.scope_id asc, fingerprints.evaluation_date asc) as integer) as scope_number,
    fingerprints.own_metric,
    fingerprints.input_fingerprint,
    fingerprints.is_costed,
    case
        when fingerprints.is_costed
            then cast({{ key_hash(['fingerprints.input_fingerprint', 'fingerprints.window_costs_hash']) }} as numeric(38, 0))
        else fingerprints.input_fingerprint
    end as summary_fingerprint,
    fingerprints.is_as_of or kept.input_fingerprint is null as is_due
from fingerprints
left join kept
    on fingerprints.segment_type_id = kept.segment_type_id
    and fingerprints.evaluation_date = kept.evaluation_date
    and fingerprints.input_fingerprint = kept.input_fingerprint
