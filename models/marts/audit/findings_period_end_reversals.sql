-- Sales of the last days of a window that were credited soon after it had closed, and without which the entity would have lost its
-- tier: it would stand level with somebody in a worse tier, or behind (R3), or below what the type asks for. Looked at are the windows of
-- the as-of date and of the last twelve month-ends, each on the latest date that has it. A credit note counts at its own date
-- (R12), which is why the window still holds the sale; one that names no invoice reverses none: which, would be a guess.
{% set period_end_days = var('period_end_days') %}
{% set reversal_days = var('reversal_days') %}
with

segment_types as (
    select segment_type_id, method, min_net_sales
    from {{ ref('int_segment_types') }}
    where entity = 'customer' and metric = 'net_sales' and metric_basis = 'actual' and status = 'active'
),

evaluation_dates as (
    select evaluation_date, is_as_of, is_month_end, row_number() over (partition by is_month_end order by evaluation_date desc) as date_number
    from {{ ref('int_evaluation_dates') }}
),

evaluations as (
    select evaluations.segment_type_id, evaluations.filter_set_id, evaluations.window_to, max(evaluations.evaluation_date) as evaluation_date
    from {{ ref('int_segment_evaluations') }} as evaluations
    inner join segment_types
        on evaluations.segment_type_id = segment_types.segment_type_id
    inner join evaluation_dates
        on evaluations.evaluation_date = evaluation_dates.evaluation_date
    where evaluation_dates.is_as_of or (evaluation_dates.is_month_end and evaluation_dates.date_number <= 12)
    group by evaluations.segment_type_id, evaluations.filter_set_id, evaluations.window_to
),

branches as (
    select segment_type_id as filter_set_id, filter_value as branch_id from {{ ref('int_segment_type_filters') }} where filter_kind = 'branch'
),

brands as (
    select segment_type_id as filter_set_id, filter_value as brand from {{ ref('int_segment_type_filters') }} where filter_kind = 'brand'
),

period_ends as (
    select distinct
        evaluations.filter_set_id,
        evaluations.window_to,
        exists(select 1 from branches where branches.filter_set_id = evaluations.filter_set_id) as has_branches,
        exists(select 1 from brands where brands.filter_set_id = evaluations.filter_set_id) as has_brands
    from evaluations
),

-- Few of all lines: what follows looks at nothing else.
credited_invoices as (
    select distinct original_invoice_id as invoice_id
    from {{ ref('fct_invoice_lines') }}
    where document_type = 'credit_note' and original_invoice_id is not null
),

lines as (
    select
        credited_invoices.invoice_id,
        lines.document_type,
        lines.customer_id,
        lines.invoice_date,
        lines.branch_id,
        lines.brand,
        lines.net_sales
    from credited_invoices
    inner join {{ ref('fct_invoice_lines') }} as lines
        on credited_invoices.invoice_id = case when lines.document_type = 'credit_note' then lines.original_invoice_id else lines.invoice_id end
),

invoices as (
    select invoice_id, customer_id, invoice_date as invoiced_on
    from lines
    where document_type = 'invoice'
    group by invoice_id, customer_id, invoice_date
),

invoices_at_period_ends as (
    select period_ends.*, invoices.invoice_id, invoices.customer_id
    from invoices
    inner join period_ends
        on invoices.invoiced_on between {{ add_days('period_ends.window_to', 1 - period_end_days) }} and period_ends.window_to
),

-- What the scope of a type sees of each: in the window, and credited after it.
invoices_summed as (
    select
        invoices.filter_set_id,
        invoices.window_to,
        invoices.invoice_id,
        invoices.customer_id,
        cast(sum(case when lines.document_type = 'invoice' then lines.net_sales else 0 end) as numeric(18, 2)) as invoiced_amount,
        cast(sum(case when lines.invoice_date <= invoices.window_to then lines.net_sales else 0 end) as numeric(18, 2)) as amount_in_window,
        cast(sum(case when lines.invoice_date > invoices.window_to then -lines.net_sales else 0 end) as numeric(18, 2)) as amount_credited,
        max(case when lines.invoice_date > invoices.window_to then lines.invoice_date end) as last_credited_on
    from invoices_at_period_ends as invoices
    inner join lines
        on invoices.invoice_id = lines.invoice_id
        and {{ add_days('invoices.window_to', reversal_days) }} >= lines.invoice_date
    left join branches
        on invoices.filter_set_id = branches.filter_set_id
        and lines.branch_id = branches.branch_id
    left join brands
        on invoices.filter_set_id = brands.filter_set_id
        and lines.brand = brands.brand
    where (not invoices.has_branches or branches.branch_id is not null)
        and (not invoices.has_brands or brands.brand is not null)
    group by invoices.filter_set_id, invoices.window_to, invoices.invoice_id, invoices.customer_id
),

-- A credit note takes back no more than the window still holds of its invoice.
reversals as (
    select *, least(amount_credited, amount_in_window, invoiced_amount) as reversed_amount
    from invoices_summed
    where amount_credited > 0 and amount_in_window > 0 and invoiced_amount > 0
),

members as (
    select
        evaluated.segment_type_id,
        evaluated.evaluation_date,
        evaluations.filter_set_id,
        evaluations.window_to,
        evaluated.member_id,
        coalesce(evaluated.inherited_from, evaluated.member_id) as entity_id,
        evaluated.metric_amount,
        evaluated.computed_tier_rank,
        evaluated.is_head
    from evaluations
    inner join {{ ref('int_segment_members_evaluated') }} as evaluated
        on evaluations.segment_type_id = evaluated.segment_type_id
        and evaluations.evaluation_date = evaluated.evaluation_date
    where evaluated.reason_code = 'ranked'
),

tiers as (
    select segment_type_id, tier_rank, tier, minimum_amount from {{ ref('int_segment_tiers') }}
),

lowest_tiers as (
    select segment_type_id, lowest_rank from {{ ref('int_segment_type_cuts') }}
),

entities_summed as (
    select
        members.segment_type_id,
        members.evaluation_date,
        members.window_to,
        members.entity_id,
        max(members.metric_amount) as metric_amount,
        max(members.computed_tier_rank) as computed_tier_rank,
        count(*) as invoice_count,
        cast(sum(reversals.invoiced_amount) as numeric(18, 2)) as invoiced_amount,
        cast(sum(reversals.reversed_amount) as numeric(18, 2)) as reversed_amount,
        max(reversals.last_credited_on) as last_credited_on
    from reversals
    inner join members
        on reversals.filter_set_id = members.filter_set_id
        and reversals.window_to = members.window_to
        and reversals.customer_id = members.member_id
    group by members.segment_type_id, members.evaluation_date, members.window_to, members.entity_id
),

-- int_segment_tier_bounds knows the as-of date only.
largest_amounts as (
    select segment_type_id, evaluation_date, computed_tier_rank as tier_rank, max(metric_amount) as largest_amount
    from members
    where is_head
    group by segment_type_id, evaluation_date, computed_tier_rank
),

amounts_compared as (
    select
        entities_summed.segment_type_id,
        entities_summed.evaluation_date,
        entities_summed.window_to,
        entities_summed.entity_id,
        entities_summed.metric_amount,
        entities_summed.computed_tier_rank,
        entities_summed.invoice_count,
        entities_summed.invoiced_amount,
        entities_summed.reversed_amount,
        entities_summed.last_credited_on,
        entities_summed.metric_amount - entities_summed.reversed_amount as amount_without,
        max(largest_amounts.largest_amount) as worse_amount
    from entities_summed
    left join largest_amounts
        on entities_summed.segment_type_id = largest_amounts.segment_type_id
        and entities_summed.evaluation_date = largest_amounts.evaluation_date
        and entities_summed.computed_tier_rank < largest_amounts.tier_rank
    group by
        entities_summed.segment_type_id, entities_summed.evaluation_date, entities_summed.window_to, entities_summed.entity_id,
        entities_summed.metric_amount, entities_summed.computed_tier_rank, entities_summed.invoice_count, entities_summed.invoiced_amount,
        entities_summed.reversed_amount, entities_summed.last_credited_on
),

found as (
    select
        amounts_compared.segment_type_id || '|' || amounts_compared.entity_id || '|' || cast(amounts_compared.window_to as {{ dbt.type_string() }}) as finding_id,
        amounts_compared.segment_type_id,
        amounts_compared.entity_id,
        amounts_compared.window_to,
        amounts_compared.evaluation_date,
        tiers.tier as computed_tier,
        amounts_compared.invoice_count,
        amounts_compared.invoiced_amount,
        amounts_compared.reversed_amount,
        amounts_compared.last_credited_on,
        cast(amounts_compared.metric_amount as numeric(18, 2)) as metric_amount,
        cast(amounts_compared.amount_without as numeric(18, 2)) as amount_without
    from amounts_compared
    inner join segment_types
        on amounts_compared.segment_type_id = segment_types.segment_type_id
    inner join lowest_tiers
        on amounts_compared.segment_type_id = lowest_tiers.segment_type_id
    inner join tiers
        on amounts_compared.segment_type_id = tiers.segment_type_id
        and amounts_compared.computed_tier_rank = tiers.tier_rank
    where amounts_compared.computed_tier_rank <> lowest_tiers.lowest_rank
        and (
            amounts_compared.amount_without <= 0
            or amounts_compared.amount_without < segment_types.min_net_sales
            or case segment_types.method
                when 'absolute' then amounts_compared.amount_without < tiers.minimum_amount
                else amounts_compared.amount_without <= amounts_compared.worse_amount
            end
        )
)

select * from found
where {{ is_open_finding('findings_period_end_reversals') }}
