"""Nights that do not go as planned, through the whole project: what is missing, late, repeated, killed, badly written.

The main world of this file lands twice. The first landing lacks a header, a customer and some corrections; the second
one (append-only: the rows of the first and more) brings them. Both are built over one warehouse, as two nights would.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SAMPLE_CONFIGURATION, SAMPLE_RAW, Build, build, read_rows
from worlds import (
    DBT_TESTS,
    HISTORY,
    OPTIONAL_TABLES,
    REQUIRED_TABLES,
    SEEDS,
    UNIT_TESTS,
    Contents,
    Raw,
    assert_same_contents,
    assert_same_values,
    contents,
    errors,
    kill_when,
    override,
    read_csv,
    start_dbt,
    write_configuration,
    write_csv,
)

from tools.generator import TABLES

REQUIRED_ONLY = {"absent_tables": OPTIONAL_TABLES}

# Between the two landings.
KNOWN_ON = "2026-02-15"
LANDED_LATER = "2026-03-02 02:00:00"

# Decisions of people, recorded before and after it, both about a time before it.
EARLY_OVERRIDE = override(
    "W1", "sales_performance_per_customer", "erp_north:C4", tier="A", valid_from="2025-12-01", recorded_on="2026-02-15"
)
LATE_OVERRIDE = override(
    "W2", "sales_performance_per_customer", "erp_north:C3", tier="A", valid_from="2025-12-01", recorded_on="2026-02-16"
)

# A raw row as text keeps how its cells were written: "12" as text is "12.00" as a number.
AS_WRITTEN = {"audit.quarantined_records": {"raw_record"}}


def first_landing() -> Raw:
    """Four customers, and one record of every kind that a later landing corrects."""
    raw = Raw()
    for source_system in ("erp_north", "erp_south"):
        raw.product(source_system, "P1", brand="X")
        for number, amount in enumerate((8000, 1500, 500, 100), start=1):
            raw.customer(source_system, f"C{number}", credit_limit="1000")
            raw.sale(source_system, f"C{number}", f"2025-06-{number:02}", amount)
    raw.sale("erp_north", "C3", "2026-01-31", "10")

    raw.sale("erp_north", "C4", "2025-07-01", "100.00", invoice_id="CORRECTED")
    raw.sale("erp_north", "C4", "2025-07-02", "300.00", invoice_id="SPOILT")
    raw.sale("erp_north", "C3", "2025-07-03", "50.00", invoice_id="MOVED")
    raw.sale("erp_north", "C9", "2025-07-04", "70.00", invoice_id="STRANGER")
    raw.sale("erp_north", "C1", "2025-07-05", "20.00", invoice_id="COPIED")
    raw.line("erp_north", "COPIED", 1, "20.00", "2025-07-06 02:00:00")
    raw.sale("erp_north", "C1", "2025-07-06", "30.00", invoice_id="CLASHING")
    raw.line("erp_north", "CLASHING", 1, "31.00", "2025-07-07 02:00:00")
    raw.line("erp_north", "HEADLESS", 1, "700.00", "2026-01-21 02:00:00")
    raw.sale("erp_south", "C1", "2025-07-07", "90.00", invoice_id="FOREIGN", currency="GBP")
    return raw


def second_landing() -> Raw:
    """The first landing, and what comes a month later."""
    raw = first_landing()
    later = {"loaded_at": LANDED_LATER}
    raw.sale("erp_north", "C2", "2026-02-28", "5.00")
    raw.line("erp_north", "CORRECTED", 1, "260.00", LANDED_LATER)
    raw.line("erp_north", "SPOILT", 1, "three hundred", LANDED_LATER)
    raw.customer("erp_north", "C4", name="Spoilt", credit_limit="1,000.00", **later)
    raw.customer("erp_north", "C3", name="Renamed", credit_limit="2000", **later)
    raw.customer("erp_north", "C9", **later)
    header = {"source_system": "erp_north", "document_type": "invoice", "currency": "EUR"} | later
    raw.add("erp.invoices", invoice_id="MOVED", customer_id="C4", invoice_date="2025-07-03", **header)
    raw.add("erp.invoices", invoice_id="HEADLESS", customer_id="C2", invoice_date="2026-01-20", **header)
    return raw


@dataclass(frozen=True)
class TwoNights:
    """The main world: its raw folders, its warehouse, and what that held after each night."""

    first_raw: Path
    second_raw: Path
    configuration: Path
    first_folder: Path
    first_tests: Build
    warehouse: Path
    first: Contents
    second: Contents


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    """Required tables only, landed twice; in between, somebody decides. The first night's warehouse is kept aside."""
    folder = tmp_path_factory.mktemp("nights")
    first_raw = first_landing().write(folder / "first_raw")
    second_raw = second_landing().write(folder / "second_raw")
    first_configuration = write_configuration(
        folder / "first_configuration", replace={"segment_overrides": [EARLY_OVERRIDE]}
    )
    configuration = write_configuration(
        folder / "configuration", replace={"segment_overrides": [EARLY_OVERRIDE, LATE_OVERRIDE]}
    )
    first_build = build(first_raw, first_configuration, folder / "warehouse", vars=REQUIRED_ONLY, exclude=DBT_TESTS)
    first_tests = build(
        first_raw,
        first_configuration,
        folder / "warehouse",
        vars=REQUIRED_ONLY,
        command="test",
        exclude=UNIT_TESTS,
        expect_success=False,
    )
    first = contents(first_build.path)
    shutil.copytree(folder / "warehouse", folder / "first_warehouse")
    build(second_raw, configuration, folder / "warehouse", vars=REQUIRED_ONLY, exclude=DBT_TESTS)
    return TwoNights(
        first_raw=first_raw,
        second_raw=second_raw,
        configuration=configuration,
        first_folder=folder / "first_warehouse",
        first_tests=first_tests,
        warehouse=first_build.path,
        first=first,
        second=contents(first_build.path),
    )


def table(found: Contents, name: str) -> list[dict[str, Any]]:
    """A relation of ``contents`` as dictionaries."""
    columns, rows = found[name]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def net_sales(found: Contents) -> dict[str, tuple[str, Decimal]]:
    """Customer and net sales of every accepted line, by invoice id (lines of one document are added)."""
    sales: dict[str, tuple[str, Decimal]] = {}
    for line in table(found, "core.fct_invoice_lines"):
        so_far = sales.get(line["invoice_id"], ("", Decimal(0)))[1]
        sales[line["invoice_id"]] = (line["customer_id"], so_far + line["net_sales"])
    return sales


def quarantined(found: Contents, source_table: str) -> Counter[tuple[str, str, str]]:
    """Source system, key and rule of every record in quarantine."""
    return Counter(
        (row["source_system"], row["record_key"], row["quarantine_rule"])
        for row in table(found, "audit.quarantined_records")
        if row["source_table"] == source_table
    )


def assert_every_row_has_a_fate(found: Contents, raw: Path) -> None:
    """raw rows = staged + superseded + quarantined, for every landed table."""
    counted: Counter[str] = Counter()
    for row in table(found, "audit.fct_record_counts"):
        assert row["record_status"] in {"staged", "superseded", "quarantined"}
        counted[row["source_table"]] += row["record_count"]
    landed = {f"{path.parent.name}.{path.stem}": len(read_csv(path)) for path in raw.rglob("*.csv")}
    assert_same_values(dict(counted), {name: count for name, count in landed.items() if count}, "records by table")


# ---- Required tables only ----


def test_required_tables_alone_pass_dbts_own_tests(two_nights: TwoNights) -> None:
    assert two_nights.first_tests.returncode == 0, errors(two_nights.first_tests.stdout)


def test_required_tables_alone_give_tiers(two_nights: TwoNights) -> None:
    rows = table(two_nights.first, "segmentation.fct_customer_segments")
    # Every type of the sample that is not retired has everybody of its organisation.
    assert Counter(row["segment_type_id"] for row in rows) == {
        "sales_performance": 8,
        "sales_performance_v2": 8,
        "sales_performance_per_customer": 8,
        "sales_by_vat_number": 8,
        "north_margin": 4,
        "customer_profit": 8,
        "order_frequency": 8,
        "contract_value": 8,
        "house_brands": 8,
    }
    tiers = {row["customer_id"]: row["tier"] for row in rows if row["segment_type_id"] == "sales_performance"}
    # Both organisations in one ranking: 8020, 8000, 1500 + 1500, 560, 500 + 500 and 100 of 20680; 95 % are 19646.
    north = dict(zip(["erp_north:C1", "erp_north:C2", "erp_north:C3", "erp_north:C4"], "AABB", strict=True))
    south = dict(zip(["erp_south:C1", "erp_south:C2", "erp_south:C3", "erp_south:C4"], "AABC", strict=True))
    assert_same_values(tiers, north | south, "tiers")
    assert table(two_nights.first, "segmentation.fct_product_segments")


def test_required_tables_alone_cost_nothing_and_leave_the_margin(two_nights: TwoNights) -> None:
    rows = table(two_nights.first, "cost_to_serve.fct_customer_profitability")
    assert len(rows) == 8, "nobody is missing"
    assert all(row["cost_to_serve"] == 0 and row["net_profit"] == row["gross_margin"] for row in rows)
    assert any(row["net_sales"] for row in rows)
    assert table(two_nights.first, "cost_to_serve.fct_cost_allocations") == []


def test_absent_tables_stage_empty_and_fully_typed(two_nights: TwoNights, sample_warehouse: Path) -> None:
    def staged(path: Path) -> dict[str, list[tuple[str, str]]]:
        with duckdb.connect(str(path), read_only=True) as connection:
            return {
                name: connection.sql(
                    f"select column_name, column_type from (describe staging.stg_{name.replace('.', '__')})"
                ).fetchall()
                for name in OPTIONAL_TABLES
            }

    assert_same_values(staged(two_nights.warehouse), staged(sample_warehouse), "columns and types of absent tables")
    for name in OPTIONAL_TABLES:
        rows = read_rows(two_nights.warehouse, f"select count(*) as n from staging.stg_{name.replace('.', '__')}")
        assert rows == [{"n": 0}], name


def test_every_raw_row_has_one_fate(two_nights: TwoNights) -> None:
    assert_every_row_has_a_fate(two_nights.first, two_nights.first_raw)
    assert_every_row_has_a_fate(two_nights.second, two_nights.second_raw)


def test_every_raw_amount_has_one_fate(two_nights: TwoNights) -> None:
    counts = table(two_nights.second, "audit.fct_record_counts")
    counted = sum(row["amount"] or 0 for row in counts if row["source_table"] == "erp.invoice_lines")
    lines = read_csv(two_nights.second_raw / "erp" / "invoice_lines.csv")
    landed = sum(Decimal(line["net_amount"]) for line in lines if line["net_amount"] != "three hundred")
    assert counted == landed


# ---- Late, corrected, spoilt ----


def test_a_line_waits_for_its_header_and_is_released_by_it(two_nights: TwoNights) -> None:
    key = ("erp_north", "HEADLESS|1", "header_missing")
    waiting = [row for row in table(two_nights.first, "audit.quarantined_records") if row["record_key"] == "HEADLESS|1"]
    assert [(row["quarantine_rule"], row["amount"]) for row in waiting] == [("header_missing", Decimal(700))]
    assert "erp_north:HEADLESS" not in net_sales(two_nights.first)
    assert key not in quarantined(two_nights.second, "erp.invoice_lines")
    assert net_sales(two_nights.second)["erp_north:HEADLESS"] == ("erp_north:C2", Decimal(700))


def test_an_invoice_waits_for_its_customer_and_is_released_by_it(two_nights: TwoNights) -> None:
    assert ("erp_north", "STRANGER", "customer_unknown") in quarantined(two_nights.first, "erp.invoices")
    assert ("erp_north", "STRANGER|1", "header_quarantined") in quarantined(two_nights.first, "erp.invoice_lines")
    assert ("erp_north", "STRANGER", "customer_unknown") not in quarantined(two_nights.second, "erp.invoices")
    assert net_sales(two_nights.second)["erp_north:STRANGER"] == ("erp_north:C9", Decimal(70))


def test_a_later_delivery_supersedes(two_nights: TwoNights) -> None:
    assert net_sales(two_nights.first)["erp_north:CORRECTED"] == ("erp_north:C4", Decimal(100))
    assert net_sales(two_nights.second)["erp_north:CORRECTED"] == ("erp_north:C4", Decimal(260))
    assert net_sales(two_nights.first)["erp_north:MOVED"] == ("erp_north:C3", Decimal(50))
    assert net_sales(two_nights.second)["erp_north:MOVED"] == ("erp_north:C4", Decimal(50))
    names = {row["customer_id"]: row["name"] for row in table(two_nights.second, "core.dim_customers")}
    assert names["erp_north:C3"] == "Renamed"


def test_an_invalid_later_delivery_leaves_the_older_one_in_force(two_nights: TwoNights) -> None:
    assert net_sales(two_nights.second)["erp_north:SPOILT"] == ("erp_north:C4", Decimal(300))
    assert quarantined(two_nights.second, "erp.invoice_lines")["erp_north", "SPOILT|1", "cell_unparseable"] == 1
    assert quarantined(two_nights.second, "erp.customers") == {("erp_north", "C4", "cell_unparseable"): 1}
    names = {row["customer_id"]: row["name"] for row in table(two_nights.second, "core.dim_customers")}
    assert names["erp_north:C4"] == "C4"


def test_exact_copies_count_once_and_contradictions_not_at_all(two_nights: TwoNights) -> None:
    for found in (two_nights.first, two_nights.second):
        assert net_sales(found)["erp_north:COPIED"] == ("erp_north:C1", Decimal(20))
        assert "erp_north:CLASHING" not in net_sales(found)
        assert quarantined(found, "erp.invoice_lines")["erp_north", "CLASHING|1", "conflicting_versions"] == 2


def test_without_rates_a_foreign_document_is_quarantined_and_never_taken_at_par(two_nights: TwoNights) -> None:
    assert ("erp_south", "FOREIGN|1", "exchange_rate_missing") in quarantined(two_nights.first, "erp.invoice_lines")
    assert "erp_south:FOREIGN" not in net_sales(two_nights.first)


# ---- As-of and known-on ----


def windows(found: Contents) -> set[tuple[str, str, str]]:
    """As-of date and window of the default type."""
    return {
        (str(row["as_of_date"]), str(row["window_from"]), str(row["window_to"]))
        for row in table(found, "segmentation.fct_customer_segments")
        if row["segment_type_id"] == "sales_performance"
    }


def test_the_window_follows_the_latest_accepted_invoice(two_nights: TwoNights) -> None:
    assert windows(two_nights.first) == {("2026-01-31", "2025-02-01", "2026-01-31")}
    assert windows(two_nights.second) == {("2026-02-28", "2025-03-01", "2026-02-28")}


def test_known_on_replays_the_night_before_the_later_landing(two_nights: TwoNights, tmp_path: Path) -> None:
    variables = REQUIRED_ONLY | {"known_on": KNOWN_ON}
    replay = build(two_nights.second_raw, two_nights.configuration, tmp_path, vars=variables, exclude=DBT_TESTS)
    # Restatements are dated with the day on which they were known, and that differs here.
    found, expected = (
        {name: rows for name, rows in held.items() if name != "audit.dim_segment_restatements"}
        for held in (contents(replay.path), two_nights.first)
    )
    assert_same_contents(found, expected, f"the second landing as known on {KNOWN_ON}")


def test_a_decision_is_known_from_the_day_it_was_recorded(two_nights: TwoNights) -> None:
    def decided(found: Contents) -> dict[str, tuple[str, str]]:
        return {
            row["override_id"]: (row["customer_id"], row["tier"])
            for row in table(found, "segmentation.fct_customer_segments")
            if row["override_id"]
        }

    assert decided(two_nights.first) == {"W1": ("erp_north:C4", "A")}
    assert decided(two_nights.second) == {"W1": ("erp_north:C4", "A"), "W2": ("erp_north:C3", "A")}


# ---- The same again ----


def test_a_second_build_of_the_sample_changes_nothing(sample_warehouse: Path, tmp_path: Path) -> None:
    shutil.copy(sample_warehouse, tmp_path / "stratum.duckdb")
    again = build(SAMPLE_RAW, SAMPLE_CONFIGURATION, tmp_path, exclude=DBT_TESTS)
    assert_same_contents(contents(again.path), contents(sample_warehouse), "the sample built twice over one warehouse")
    due = read_rows(
        again.path,
        "select distinct is_as_of from intermediate.int_segment_evaluations where is_due",
    )
    assert due == [{"is_as_of": True}], "a closed month was evaluated again, although nothing has changed"


def test_a_build_killed_at_three_moments_is_made_good_by_the_next(two_nights: TwoNights, tmp_path: Path) -> None:
    """The second night dies three times over the warehouse of the first: in staging, in the snapshot, in the marts."""
    folder = tmp_path / "killed"
    shutil.copytree(two_nights.first_folder, folder)
    for moment in (
        "START sql incremental model staging.stg_erp__invoices",
        "START snapshot snapshots.snap_customer_attributes",
        "START sql table model core.dim_customers",
    ):
        kill_when(start_dbt(two_nights.second_raw, two_nights.configuration, folder, REQUIRED_ONLY), moment)
    survivor = build(two_nights.second_raw, two_nights.configuration, folder, vars=REQUIRED_ONLY, exclude=DBT_TESTS)
    assert_same_contents(contents(survivor.path), two_nights.second, "the second night after three kills")


# ---- Other ways to land ----

GRAMMAR = {
    "integer": ("bigint", r"[+-]?[0-9]+"),
    "quantity": ("decimal(18, 3)", r"[+-]?[0-9]+([.][0-9]{1,3})?"),
    "money": ("decimal(18, 2)", r"[+-]?[0-9]+([.][0-9]{1,2})?"),
    "rate": ("decimal(18, 6)", r"[+-]?[0-9]+([.][0-9]{1,6})?"),
    "weight": ("decimal(18, 3)", r"[+-]?[0-9]+([.][0-9]{1,3})?"),
    "boolean": ("boolean", r"true|false"),
    "date": ("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "timestamp": ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"),
}


def typed_query(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> tuple[str, int]:
    """A query over a CSV table with every column typed whose cells all parse, and how many those are."""
    options = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', comment = ''"
    records = f"read_csv('{path.as_posix()}', {options})"
    columns, typed = [], 0
    for column, kind in TABLES[name].columns.items():
        if kind in GRAMMAR:
            type_name, pattern = GRAMMAR[kind]
            bad = connection.sql(
                f"select count(*) from {records} where {column} is not null"
                f" and (not regexp_full_match({column}, '{pattern}') or try_cast({column} as {type_name}) is null)"
            ).fetchall()[0][0]
            if not bad:
                columns.append(f"cast({column} as {type_name}) as {column}")
                typed += 1
                continue
        columns.append(column)
    return f"select {', '.join(columns)} from {records}", typed


def test_parquet_lands_like_csv(sample_warehouse: Path, tmp_path: Path) -> None:
    typed_columns = 0
    with duckdb.connect() as connection:
        for name in TABLES:
            path = tmp_path / "raw" / f"{name.replace('.', '/')}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            query, typed = typed_query(connection, name, SAMPLE_RAW / f"{name.replace('.', '/')}.csv")
            connection.sql(query).write_parquet(path.as_posix())
            typed_columns += typed
    assert typed_columns > 50, "hardly a column landed typed: this would compare text with text"
    found = build(tmp_path / "raw", SAMPLE_CONFIGURATION, tmp_path / "warehouse", exclude=DBT_TESTS)
    assert_same_contents(
        contents(found.path, without=AS_WRITTEN),
        contents(sample_warehouse, without=AS_WRITTEN),
        "the sample as Parquet",
    )


def test_tables_in_the_warehouse_land_like_csv(two_nights: TwoNights, tmp_path: Path) -> None:
    """Both landings, one after the other, into tables of the schema erp, and no raw folder at all."""
    path = tmp_path / "stratum.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.sql("create schema erp")
        for name in REQUIRED_TABLES:
            query, _ = typed_query(connection, name, two_nights.second_raw / f"{name.replace('.', '/')}.csv")
            connection.sql(f"create table {name} as {query}")
    process = start_dbt("", two_nights.configuration, tmp_path, REQUIRED_ONLY)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-6000:]
    # Nobody saw the first night here, so what a snapshot recorded of it is missing.
    expected = {name: rows for name, rows in without_raw_record(two_nights.second).items() if name not in HISTORY}
    found = {name: rows for name, rows in contents(path, without=AS_WRITTEN).items() if name not in HISTORY}
    assert_same_contents(found, expected, "the second landing as tables")


def without_raw_record(found: Contents) -> Contents:
    """Contents as ``contents(..., without=AS_WRITTEN)`` would have read them."""
    columns, rows = found["audit.quarantined_records"]
    place = columns.index("raw_record")
    return found | {
        "audit.quarantined_records": (
            [column for column in columns if column != "raw_record"],
            sorted((row[:place] + row[place + 1 :] for row in rows), key=nulls_last),
        )
    }


def nulls_last(row: tuple) -> list[tuple[bool, Any]]:
    """DuckDB's default order."""
    return [(cell is None, cell if cell is not None else 0) for cell in row]


# ---- What is missing ----


@pytest.fixture(scope="module")
def missing(tmp_path_factory: pytest.TempPathFactory, two_nights: TwoNights) -> Build:
    """A raw folder without a required table, an optional table and a column, under vars that are wrong."""
    folder = tmp_path_factory.mktemp("missing")
    raw = folder / "raw"
    shutil.copytree(two_nights.first_raw, raw)
    (raw / "erp" / "invoices.csv").unlink()
    products = raw / "erp" / "products.csv"
    rows = read_csv(products)
    for row in rows:
        del row["brand"]
    write_csv(products, rows[0].keys(), rows)
    absent = [name for name in OPTIONAL_TABLES if name != "crm.accounts"] + ["erp.customers", "crm.leads"]
    return build(raw, SAMPLE_CONFIGURATION, folder / "warehouse", vars={"absent_tables": absent, "overwritten_tables": ["erp.invoices"]}, expect_success=False)


@pytest.mark.parametrize(
    "pieces",
    [
        ["erp.invoices has not landed", "models/staging/erp/_erp__sources.yml"],
        ["crm.accounts has not landed", "models/staging/crm/_crm__sources.yml", "absent_tables"],
        ["erp.products has no column brand", "models/staging/erp/_erp__sources.yml"],
        ["absent_tables names erp.customers", "required"],
        ["overwritten_tables names erp.invoices", "no master table", "erp.customers"],
        ["absent_tables names crm.leads", "no table of the raw contract"],
    ],
    ids=lambda pieces: pieces[0],
)
def test_what_is_missing_is_named_in_one_sentence(missing: Build, pieces: list[str]) -> None:
    naming = [line for line in missing.stdout.splitlines() if pieces[0] in line]
    assert naming, missing.stdout[-3000:]
    assert all(piece in naming[0] for piece in pieces), naming[0]
    # dbt may print an error where it happens and once more at the end.
    assert len({line.strip() for line in naming}) == 1


def test_what_is_missing_stops_the_build_at_once(missing: Build) -> None:
    assert missing.returncode != 0
    assert " OK created sql table model" not in missing.stdout
    assert (
        "absent_tables"
        not in [line for line in missing.stdout.splitlines() if "erp.invoices has not landed" in line][0]
    ), "a required table cannot be declared absent, so the sentence should not propose it"


def test_required_tables_without_a_row_build_green(tmp_path: Path) -> None:
    # With dbt's own tests of the data: it fails here when one of them needs a row.
    raw = Raw().write(tmp_path / "raw")
    empty = build(raw, SAMPLE_CONFIGURATION, tmp_path / "warehouse", vars=REQUIRED_ONLY, exclude=UNIT_TESTS)
    found = contents(empty.path)
    # What the configuration fills: a decision about somebody who is not there is a finding.
    filled = {"core.dim_segment_types", "core.dim_segment_tiers", "core.dim_dates"}
    filled |= {"audit.findings_inert_overrides", "audit.fct_findings_summary"}
    filled |= {"cost_to_serve.fct_segment_profit", "cost_to_serve.fct_stratification_sensitivity"}
    for name in found.keys() - filled - {"core.dim_products"}:
        assert found[name][1] == [], name
    assert [row["product_id"] for row in table(found, "core.dim_products")] == ["unknown"]
    assert len(found["core.dim_segment_types"][1]) == len(read_csv(SEEDS / "segment_types.csv"))


# ---- CSV as people and exports write it ----

DIRTY_AS_OF = "2025-09-30"


def dirty_world() -> Raw:
    """Sales in four currencies, reported in dollars."""
    raw = Raw()
    for number in range(1, 7):
        raw.customer("erp_north", f"C{number}")
    raw.product("erp_north", "P1", name='Pipe 12"', brand="X")
    rates = [
        ("2025-01-01", "GBP", "USD", "1.10"),
        ("2025-06-01", "GBP", "USD", "1.25"),
        ("2025-01-01", "USD", "EUR", "0.30"),
    ]
    for day, source, target, rate in rates:
        raw.add(
            "erp.exchange_rates",
            source_system="erp_north",
            rate_date=day,
            from_currency=source,
            to_currency=target,
            rate=rate,
        )
    raw.sale("erp_north", "C1", "2025-06-15", "100.00", currency="USD", invoice_id="USD")
    raw.sale("erp_north", "C2", "2025-06-15", "0.10", currency="GBP", invoice_id="GBP")
    raw.sale("erp_north", "C2", "2025-06-16", "-0.10", currency="GBP", invoice_id="GBP-CREDIT")
    raw.sale("erp_north", "C2", "2025-05-31", "100.00", currency="GBP", invoice_id="GBP-EARLIER")
    raw.sale("erp_north", "C3", "2025-06-15", "1.00", currency="EUR", invoice_id="EUR")
    raw.sale("erp_north", "C4", "2025-06-15", "500.00", currency="JPY", invoice_id="JPY")
    raw.sale("erp_north", "C1", "2025-10-01", "999.00", currency="USD", invoice_id="TOMORROW")
    raw.sale("erp_north", "C5", "2025-06-15", "40.00", currency="USD", invoice_id="SHORT", product_id="")
    raw.sale("erp_north", "C6", "2025-06-15", "50.00", currency="USD", invoice_id="SHORTER")
    raw.sale("erp_north", "C6", "2025-06-17", "60.00", currency="USD", invoice_id="LONG")
    return raw


def cut(line: str, cells: int) -> str:
    """A CSV line that ends early."""
    return ",".join(line.split(",")[:cells])


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Contents]:
    """Files with a BOM, CRLF, short rows, long rows, blank lines and columns nobody asked for; reported in dollars.

    Then ``dbt test``, under all the vars a deployment sets.
    """
    folder = tmp_path_factory.mktemp("dirty")
    world = dirty_world()
    raw = world.write(folder / "raw")

    customers = raw / "erp" / "customers.csv"
    customers.write_bytes(b"\xef\xbb\xbf" + customers.read_bytes().replace(b"\n", b"\r\n"))
    products = raw / "erp" / "products.csv"
    rows = [{"Colour": "red, dark", **row, "_fivetran_synced": "2025-01-01"} for row in read_csv(products)]
    write_csv(products, rows[0].keys(), rows)

    # The cells a document cannot do without come first, so that a short row lacks only what may be empty.
    invoices = raw / "erp" / "invoices.csv"
    rows = read_csv(invoices)
    needed = ["source_system", "loaded_at", "invoice_id", "customer_id", "invoice_date", "document_type", "currency"]
    write_csv(invoices, [*needed, *(column for column in rows[0] if column not in needed)], rows)
    lines = invoices.read_text().splitlines()
    lines = [cut(line, 7) if ",SHORT," in line else cut(line, 4) if ",SHORTER," in line else line for line in lines]
    invoices.write_text("\n".join(lines[:3] + [""] + lines[3:] + ["", ""]))

    invoice_lines = raw / "erp" / "invoice_lines.csv"
    lines = [
        f"{line},surplus,cells" if line.startswith("LONG,") else line for line in invoice_lines.read_text().splitlines()
    ]
    invoice_lines.write_text("\n".join(lines))

    variables = {
        "absent_tables": world.absent_tables(),
        "reporting_currency": "USD",
        "as_of_date": DIRTY_AS_OF,
        "known_on": "2026-12-31",
    }
    built = build(raw, SAMPLE_CONFIGURATION, folder / "warehouse", vars=variables, exclude=DBT_TESTS)
    tests = build(raw, SAMPLE_CONFIGURATION, folder / "warehouse", vars=variables, command="test", expect_success=False)
    return tests, contents(built.path)


def test_dbts_own_tests_hold_whatever_the_vars_say(dirty: tuple[Build, Contents]) -> None:
    assert dirty[0].returncode == 0, errors(dirty[0].stdout)


def test_dirty_files_lose_no_row(dirty: tuple[Build, Contents]) -> None:
    counted: Counter[str] = Counter()
    for row in table(dirty[1], "audit.fct_record_counts"):
        counted[row["source_table"]] += row["record_count"]
    assert_same_values(
        dict(counted), {name: len(rows) for name, rows in dirty_world().rows.items()}, "records by table"
    )


def test_a_byte_order_mark_crlf_and_foreign_columns_are_read_over(dirty: tuple[Build, Contents]) -> None:
    customers = table(dirty[1], "core.dim_customers")
    assert {row["native_customer_id"] for row in customers} == {f"C{number}" for number in range(1, 7)}
    assert {row["is_active"] for row in customers} == {True}, "the last cell of a CRLF line kept its carriage return"
    assert ("P1", 'Pipe 12"', "X") in {
        (row["native_product_id"], row["name"], row["brand"]) for row in table(dirty[1], "core.dim_products")
    }


def test_a_short_row_lacks_what_it_lacks_and_a_long_row_counts(dirty: tuple[Build, Contents]) -> None:
    sales = net_sales(dirty[1])
    assert sales["erp_north:SHORT"] == ("erp_north:C5", Decimal(40))
    assert sales["erp_north:LONG"] == ("erp_north:C6", Decimal(60))
    assert quarantined(dirty[1], "erp.invoices") == {("erp_north", "SHORTER", "required_value_missing"): 1}
    assert ("erp_north", "SHORTER|1", "header_quarantined") in quarantined(dirty[1], "erp.invoice_lines")


def test_the_reporting_currency_is_a_choice(dirty: tuple[Build, Contents]) -> None:
    """R13: itself, direct, half up, by date, inverse; without a rate never at par."""
    expected = {
        "USD": Decimal("100.00"),
        "GBP": Decimal("0.13"),
        "GBP-CREDIT": Decimal("-0.13"),
        "GBP-EARLIER": Decimal("110.00"),
        "EUR": Decimal("3.33"),
    }
    sales = net_sales(dirty[1])
    found = {invoice_id: sales.get(f"erp_north:{invoice_id}", ("", None))[1] for invoice_id in expected}
    assert_same_values(found, expected, "net sales in dollars")
    assert "erp_north:JPY" not in sales
    assert ("erp_north", "JPY|1", "exchange_rate_missing") in quarantined(dirty[1], "erp.invoice_lines")


def test_the_as_of_date_moves_the_window(dirty: tuple[Build, Contents]) -> None:
    assert windows(dirty[1]) == {(DIRTY_AS_OF, "2024-10-01", "2025-09-30")}
    amounts = {
        row["customer_id"]: row["metric_amount"]
        for row in table(dirty[1], "segmentation.fct_customer_segments")
        if row["segment_type_id"] == "sales_performance"
    }
    # Dated the day after: accepted, and out of the window.
    assert amounts["erp_north:C1"] == Decimal(100)
    assert net_sales(dirty[1])["erp_north:TOMORROW"] == ("erp_north:C1", Decimal(999))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Customers with line breaks inside their cells, and products one of whose numbers begins like a comment."""
    folder = tmp_path_factory.mktemp("odd")
    raw = Raw()
    raw.customer("erp_north", "C1", name="Line one\nline two")
    raw.customer("erp_north", "C2", name="Dock\nB")
    raw.customer("erp_north", "C3", name="Three", country="DE")
    for product_id in ("10001", "10002", "#10003", "10004"):
        raw.product("erp_north", product_id)
    return build(
        raw.write(folder / "raw"),
        SAMPLE_CONFIGURATION,
        folder / "warehouse",
        vars=REQUIRED_ONLY,
        select="stg_erp__customers stg_erp__products",
        expect_success=False,
    )


def test_a_quoted_line_break_belongs_to_its_cell(odd: Build) -> None:
    assert "OK created sql table model staging.stg_erp__customers" in odd.stdout, errors(odd.stdout)
    customers = read_rows(odd.path, "select * from staging.stg_erp__customers")
    assert_same_values(
        {row["customer_id"]: (row["name"], row["country"]) for row in customers},
        {
            "C1": ("Line one\nline two", None),
            "C2": ("Dock\nB", None),
            "C3": ("Three", "DE"),
        },
        "customers",
    )


def test_a_row_that_begins_with_a_number_sign_is_a_row(odd: Build) -> None:
    found = {row["product_id"] for row in read_rows(odd.path, "select product_id from staging.stg_erp__products")}
    assert found == {"10001", "10002", "#10003", "10004"}, "a landed row is gone without a trace"
