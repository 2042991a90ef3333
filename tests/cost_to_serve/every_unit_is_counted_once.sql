-- Guards R15: the drivers of a month hold as many units as there are documents in it, each once, whoever they belong to.
{% set documents = [
    ('orders', 'stg_erp__orders', 'order_date', 'true'),
    ('invoices', 'int_invoices_judged', 'invoice_date', "document_type = 'invoice'"),
    ('shipments', 'stg_tpl__shipments', 'shipped_on', 'true'),
    ('expedited_shipments', 'stg_tpl__shipments', 'shipped_on', "lower(service_level) = 'expedited'"),
    ('returns', 'stg_tpl__returns', 'received_on', 'true'),
    ('visits', 'stg_crm__activities', 'performed_on', "lower(activity_type) = 'visit'"),
    ('calls', 'stg_crm__activities', 'performed_on', "lower(activity_type) = 'call'"),
    ('support_cases', 'stg_crm__activities', 'performed_on', "lower(activity_type) = 'support_case'"),
] %}
with

documents as (
    {% for driver, model, day, condition in documents if driver in counted_drivers() %}
    select '{{ driver }}' as driver, {{ month_start(day) }} as driver_month, count(*) as document_count
    from {{ ref(model) }}
    where record_status = 'staged' and {{ day }} is not null and {{ condition }}
    group by {{ month_start(day) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

drivers as (
    select driver, driver_month, sum(quantity) as quantity
    from {{ ref('int_cost_drivers_counted') }}
    where driver in ('{{ documents | map(attribute=0) | select("in", counted_drivers()) | join("', '") }}')
    group by driver, driver_month
)

select
    coalesce(documents.driver, drivers.driver) as driver,
    coalesce(documents.driver_month, drivers.driver_month) as driver_month,
    coalesce(documents.document_count, 0) as document_count,
    coalesce(drivers.quantity, 0) as quantity
from documents
full outer join drivers
    on documents.driver = drivers.driver
    and documents.driver_month = drivers.driver_month
where coalesce(documents.document_count, 0) <> coalesce(drivers.quantity, 0)
