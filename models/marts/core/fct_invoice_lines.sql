-- A view: int_invoice_lines_judged has already written every line once.
select
    invoice_id,
    line_number,
    source_system,
    document_type,
    invoice_date,
    due_on,
    paid_on,
    order_id,
    original_invoice_id,
    order_key,
    customer_id,
    billed_customer_id,
    product_id,
    brand,
    branch_id,
    sales_rep_id,
    quantity,
    currency,
    net_amount,
    net_sales,
    cost,
    gross_margin,
    loaded_at
from {{ ref('int_invoice_lines_judged') }}
where record_status = 'staged'
