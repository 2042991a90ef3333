"""The raw contract as data: tables, columns, types and native keys, in the order they are written.

Column kinds and how they land:

=========  ======================  =========================
kind       Parquet                 CSV text
=========  ======================  =========================
text       string                  as is
label      string (few values)     as is
money      decimal(18, 2)          ``1234.50``
rate       decimal(18, 6)          ``1.234500``
weight     decimal(18, 3)          ``12.500`` (kilograms)
quantity   decimal(18, 3)          ``12`` (whole units)
integer    int64                   ``30``
boolean    bool                    ``true`` / ``false``
date       date32                  ``2025-01-31``
timestamp  timestamp(us), no zone  ``2025-02-01 02:00:00`` (UTC)
=========  ======================  =========================
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_LABEL = pa.dictionary(pa.int32(), pa.string())

#: Arrow type of a column inside the generator. ``label`` is dictionary-encoded in memory only.
ARROW_TYPES = {
    "text": pa.string(),
    "label": _LABEL,
    "money": pa.decimal128(18, 2),
    "rate": pa.decimal128(18, 6),
    "weight": pa.decimal128(18, 3),
    "quantity": pa.int64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Table:
    """One raw table: ``name`` is ``<schema>.<table>``; ``key`` is unique within a source system."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]
    is_core: bool = False

    @property
    def column_names(self) -> list[str]:
        """Column names in landing order."""
        return list(self.columns)

    @property
    def arrow_schema(self) -> pa.Schema:
        """In-memory schema of the table's chunks."""
        return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in self.columns.items()])


def _table(name: str, key: str, columns: str, is_core: bool = False) -> Table:
    """Read ``column:kind`` pairs (kind defaults to text) and add the two columns every table has."""
    kinds = dict((pair.split(":") + ["text"])[:2] for pair in columns.split())
    kinds |= {"source_system": "label", "loaded_at": "timestamp"}
    return Table(name, tuple(key.split()), kinds, is_core)


_ALL = [
    _table(
        "erp.customers",
        "customer_id",
        "customer_id name vat_number parent_customer_id country:label region:label city:label postal_code"
        " industry:label branch_id:label sales_rep_id:label payment_terms_days:integer credit_limit:money"
        " credit_status:label customer_kind:label created_on:date is_active:boolean",
        is_core=True,
    ),
    _table(
        "erp.products",
        "product_id",
        "product_id name brand:label category:label subcategory:label unit_cost:money list_price:money"
        " launched_on:date discontinued_on:date",
        is_core=True,
    ),
    _table("erp.branches", "branch_id", "branch_id name region:label country:label", is_core=True),
    _table("erp.sales_reps", "sales_rep_id", "sales_rep_id name branch_id:label manager_id", is_core=True),
    _table(
        "erp.orders",
        "order_id",
        "order_id customer_id branch_id:label sales_rep_id:label order_date:date requested_on:date channel:label"
        " is_rush:boolean status:label currency:label contract_id",
        is_core=True,
    ),
    _table(
        "erp.order_lines",
        "order_id line_number",
        "order_id line_number:integer product_id:label quantity:quantity unit_price:money discount_amount:money"
        " promised_on:date status:label",
    ),
    _table(
        "erp.invoices",
        "invoice_id",
        "invoice_id customer_id invoice_date:date document_type:label order_id original_invoice_id branch_id:label"
        " sales_rep_id:label due_on:date paid_on:date currency:label",
        is_core=True,
    ),
    _table(
        "erp.invoice_lines",
        "invoice_id line_number",
        "invoice_id line_number:integer product_id:label quantity:quantity list_amount:money discount_amount:money"
        " net_amount:money cost_amount:money",
        is_core=True,
    ),
    _table(
        "erp.exchange_rates",
        "rate_date from_currency to_currency",
        "rate_date:date from_currency:label to_currency:label rate:rate",
        is_core=True,
    ),
    _table(
        "erp.quotes",
        "quote_id",
        "quote_id customer_id sales_rep_id:label quoted_on:date status:label decided_on:date amount:money"
        " currency:label order_id",
    ),
    _table(
        "erp.contracts",
        "contract_id",
        "contract_id customer_id valid_from:date valid_to:date committed_annual_amount:money currency:label"
        " service_terms:label",
    ),
    _table(
        "erp.inventory",
        "product_id branch_id counted_on",
        "product_id:label branch_id:label counted_on:date on_hand_quantity:quantity",
    ),
    _table(
        "erp.forecasts",
        "product_id customer_id branch_id forecast_month made_on",
        "product_id:label customer_id branch_id:label forecast_month:date made_on:date quantity:quantity",
    ),
    _table(
        "erp.cost_ledger",
        "cost_pool_id ledger_month organisation_id",
        "cost_pool_id:label ledger_month:date organisation_id:label amount:money currency:label",
    ),
    _table(
        "erp.driver_quantities",
        "driver customer_id driver_month",
        "driver:label customer_id driver_month:date quantity:quantity",
    ),
    _table(
        "crm.accounts",
        "account_id",
        "account_id name vat_number parent_account_id erp_source_system:label erp_customer_id country:label"
        " postal_code industry:label employee_count:integer owner_id:label",
    ),
    _table(
        "crm.activities",
        "activity_id",
        "activity_id account_id activity_type:label performed_on:date duration_minutes:integer owner_id:label",
    ),
    _table(
        "crm.opportunities",
        "opportunity_id",
        "opportunity_id account_id stage:label amount:money currency:label created_on:date closed_on:date",
    ),
    _table(
        "tpl.shipments",
        "shipment_id",
        "shipment_id erp_source_system:label order_id consignee_code carrier:label service_level:label"
        " shipped_on:date promised_on:date delivered_on:date weight_kg:weight package_count:integer",
    ),
    _table(
        "tpl.shipment_lines",
        "shipment_id order_id line_number",
        "shipment_id order_id line_number:integer product_id:label quantity:quantity",
    ),
    _table(
        "tpl.charges",
        "charge_id",
        "charge_id shipment_id charge_type:label amount:money currency:label charged_on:date",
    ),
    _table(
        "tpl.returns",
        "return_id",
        "return_id order_id consignee_code product_id:label quantity:quantity received_on:date reason:label",
    ),
]

#: Every raw table by name, in landing order.
TABLES: dict[str, Table] = {table.name: table for table in _ALL}

#: Columns of ``planted_faults.csv``.
FAULT_COLUMNS = ["table_name", "source_system", "record_key", "fault", "expected_rule", "expected_outcome"]
