-- From the AdventureWorks sample database to the raw contract: one statement per raw table.
-- The runner sets two variables: `data`, the folder of the source files, and `raw`, the folder Stratum reads.
--
-- One export holds what a nightly loader would have landed bit by bit, so loaded_at is derived and not the clock:
-- a document lands at two in the morning after its date, master data before the first document.
-- Two runs therefore write the same rows, and `known_on` can replay any night.

-- Every cell is read as text and cast where it is used, so that no value is guessed from its neighbours.
create or replace macro source_table(file) as table
    select * from read_csv(getvariable('data') || '/' || file || '.csv.gz', header = true, all_varchar = true);

create or replace macro landed_after(day) as cast(day as timestamp) + interval '1 day 2 hours';

create or replace macro master_data_landed() as timestamp '2022-05-30 02:00:00';


-- Two kinds of customer share one number range: accounts of a store, and individuals.
-- A store has one or two accounts and is what the sales force visits, so it becomes a customer of its own,
-- without sales, above its accounts (R8). Account numbers are digits only: the prefix cannot collide.
copy (
    with

    stores as (
        select
            store.BusinessEntityID as store_id,
            trim(store.Name) as name,
            store.SalesPersonID as sales_rep_id,
            case store.BusinessType
                when 'BM' then 'bicycle manufacturer'
                when 'BS' then 'bicycle store'
                when 'OS' then 'online store'
            end as industry
        from source_table('Store') as store
    ),

    territories as (
        select TerritoryID as territory_id, Name as name, CountryRegionCode as country
        from source_table('SalesTerritory')
    ),

    accounts as (
        select CustomerID as customer_id, StoreID as store_id, TerritoryID as territory_id, AccountNumber as account_number
        from source_table('Customer')
    ),

    -- A store names no territory; all its accounts stand in the same one.
    store_territories as (
        select store_id, min(territory_id) as territory_id
        from accounts
        where store_id is not null
        group by store_id
    ),

    customers as (
        select
            'store-' || stores.store_id as customer_id,
            stores.name,
            cast(null as varchar) as parent_customer_id,
            store_territories.territory_id,
            stores.industry,
            stores.sales_rep_id
        from stores
        left join store_territories
            on stores.store_id = store_territories.store_id
        union all
        select
            accounts.customer_id,
            -- The persons behind individuals are not part of the data set; their account number is the name we have.
            coalesce(stores.name, accounts.account_number) as name,
            'store-' || accounts.store_id as parent_customer_id,
            accounts.territory_id,
            coalesce(stores.industry, 'individual') as industry,
            stores.sales_rep_id
        from accounts
        left join stores
            on accounts.store_id = stores.store_id
    )

    select
        customers.customer_id,
        customers.name,
        cast(null as varchar) as vat_number,
        customers.parent_customer_id,
        territories.country,
        territories.name as region,
        cast(null as varchar) as city,
        cast(null as varchar) as postal_code,
        customers.industry,
        customers.territory_id as branch_id,
        customers.sales_rep_id,
        cast(null as integer) as payment_terms_days,
        cast(null as decimal(18, 2)) as credit_limit,
        cast(null as varchar) as credit_status,
        cast(null as varchar) as customer_kind,
        -- The only date on a customer is that of the export, which says nothing about when the customer came.
        cast(null as date) as created_on,
        cast(null as boolean) as is_active,
        'adventureworks' as source_system,
        master_data_landed() as loaded_at
    from customers
    left join territories
        on customers.territory_id = territories.territory_id
    order by customers.customer_id
) to (getvariable('raw') || '/erp/customers.parquet') (format parquet);


-- Everything is the house brand, so the product line (road, mountain, touring, standard) takes the place of the
-- brand: it is what a brand-restricted segment type would be asked for. Components without a line stay without.
copy (
    select
        product.ProductID as product_id,
        trim(product.Name) as name,
        case trim(product.ProductLine)
            when 'R' then 'Road'
            when 'M' then 'Mountain'
            when 'T' then 'Touring'
            when 'S' then 'Standard'
        end as brand,
        category.Name as category,
        subcategory.Name as subcategory,
        -- Today's cost, for reference: the cost of a sale is on its invoice line.
        cast(product.StandardCost as decimal(18, 6)) as unit_cost,
        cast(product.ListPrice as decimal(18, 6)) as list_price,
        cast(cast(product.SellStartDate as timestamp) as date) as launched_on,
        -- DiscontinuedDate is never filled; the end of sale is.
        cast(cast(product.SellEndDate as timestamp) as date) as discontinued_on,
        'adventureworks' as source_system,
        master_data_landed() as loaded_at
    from source_table('Product') as product
    left join source_table('ProductSubcategory') as subcategory
        on product.ProductSubcategoryID = subcategory.ProductSubcategoryID
    left join source_table('ProductCategory') as category
        on subcategory.ProductCategoryID = category.ProductCategoryID
    order by product.ProductID
) to (getvariable('raw') || '/erp/products.parquet') (format parquet);


-- A sales territory is where a result is answered for, which is what Stratum calls a branch.
copy (
    select
        TerritoryID as branch_id,
        Name as name,
        "Group" as region,
        CountryRegionCode as country,
        'adventureworks' as source_system,
        master_data_landed() as loaded_at
    from source_table('SalesTerritory')
    order by TerritoryID
) to (getvariable('raw') || '/erp/branches.parquet') (format parquet);


-- Names and managers of the representatives stand in tables the data set leaves out.
copy (
    select
        BusinessEntityID as sales_rep_id,
        cast(null as varchar) as name,
        TerritoryID as branch_id,
        cast(null as varchar) as manager_id,
        'adventureworks' as source_system,
        master_data_landed() as loaded_at
    from source_table('SalesPerson')
    order by BusinessEntityID
) to (getvariable('raw') || '/erp/sales_reps.parquet') (format parquet);


-- The header's territory is not in the data set, so the customer's stands for it.
-- The representative comes from the header and not from the store: in 1,563 of 3,806 store orders they differ,
-- and the one who sold is not always the one who looks after the store now.
copy (
    select
        header.sales_order_id as order_id,
        header.customer_id,
        customer.TerritoryID as branch_id,
        -- Written as a decimal (279.0).
        split_part(header.salesperson_id, '.', 1) as sales_rep_id,
        cast(header.order_date as date) as order_date,
        cast(header.due_date as date) as requested_on,
        case header.is_online_order when 'True' then 'online' else 'sales_rep' end as channel,
        cast(null as boolean) as is_rush,
        case header.order_status
            when '1' then 'in_process'
            when '2' then 'approved'
            when '3' then 'backordered'
            when '4' then 'rejected'
            when '5' then 'shipped'
            when '6' then 'cancelled'
        end as status,
        'USD' as currency,
        cast(null as varchar) as contract_id,
        'adventureworks' as source_system,
        landed_after(header.order_date) as loaded_at
    from source_table('sales_order_header') as header
    left join source_table('Customer') as customer
        on header.customer_id = customer.CustomerID
    order by cast(header.sales_order_id as integer)
) to (getvariable('raw') || '/erp/orders.parquet') (format parquet);


copy (
    select
        detail.sales_order_id as order_id,
        cast(detail.sales_order_detail_id as integer) as line_number,
        detail.product_id,
        cast(detail.order_quantity as decimal(18, 3)) as quantity,
        cast(detail.unit_price as decimal(18, 6)) as unit_price,
        cast(
            cast(detail.unit_price as decimal(12, 4)) * cast(detail.order_quantity as integer)
            * cast(detail.unit_price_discount as decimal(4, 2))
            as decimal(18, 6)
        ) as discount_amount,
        cast(header.due_date as date) as promised_on,
        case header.order_status when '5' then 'shipped' else 'open' end as status,
        'adventureworks' as source_system,
        landed_after(header.order_date) as loaded_at
    from source_table('sales_order_detail') as detail
    inner join source_table('sales_order_header') as header
        on detail.sales_order_id = header.sales_order_id
    order by cast(detail.sales_order_detail_id as integer)
) to (getvariable('raw') || '/erp/order_lines.parquet') (format parquet);


-- There is no invoice table: an order that has shipped counts as invoiced on its order date, under its own number.
copy (
    select
        header.sales_order_id as invoice_id,
        header.customer_id,
        cast(header.order_date as date) as invoice_date,
        'invoice' as document_type,
        header.sales_order_id as order_id,
        cast(null as varchar) as original_invoice_id,
        customer.TerritoryID as branch_id,
        split_part(header.salesperson_id, '.', 1) as sales_rep_id,
        -- due_date is when the goods are due, so it is on the order; when the money is due is not in the data set.
        cast(null as date) as due_on,
        cast(null as date) as paid_on,
        -- Rates are in the data set, but every amount on a document is in US dollars.
        'USD' as currency,
        'adventureworks' as source_system,
        landed_after(header.order_date) as loaded_at
    from source_table('sales_order_header') as header
    left join source_table('Customer') as customer
        on header.customer_id = customer.CustomerID
    where header.order_status = '5'
    order by cast(header.sales_order_id as integer)
) to (getvariable('raw') || '/erp/invoices.parquet') (format parquet);


-- Cost is the standard cost in force on the order's date. Today's cost would charge three years of sales
-- with prices of the last one and turn the resellers' margin negative.
-- A product sold after its last cost period has an unknown cost (null): a stale one would be a guess.
copy (
    select
        detail.sales_order_id as invoice_id,
        cast(detail.sales_order_detail_id as integer) as line_number,
        detail.product_id,
        cast(detail.order_quantity as decimal(18, 3)) as quantity,
        cast(
            cast(detail.unit_price as decimal(12, 4)) * cast(detail.order_quantity as integer) as decimal(18, 6)
        ) as list_amount,
        cast(
            cast(detail.unit_price as decimal(12, 4)) * cast(detail.order_quantity as integer)
            * cast(detail.unit_price_discount as decimal(4, 2))
            as decimal(18, 6)
        ) as discount_amount,
        -- Six decimals hold the exact amount; the file's further digits are noise (551.8145999999999).
        cast(detail.line_total as decimal(18, 6)) as net_amount,
        cast(cost.StandardCost as decimal(12, 4)) * cast(detail.order_quantity as decimal(6, 0)) as cost_amount,
        'adventureworks' as source_system,
        landed_after(header.order_date) as loaded_at
    from source_table('sales_order_detail') as detail
    inner join source_table('sales_order_header') as header
        on detail.sales_order_id = header.sales_order_id
    left join source_table('ProductCostHistory') as cost
        on detail.product_id = cost.ProductID
        and cast(header.order_date as date) >= cast(cast(cost.StartDate as timestamp) as date)
        and cast(header.order_date as date) <= coalesce(cast(cast(cost.EndDate as timestamp) as date), date '9999-12-31')
    where header.order_status = '5'
    order by cast(detail.sales_order_detail_id as integer)
) to (getvariable('raw') || '/erp/invoice_lines.parquet') (format parquet);


-- Not needed for dollars; with them the same data can be reported in another currency (reporting_currency: EUR).
-- The day's average suits invoices written all day long better than its closing rate.
copy (
    select
        cast(cast(CurrencyRateDate as timestamp) as date) as rate_date,
        FromCurrencyCode as from_currency,
        ToCurrencyCode as to_currency,
        cast(AverageRate as decimal(18, 8)) as rate,
        'adventureworks' as source_system,
        landed_after(CurrencyRateDate) as loaded_at
    from source_table('CurrencyRate')
    order by rate_date, to_currency
) to (getvariable('raw') || '/erp/exchange_rates.parquet') (format parquet);
