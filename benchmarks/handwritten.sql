-- The core results as directly as DuckDB can give them: one script for one configuration (benchmarks/configuration written out as
-- SQL), one date and raw data without a fault. It judges no cell, keeps no history, tells no reason beyond the tier, and would have to be written
-- anew for another configuration. Variable raw: the folder of the Parquet files.

-- ---- Customers: one hierarchy, one VAT number each (R8) ----

create table customers as
with recursive
landed as (
    select
        source_system || ':' || customer_id as customer_id,
        case source_system when 'erp_north' then 'north' when 'erp_south' then 'south' end as organisation_id,
        source_system || ':' || parent_customer_id as parent_id,
        coalesce(customer_kind, 'trade') in ('internal', 'test') as stands_apart,
        regexp_replace(upper(vat_number), '[^A-Z0-9]', '', 'g') as vat_number,
        upper(country) as country
    from read_parquet(getvariable('raw') || '/erp/customers.parquet')
),
climbed as (
    select customer_id, customer_id as ancestor_id, 0 as depth from landed
    union all
    select climbed.customer_id, parents.customer_id, climbed.depth + 1
    from climbed
    inner join landed on climbed.ancestor_id = landed.customer_id
    inner join landed as parents on landed.parent_id = parents.customer_id
    where climbed.depth < 64
)
select
    landed.customer_id,
    landed.organisation_id,
    landed.stands_apart,
    tops.ultimate_parent_id,
    coalesce('vat:' || case when length(regexp_replace(landed.vat_number, '[^0-9]', '', 'g')) >= 5
        then case when regexp_matches(landed.vat_number, '^[A-Z][A-Z]') then landed.vat_number else landed.country || landed.vat_number end
    end, landed.customer_id) as vat_group_id
from landed
inner join (select customer_id, max_by(ancestor_id, depth) as ultimate_parent_id from climbed group by customer_id) as tops
    on landed.customer_id = tops.customer_id;

-- ---- Rates of the days documents are of: the latest on or before (R13), in millionths ----

create table rates as
with
landed as (
    select
        case when to_currency = 'EUR' then from_currency else to_currency end as currency,
        from_currency = 'EUR' as is_inverse,
        rate_date,
        cast(rate * 1000000 as bigint) as rate
    from read_parquet(getvariable('raw') || '/erp/exchange_rates.parquet')
),
days as (
    select currency, cast(day as date) as day
    from (select distinct currency from landed)
    cross join generate_series(date '2015-01-01', date '2035-12-31', interval 1 day) as days (day)
)
select days.currency, days.day, landed.is_inverse, landed.rate
from days asof join landed on days.currency = landed.currency and days.day >= landed.rate_date;

create macro in_cents(cents, rate, is_inverse) as
case
    when rate is null then cents
    when is_inverse then sign(cents) * ((2 * abs(cents) * 1000000 + rate) // (2 * rate))
    else sign(cents) * ((2 * abs(cents) * rate + 1000000) // 2000000)
end;

-- ---- Invoice lines in cents of the reporting currency; a credit note counts on the customer of the invoice it corrects (R12) ----

create table invoice_lines as
with
invoices as (
    select * from read_parquet(getvariable('raw') || '/erp/invoices.parquet')
),
headers as (
    select
        invoices.source_system,
        invoices.invoice_id,
        invoices.invoice_date,
        invoices.document_type,
        invoices.source_system || ':' || coalesce(originals.customer_id, invoices.customer_id) as customer_id,
        invoices.source_system || ':' || invoices.branch_id as branch_id,
        rates.rate,
        rates.is_inverse
    from invoices
    left join invoices as originals
        on invoices.source_system = originals.source_system
        and invoices.original_invoice_id = originals.invoice_id
    left join rates on invoices.currency = rates.currency and invoices.invoice_date = rates.day
),
products as (
    select source_system, product_id, brand from read_parquet(getvariable('raw') || '/erp/products.parquet')
),
lines as (
    select
        lines.source_system || ':' || lines.invoice_id as invoice_id,
        cast(lines.line_number as integer) as line_number,
        headers.invoice_date,
        headers.document_type,
        headers.customer_id,
        coalesce(products.source_system || ':' || products.product_id, 'unknown') as product_id,
        headers.branch_id,
        products.brand,
        cast(lines.quantity as decimal(18, 4)) as quantity,
        in_cents(cast(lines.net_amount * 100 as bigint), headers.rate, headers.is_inverse) as net_sales,
        in_cents(cast(lines.cost_amount * 100 as bigint), headers.rate, headers.is_inverse) as cost
    from read_parquet(getvariable('raw') || '/erp/invoice_lines.parquet') as lines
    inner join headers on lines.source_system = headers.source_system and lines.invoice_id = headers.invoice_id
    left join products on lines.source_system = products.source_system and lines.product_id = products.product_id
)
select
    * exclude (net_sales, cost),
    cast(net_sales * 0.01 as decimal(18, 2)) as net_sales,
    cast(cost * 0.01 as decimal(18, 2)) as cost,
    cast((net_sales - cost) * 0.01 as decimal(18, 2)) as gross_margin
from lines;

create table sales as
select
    customer_id,
    product_id,
    date_trunc('month', invoice_date) as month,
    branch_id in ('erp_north:B01', 'erp_south:B01') and brand in ('Karovane', 'Vindelmo') as is_house_brand,
    count(*) as line_count,
    min(invoice_date) filter (where document_type = 'invoice') as first_invoiced_on,
    cast(sum(quantity) as decimal(18, 4)) as quantity,
    cast(sum(net_sales) as decimal(18, 2)) as net_sales,
    cast(coalesce(sum(gross_margin), 0) as decimal(18, 2)) as gross_margin
from invoice_lines
group by all;

-- ---- Cost pools by their drivers, to the cent (R15) ----

create table cost_allocations as
with
orders as (
    select source_system, order_id, source_system || ':' || customer_id as customer_id, date_trunc('month', order_date) as month
    from read_parquet(getvariable('raw') || '/erp/orders.parquet')
),
order_lines as (
    select source_system, order_id, count(*) as line_count
    from read_parquet(getvariable('raw') || '/erp/order_lines.parquet')
    group by all
),
quantities as (
    select 'order_processing' as cost_pool_id, customer_id, month, count(*) as quantity from orders group by all
    union all
    select 'customer_service', orders.customer_id, orders.month, sum(order_lines.line_count)
    from orders inner join order_lines using (source_system, order_id)
    group by all
    union all
    select 'credit_management', source_system || ':' || customer_id, date_trunc('month', invoice_date), count(*)
    from read_parquet(getvariable('raw') || '/erp/invoices.parquet')
    where document_type = 'invoice'
    group by all
    union all
    select 'sales_visits', customer_id, month, sum(net_sales) from sales group by all
    union all
    select 'returns_handling', customer_id, month, sum(quantity) from sales group by all
    union all
    select 'warehouse', source_system || ':' || customer_id, date_trunc('month', driver_month), sum(quantity)
    from read_parquet(getvariable('raw') || '/erp/driver_quantities.parquet')
    where driver = 'handling_minutes'
    group by all
),
ledger as (
    select
        ledger.cost_pool_id,
        date_trunc('month', ledger.ledger_month) as month,
        ledger.organisation_id,
        sum(in_cents(cast(ledger.amount * 100 as bigint), rates.rate, rates.is_inverse)) as cents
    from read_parquet(getvariable('raw') || '/erp/cost_ledger.parquet') as ledger
    left join rates on ledger.currency = rates.currency and last_day(ledger.ledger_month) = rates.day
    group by all
),
used as (
    select quantities.cost_pool_id, quantities.month, customers.organisation_id, quantities.customer_id, cast(quantities.quantity * 10000 as hugeint) as units
    from quantities
    inner join customers using (customer_id)
    where quantities.quantity > 0
),
volumes as (
    select
        ledger.cost_pool_id,
        ledger.month,
        ledger.organisation_id,
        abs(ledger.cents) as cents,
        sign(ledger.cents) as direction,
        used_in_all.units as units_used,
        greatest(used_in_all.units, case ledger.cost_pool_id when 'credit_management' then 10000000000 else 0 end) as divisor
    from ledger
    inner join (select cost_pool_id, month, organisation_id, sum(units) as units from used group by all) as used_in_all
        using (cost_pool_id, month, organisation_id)
),
claims as (
    select used.*, volumes.cents, volumes.divisor, volumes.direction from used inner join volumes using (cost_pool_id, month, organisation_id)
    union all
    select cost_pool_id, month, organisation_id, null, divisor - units_used, cents, divisor, direction from volumes where divisor > units_used
),
shares as (
    select *, cents * units // divisor as whole_cents, cents * units % divisor as remainder from claims
),
ranked as (
    select
        *,
        cents - sum(whole_cents) over (partition by cost_pool_id, month, organisation_id) as cents_left,
        row_number() over (
            partition by cost_pool_id, month, organisation_id order by remainder desc, units desc, customer_id asc nulls last
        ) as place
    from shares
)
select
    cost_pool_id,
    month as cost_month,
    organisation_id,
    customer_id,
    case when customer_id is null then 'unused_capacity' end as unallocated_reason,
    cast((whole_cents + case when place <= cents_left then 1 else 0 end) * direction * 0.01 as decimal(18, 2)) as amount
from ranked
union all
select cost_pool_id, month, organisation_id, null, 'organisation_level', cast(cents * 0.01 as decimal(18, 2)) from ledger where cost_pool_id = 'rent';

-- ---- Tiers (R1 to R8) ----

create table types (
    segment_type_id varchar, entity varchar, level varchar, metric varchar, window_from date, window_to date, min_net_sales decimal(18, 2),
    new_days integer, boundary varchar, cut_a decimal(5, 2), cut_b decimal(5, 2), default_tier varchar, excluded_tier varchar
);
insert into types
with
ends as (
    select
        last_document_on,
        cast(date_trunc('month', last_document_on + interval 1 day) as date) as next_month,
        cast(date_trunc('year', last_document_on + interval 1 day) as date) as next_year
    from (select max(invoice_date) as last_document_on from invoice_lines)
)
select
    types.segment_type_id, types.entity, types.level, types.metric,
    case when types.segment_type_id = 'north_margin' then next_year - interval 1 year else next_month - interval 1 year end,
    case when types.segment_type_id = 'north_margin' then next_year else next_month end - interval 1 day,
    types.min_net_sales, types.new_days, types.boundary, types.cut_a, types.cut_b, types.default_tier, types.excluded_tier
from ends
cross join (values
    ('sales_performance', 'customer', 'parent', 'net_sales', null, 90, 'upper', 0.80, 0.95, 'N', 'X'),
    ('sales_performance_per_customer', 'customer', 'customer', 'net_sales', null, 90, 'upper', 0.80, 0.95, 'N', 'C'),
    ('sales_by_vat_number', 'customer', 'vat', 'net_sales', null, 90, 'nearest', 0.80, 0.95, 'C', 'C'),
    ('north_margin', 'customer', 'parent', 'gross_margin', 500, 90, 'upper', 0.70, 0.90, 'C', 'X'),
    ('customer_profit', 'customer', 'parent', 'profit', null, 90, 'upper', 0.80, 0.95, 'C', 'C'),
    ('house_brands', 'customer', 'customer', 'house_quantity', 100, 90, 'upper', 0.50, 0.80, 'C', 'C'),
    ('product_abc', 'product', 'product', 'net_sales', null, 0, 'upper', 0.80, 0.95, 'C', 'C'),
    ('product_margin', 'product', 'product', 'gross_margin', null, 0, 'upper', 0.80, 0.95, 'C', 'C')
) as types (segment_type_id, entity, level, metric, min_net_sales, new_days, boundary, cut_a, cut_b, default_tier, excluded_tier);

create table segments as
with
first_invoices as (
    select 'customer' as entity, customer_id as member_id, min(first_invoiced_on) as first_invoiced_on from sales group by all
    union all
    select 'product', product_id, min(first_invoiced_on) from sales group by all
),
windows as (
    select distinct entity, window_from, window_to from types
),
metrics as (
    select
        windows.entity, windows.window_from, case windows.entity when 'customer' then sales.customer_id else sales.product_id end as member_id,
        sum(line_count) as line_count, sum(net_sales) as net_sales, sum(gross_margin) as gross_margin,
        coalesce(sum(line_count) filter (where is_house_brand), 0) as house_line_count,
        coalesce(sum(net_sales) filter (where is_house_brand), 0) as house_net_sales,
        coalesce(sum(quantity) filter (where is_house_brand), 0) as house_quantity
    from windows
    inner join sales on sales.month between windows.window_from and windows.window_to
    group by all
),
costs as (
    select 'profit' as metric, windows.window_from, cost_allocations.customer_id as member_id, sum(cost_allocations.amount) as cost_to_serve
    from windows
    inner join cost_allocations on cost_allocations.cost_month between windows.window_from and windows.window_to
    where windows.entity = 'customer' and cost_allocations.customer_id is not null
    group by all
),
members as (
    select 'customer' as entity, customer_id as member_id, organisation_id, stands_apart, ultimate_parent_id, vat_group_id from customers
    union all
    select 'product', source_system || ':' || product_id, null, false, null, null from read_parquet(getvariable('raw') || '/erp/products.parquet')
),
roster as (
    select
        types.*,
        members.member_id,
        members.stands_apart,
        case
            when members.stands_apart then members.member_id
            when types.level = 'parent' then members.ultimate_parent_id
            when types.level = 'vat' then members.vat_group_id
            else members.member_id
        end as entity_id
    from types
    inner join members on types.entity = members.entity and (types.segment_type_id <> 'north_margin' or members.organisation_id = 'north')
),
entities as (
    select
        roster.segment_type_id,
        roster.entity_id,
        roster.stands_apart,
        any_value(roster.min_net_sales) as min_net_sales,
        any_value(roster.boundary) as boundary,
        any_value(roster.cut_a) as cut_a,
        any_value(roster.cut_b) as cut_b,
        any_value(roster.default_tier) as default_tier,
        any_value(roster.excluded_tier) as excluded_tier,
        min(first_invoices.first_invoiced_on) as first_invoiced_on,
        any_value((select max(invoice_date) from invoice_lines) - roster.new_days) as last_day_of_known,
        coalesce(sum(case roster.metric when 'house_quantity' then metrics.house_line_count else metrics.line_count end), 0) as line_count,
        coalesce(sum(case roster.metric when 'house_quantity' then metrics.house_net_sales else metrics.net_sales end), 0) as net_sales,
        coalesce(sum(case roster.metric
            when 'net_sales' then metrics.net_sales
            when 'house_quantity' then metrics.house_quantity
            else metrics.gross_margin
        end), 0)
        - coalesce(sum(costs.cost_to_serve), 0) as metric_amount
    from roster
    left join metrics
        on roster.entity = metrics.entity and roster.window_from = metrics.window_from and roster.member_id = metrics.member_id
    left join costs on roster.metric = costs.metric and roster.window_from = costs.window_from and roster.member_id = costs.member_id
    left join first_invoices on roster.entity = first_invoices.entity and roster.member_id = first_invoices.member_id
    group by roster.segment_type_id, roster.entity_id, roster.stands_apart
),
judged as (
    select
        *,
        case
            when stands_apart then 'excluded'
            when coalesce(first_invoiced_on > last_day_of_known, true) then 'default_new'
            when line_count = 0 then 'no_sales_in_scope'
            when metric_amount <= 0 then 'non_positive_net_sales'
            when net_sales < coalesce(min_net_sales, net_sales) then 'below_min_net_sales'
            else 'ranked'
        end as reason_code
    from entities
),
placed as (
    select
        segment_type_id,
        entity_id,
        stands_apart,
        sum(metric_amount) over (partition by segment_type_id) as total,
        sum(metric_amount) over (partition by segment_type_id order by metric_amount desc range between unbounded preceding and current row)
        - count(*) over (partition by segment_type_id, metric_amount) * metric_amount as before
    from judged
    where reason_code = 'ranked'
),
tiers as (
    select
        judged.segment_type_id, judged.entity_id, judged.stands_apart, judged.metric_amount, judged.reason_code,
        case
            when judged.reason_code = 'excluded' then judged.excluded_tier
            when judged.reason_code = 'default_new' then judged.default_tier
            when judged.reason_code <> 'ranked' then 'C'
            when 2 * placed.before + case judged.boundary when 'nearest' then judged.metric_amount else 0 end < 2 * judged.cut_a * placed.total then 'A'
            when 2 * placed.before + case judged.boundary when 'nearest' then judged.metric_amount else 0 end < 2 * judged.cut_b * placed.total then 'B'
            else 'C'
        end as tier
    from judged
    left join placed
        on judged.segment_type_id = placed.segment_type_id and judged.entity_id = placed.entity_id and judged.stands_apart = placed.stands_apart
)
select
    roster.segment_type_id,
    roster.member_id,
    roster.entity_id,
    cast(tiers.metric_amount as decimal(18, 2)) as metric_amount,
    tiers.reason_code,
    tiers.tier
from roster
inner join tiers
    on roster.segment_type_id = tiers.segment_type_id and roster.entity_id = tiers.entity_id and roster.stands_apart = tiers.stands_apart;
