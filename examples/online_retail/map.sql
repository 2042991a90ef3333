-- From the UCI Online Retail data set to the raw contract: one statement per raw table.
-- The runner sets two variables: `data`, the folder of the source file, and `raw`, the folder Stratum reads.
--
-- One flat file of invoice lines is all there is: customers and products are what the lines say about them.
-- Nothing is cleaned on the way. Lines without a customer and exact copies arrive as they are, because whatever
-- a mapping drops silently can never be reconciled; Stratum quarantines and supersedes them in the open.
--
-- loaded_at is derived and not the clock: a document lands at two in the morning after its date, master data
-- before the first document. Two runs therefore write the same rows, and `known_on` can replay any night.

-- Numbers stand as decimals in text (17850.0), so identifiers lose theirs.
-- Stock codes differ in case only (85123A, 85123a) where somebody typed them: 4,070 spellings of 3,958 codes.
create or replace temporary view source_lines as
select
    InvoiceNo as invoice_id,
    upper(trim(StockCode)) as product_id,
    nullif(trim(Description), '') as description,
    cast(Quantity as decimal(18, 3)) as quantity,
    cast(UnitPrice as decimal(12, 3)) as unit_price,
    cast(InvoiceDate as timestamp) as invoiced_at,
    split_part(CustomerID, '.', 1) as customer_id,
    Country as country_name,
    -- There are no line numbers. The rank of a line's whole content within its document gives equal lines the
    -- same number, so that Stratum sees an exact copy, and different lines different ones; it does not depend
    -- on the order of the file.
    dense_rank() over (
        partition by InvoiceNo
        order by StockCode, Description, Quantity, UnitPrice, InvoiceDate, CustomerID, Country
    ) as line_number
from read_parquet(getvariable('data') || '/online_retail.parquet');

create or replace macro landed_after(moment) as date_trunc('day', moment) + interval '1 day 2 hours';

create or replace macro master_data_landed() as timestamp '2010-12-01 02:00:00';


-- The customer's latest invoice says where the customer is: 8 of 4,372 have been invoiced in two countries.
-- The data set writes countries as words; the words stay in region, because three of them are no country.
copy (
    with

    country_codes (country_name, country) as (
        values
        ('Australia', 'AU'), ('Austria', 'AT'), ('Bahrain', 'BH'), ('Belgium', 'BE'), ('Brazil', 'BR'),
        ('Canada', 'CA'), ('Cyprus', 'CY'), ('Czech Republic', 'CZ'), ('Denmark', 'DK'), ('EIRE', 'IE'),
        ('Finland', 'FI'), ('France', 'FR'), ('Germany', 'DE'), ('Greece', 'GR'), ('Hong Kong', 'HK'),
        ('Iceland', 'IS'), ('Israel', 'IL'), ('Italy', 'IT'), ('Japan', 'JP'), ('Lebanon', 'LB'),
        ('Lithuania', 'LT'), ('Malta', 'MT'), ('Netherlands', 'NL'), ('Norway', 'NO'), ('Poland', 'PL'),
        ('Portugal', 'PT'), ('RSA', 'ZA'), ('Saudi Arabia', 'SA'), ('Singapore', 'SG'), ('Spain', 'ES'),
        ('Sweden', 'SE'), ('Switzerland', 'CH'), ('USA', 'US'), ('United Arab Emirates', 'AE'),
        ('United Kingdom', 'GB')
    ),

    customers as (
        select customer_id, arg_max(country_name, (invoiced_at, invoice_id)) as country_name
        from source_lines
        where customer_id is not null
        group by customer_id
    )

    select
        customers.customer_id,
        cast(null as varchar) as name,
        cast(null as varchar) as vat_number,
        cast(null as varchar) as parent_customer_id,
        country_codes.country,
        customers.country_name as region,
        cast(null as varchar) as city,
        cast(null as varchar) as postal_code,
        cast(null as varchar) as industry,
        cast(null as varchar) as branch_id,
        cast(null as varchar) as sales_rep_id,
        cast(null as integer) as payment_terms_days,
        cast(null as decimal(18, 2)) as credit_limit,
        cast(null as varchar) as credit_status,
        cast(null as varchar) as customer_kind,
        cast(null as date) as created_on,
        cast(null as boolean) as is_active,
        'online_retail' as source_system,
        master_data_landed() as loaded_at
    from customers
    left join country_codes
        on customers.country_name = country_codes.country_name
    order by customers.customer_id
) to (getvariable('raw') || '/erp/customers.parquet') (format parquet);


-- Postage, fees, vouchers and corrections by hand stand among the stock codes, some under five digits like goods.
-- They are named one by one, because no pattern of the code tells them apart.
copy (
    with

    service_codes (product_id, kind) as (
        values
        ('POST', 'freight'), ('DOT', 'freight'), ('C2', 'freight'), ('23444', 'freight'),
        ('D', 'discount'), ('M', 'manual adjustment'), ('B', 'bad debt'), ('S', 'sample'),
        ('AMAZONFEE', 'fee'), ('BANK CHARGES', 'fee'), ('CRUK', 'fee'),
        ('GIFT_0001_10', 'gift voucher'), ('GIFT_0001_20', 'gift voucher'), ('GIFT_0001_30', 'gift voucher'),
        ('GIFT_0001_40', 'gift voucher'), ('GIFT_0001_50', 'gift voucher'), ('22016', 'gift voucher')
    ),

    -- Warehouse remarks (damaged, thrown away, ?) stand in the same column, always on a line without a price, so
    -- the lines with a price name the product. Where two names are equally frequent, the alphabet decides.
    descriptions_counted as (
        select product_id, description, count(*) as line_count
        from source_lines
        where description is not null and unit_price <> 0
        group by product_id, description
    ),

    names as (
        select product_id, arg_min(description, (-line_count, description)) as name
        from descriptions_counted
        group by product_id
    ),

    products as (
        select distinct product_id
        from source_lines
    )

    select
        products.product_id,
        names.name,
        cast(null as varchar) as brand,
        case when service_codes.product_id is null then 'goods' else 'service' end as category,
        service_codes.kind as subcategory,
        cast(null as decimal(18, 6)) as unit_cost,
        cast(null as decimal(18, 6)) as list_price,
        cast(null as date) as launched_on,
        cast(null as date) as discontinued_on,
        'online_retail' as source_system,
        master_data_landed() as loaded_at
    from products
    left join names
        on products.product_id = names.product_id
    left join service_codes
        on products.product_id = service_codes.product_id
    order by products.product_id
) to (getvariable('raw') || '/erp/products.parquet') (format parquet);


-- The first letter tells the kind of document. Writing off a bad debt (A) takes nothing back that was sold: its
-- own document type keeps it out of sales for that reason, and would even if somebody filled in the customer.
-- A document without a customer keeps its empty cell; Stratum quarantines it and its money stays visible.
copy (
    select
        invoice_id,
        -- One value per document; `max` would take a filled cell over an empty one.
        max(customer_id) as customer_id,
        -- 43 documents were written across two minutes; none across two days.
        cast(min(invoiced_at) as date) as invoice_date,
        case left(invoice_id, 1)
            when 'C' then 'credit_note'
            when 'A' then 'bad_debt_adjustment'
            else 'invoice'
        end as document_type,
        cast(null as varchar) as order_id,
        -- A credit note does not say what it credits, so it counts on its own customer (R12).
        cast(null as varchar) as original_invoice_id,
        cast(null as varchar) as branch_id,
        cast(null as varchar) as sales_rep_id,
        cast(null as date) as due_on,
        cast(null as date) as paid_on,
        'GBP' as currency,
        'online_retail' as source_system,
        landed_after(min(invoiced_at)) as loaded_at
    from source_lines
    group by invoice_id
    order by invoice_id
) to (getvariable('raw') || '/erp/invoices.parquet') (format parquet);


-- Only the price charged is known: list price, discount and cost are unknown (null), which is not the same as zero.
-- Quantities of credit notes are negative in the source, and so are the amounts.
copy (
    select
        invoice_id,
        cast(line_number as integer) as line_number,
        product_id,
        quantity,
        cast(null as decimal(18, 6)) as list_amount,
        cast(null as decimal(18, 6)) as discount_amount,
        cast(quantity * unit_price as decimal(18, 6)) as net_amount,
        cast(null as decimal(18, 6)) as cost_amount,
        'online_retail' as source_system,
        -- Lines land with their document, or copies of one line would differ in nothing but the minute.
        landed_after(min(invoiced_at) over (partition by invoice_id)) as loaded_at
    from source_lines
    order by invoice_id, line_number
) to (getvariable('raw') || '/erp/invoice_lines.parquet') (format parquet);
