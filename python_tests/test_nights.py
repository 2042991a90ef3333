"""What is kept from night to night is what a full refresh would make of the same raw tables, whatever has happened to them.

Records land late, twice, corrected, with other cells and no later date, or vanish, headers without their lines and lines without their headers;
customers, products, branches and rates come and go. A warehouse that has lived through such nights, one of them killed in the middle,
holds row for row what one built from nothing holds.
"""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, SAMPLE_CONFIGURATION, build
from worlds import DBT_TESTS, PUBLIC_SCHEMAS, Contents, assert_same_contents, contents, kill_when, start_dbt

from tools.generate import main as generate

OTHER_VARIABLES = {"reporting_currency": "GBP", "absent_tables": ["erp.branches", "tpl.returns"]}
SHARES = [0.001, 0.01, 0.05]
# What people record about a night that was, or what an evaluation due tonight needs and one that is kept does not.
NOT_A_FUNCTION_OF_RAW = ("history", "record", "restate", "tier_change", "seal", "findings_summary", "override_rates")
KEPT = [
    *(f"staging.stg_erp__{table}" for table in ("orders", "order_lines", "invoices", "quotes", "forecasts", "inventory", "driver_quantities")),
    *(f"staging.stg_tpl__{table}" for table in ("shipments", "shipment_lines", "returns")),
    "staging.stg_crm__activities",
    "intermediate.int_invoices_judged",
    "intermediate.int_invoice_lines_judged",
    "intermediate.int_charges_judged",
    "intermediate.int_sales_months",
    "intermediate.int_sales_summed_to_periods",
    "intermediate.int_receivables_summed_to_months",
    "intermediate.int_orders_summed_to_days",
    "intermediate.int_customer_products_summed_to_months",
    "intermediate.int_customer_orders_summed_to_months",
    "intermediate.int_customer_purchases_counted",
    "intermediate.int_cost_drivers_counted",
    "intermediate.int_costs_allocated",
    "intermediate.int_customer_costs_summed_to_months",
    "intermediate.int_customer_activity_summed_to_months",
    "intermediate.int_customer_metrics_measured",
    "intermediate.int_customer_metrics_graded",
    "intermediate.int_customers_stratified",
]


def kept_contents(warehouse: Path) -> Contents:
    """Every kept table and every mart that follows from the raw tables alone."""
    found = contents(warehouse, schemas=(*PUBLIC_SCHEMAS, "staging", "intermediate"))
    return {
        name: rows
        for name, rows in found.items()
        if name in KEPT or (name.split(".")[0] in PUBLIC_SCHEMAS and not any(word in name for word in NOT_A_FUNCTION_OF_RAW))
    }


def happen(raw: Path, chance: random.Random, days_later: int) -> list[str]:
    """Let up to three things happen to every raw table; returns which."""
    happened = []
    for path in sorted(raw.glob("*/*.parquet")):
        with duckdb.connect() as connection:
            connection.execute(f"create table landed as from read_parquet('{path}')")
            columns = connection.execute("describe landed").fetchall()
            rows = connection.execute("select count(*) from landed").fetchone()[0]
            cells = [(name, kind) for name, kind, *_ in columns if name not in ("source_system", "loaded_at")]
            for event in chance.sample(["late", "twice", "other cell", "vanished", "no key", "no date", "another day"], k=chance.randint(0, 3)):
                count = max(1, int(rows * chance.choice(SHARES)))
                column, kind = chance.choice(cells)
                sample = f"using sample {count} rows (reservoir, {chance.randrange(10**6)})"
                connection.execute(f"create or replace temp table chosen as select rowid as row from landed {sample}")
                those = "where rowid in (from chosen)"
                if event == "late":
                    connection.execute(
                        f"insert into landed select * replace (loaded_at + interval {days_later} day as loaded_at) from landed {those}"
                    )
                    if kind != "VARCHAR":
                        connection.execute(f"update landed set {column} = null where rowid >= {rows} and rowid % 3 = 0")
                elif event == "twice":
                    connection.execute(f"insert into landed from landed {those}")
                elif event == "other cell":
                    connection.execute(f"update landed set {column} = (select {column} from landed order by hash(rowid) limit 1) {those}")
                elif event == "vanished":
                    connection.execute(f"delete from landed {those}")
                elif event == "no key":
                    connection.execute(f"update landed set {cells[0][0]} = null {those}")
                elif event == "no date":
                    connection.execute(f"update landed set loaded_at = null {those}")
                else:
                    connection.execute(f"update landed set loaded_at = loaded_at - interval 3 day {those}")
                happened.append(f"{path.stem}: {event}, {count}")
            connection.execute(f"copy landed to '{path}' (format parquet)")
    return happened


# What waits for something, and what it waits for: gone from the first night, and there in the second with the date of the first.
HELD_BACK = {
    "erp.invoices": "document_type = 'invoice' order by hash(invoice_id) limit 20",
    "erp.orders": "true order by hash(order_id) limit 20",
    "erp.customers": "true order by hash(customer_id) limit 5",
    "erp.products": "brand is null",
    "erp.exchange_rates": "'GBP' in (from_currency, to_currency)",
    "erp.branches": "true order by hash(branch_id) limit 1",
    "erp.sales_reps": "true order by hash(sales_rep_id) limit 2",
    "tpl.shipments": "true order by hash(shipment_id) limit 20",
}
# Of these a quarter arrives without the moment it landed, is quarantined, and gone in the night after: what waits has another reason to.
HEADERS = ("erp.invoices", "erp.orders", "tpl.shipments")
# What others follow: no cell of the notes, lines, charges and periods it concerns is another one. First what leaves most months alone, each
# thing others than the next: payments the last two, lines the fifth from the end, charges the seventh, and so on; customers all.
LAST_LANDED = "(select max(loaded_at)::date from landed)"


def days_ago(day: str, first: int, last: int) -> str:
    """A condition: so many days before the last landing."""
    return f"{day} between {LAST_LANDED} - {first} and {LAST_LANDED} - {last}"


FOLLOWED_IN_A_FEW_MONTHS = {
    "erp.invoices": [f"update landed set paid_on = invoice_date + 3 where loaded_at > {LAST_LANDED} - 50 and hash(invoice_id) % 5 = 0"],
    "erp.invoice_lines": [f"delete from landed where {days_ago('loaded_at', 140, 120)}"],
    "tpl.charges": [f"update landed set amount = amount + 1 where {days_ago('loaded_at', 210, 190)}"],
    "erp.order_lines": [f"delete from landed where {days_ago('loaded_at', 100, 90)}"],
    "erp.orders": [f"update landed set customer_id = (select min(customer_id) from landed) where {days_ago('order_date', 250, 240)}"],
    "crm.activities": [f"update landed set activity_type = 'visit' where {days_ago('performed_on', 280, 270)}"],
    "tpl.shipments": [f"update landed set weight_kg = weight_kg + 1 where {days_ago('shipped_on', 310, 300)}"],
    "tpl.returns": [f"update landed set quantity = quantity + 1 where {days_ago('received_on', 340, 330)}"],
    "erp.driver_quantities": [f"update landed set quantity = quantity + 1 where {days_ago('driver_month', 400, 360)}"],
    "erp.customers": ["update landed set customer_kind = 'test', industry = 'other' where hash(customer_id) % 20 = 1"],
}
FOLLOWED = {
    "crm.accounts": ["update landed set erp_customer_id = (select max(erp_customer_id) from landed) where hash(account_id) % 20 = 1"],
    "erp.invoices": [
        """update landed set customer_id = (select min(customer_id) from landed)
        where invoice_id in (select original_invoice_id from landed where document_type = 'credit_note')""",
    ],
    "erp.orders": [
        "update landed set customer_id = (select min(customer_id) from landed) where hash(order_id) % 20 = 0",
        "delete from landed where hash(order_id) % 50 = 1",
    ],
    "erp.customers": ["delete from landed where customer_id in (select customer_id from landed order by hash(customer_id) desc limit 3)"],
    "erp.products": [
        "update landed set brand = 'Another' where hash(product_id) % 20 = 1",
        "delete from landed where product_id in (select product_id from landed order by hash(product_id) desc limit 3)",
    ],
    "erp.exchange_rates": ["update landed set rate = rate * 1.01 where hash(rate_date) % 5 = 0"],
    "erp.sales_reps": ["delete from landed where sales_rep_id in (select sales_rep_id from landed order by hash(sales_rep_id) desc limit 2)"],
    "tpl.shipments": ["delete from landed where hash(shipment_id) % 50 = 1"],
}


def change(raw: Path, table: str, *statements: str) -> None:
    """Statements on ``landed``, the rows of a raw table."""
    path = raw / f"{table.replace('.', '/')}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table landed as from read_parquet('{path}')")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"copy landed to '{path}' (format parquet)")


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw tables of 150 customers over 14 months, with planted faults and some products without a brand."""
    raw = tmp_path_factory.mktemp("raw")
    generate(["--customers", "150", "--lines", "3000", "--months", "14", "--format", "parquet", "--plant-dirt", "--out", str(raw)])
    change(raw, "erp.products", "update landed set brand = null where hash(product_id) % 20 = 0")
    return raw


def test_kept_tables_are_those_of_a_full_refresh(small_world: Path, tmp_path: Path) -> None:
    """After a night in which what was waited for arrives; after two with changes that others follow, the second one killed while it judged the
    lines; and after one in which a part of the project was built before more happened, and then all of it in another currency and without two tables.
    """
    chance = random.Random(20261127)
    lived = tmp_path / "lived"
    for table, which in HELD_BACK.items():
        change(
            small_world,
            table,
            f"create table aside as select rowid as row, * from landed where {which}",
            f"copy (select * exclude (row) from aside) to '{tmp_path / table}.parquet' (format parquet)",
            "delete from landed where rowid in (select row from aside)",
        )
    build(small_world, SAMPLE_CONFIGURATION, lived, exclude=DBT_TESTS)

    for night, variables in {"arrived": {}, "paid": {}, "killed": {}, "partial": OTHER_VARIABLES}.items():
        if night == "arrived":
            for table in HELD_BACK:
                moment = "case when row_number() over () % 4 <> 0 then loaded_at end" if table in HEADERS else "loaded_at"
                arrived = f"select * replace ({moment} as loaded_at) from read_parquet('{tmp_path / table}.parquet')"
                change(small_world, table, f"insert into landed {arrived}")
        elif night == "paid":
            for table in HEADERS:
                change(small_world, table, "delete from landed where loaded_at is null")
            for table, statements in FOLLOWED_IN_A_FEW_MONTHS.items():
                change(small_world, table, *statements)
        elif night == "killed":
            for table, statements in FOLLOWED.items():
                change(small_world, table, *statements)
            kill_when(start_dbt(small_world, SAMPLE_CONFIGURATION, lived), "intermediate.int_invoice_lines_judged")
        else:
            happened = happen(small_world, chance, days_later=30)
            build(small_world, SAMPLE_CONFIGURATION, lived, select="path:models/staging +int_invoices_judged", command="run")
            happened += happen(small_world, chance, days_later=40)
            print("\n".join(happened))
        build(small_world, SAMPLE_CONFIGURATION, lived, variables, exclude=DBT_TESTS)
        fresh = build(small_world, SAMPLE_CONFIGURATION, tmp_path / night, variables, exclude=DBT_TESTS)
        assert_same_contents(kept_contents(lived / "stratum.duckdb"), kept_contents(fresh.path), night)


def test_every_kept_table_is_compared() -> None:
    """A model that is kept by landing day, fingerprint or record stands in KEPT."""
    keeps = ("keep=true", "keep_months(", "drop_records_due(", "drop_invoices_due(")
    kept = {path.stem for path in (PROJECT / "models").rglob("*.sql") if any(word in path.read_text() for word in keeps)}
    assert kept == {name.split(".")[1] for name in KEPT} - {"int_sales_months"}
