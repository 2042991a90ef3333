{{ stage_invoice_lines() }}
