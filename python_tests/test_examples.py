"""The examples end to end: map the public data, build, and find the totals other people published for it.

The data is not part of the repository. It is looked for in ``../shared/data`` beside the project, or where
``STRATUM_EXAMPLE_DATA`` points: a folder with one folder per example.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("STRATUM_EXAMPLE_DATA", PROJECT.parent / "shared" / "data"))
EXAMPLES = sorted(path.parent.name for path in (PROJECT / "examples").glob("*/map.sql"))

# An example takes minutes; one that hangs should not take the night.
BUILD_TIMEOUT_SECONDS = 3600

Row = tuple[str, str, Decimal]


def run_example(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a reader of the README would."""
    return subprocess.run(
        [sys.executable, "-m", "tools.run_example", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_SECONDS,
        check=False,
    )


def data_folder(example: str) -> Path:
    """The folder of the public data, or skip the test that asks for it."""
    folder = DATA / example
    if not folder.is_dir():
        pytest.skip(f"The public data of {example} is not in {folder}; examples/{example}/README.md says where it is from.")
    return folder


@dataclass(frozen=True)
class Example:
    """A built example: its raw folder and an open, read-only connection to its warehouse."""

    name: str
    raw: Path
    connection: duckdb.DuckDBPyConnection

    def one(self, query: str) -> tuple:
        """The only row of a query."""
        return self.connection.sql(query).fetchall()[0]

    def rows(self, query: str) -> list[tuple]:
        """All rows of a query."""
        return self.connection.sql(query).fetchall()


def build_example(name: str, folder: Path) -> Iterator[Example]:
    """Map and build one example into a folder; the caller's fixture keeps it for the module."""
    configuration = PROJECT / "examples" / name / "configuration"
    before = {path.name: path.read_bytes() for path in configuration.iterdir()}
    result = run_example(name, "--data", str(data_folder(name)), "--out", str(folder))
    # dbt alone would overwrite seeds under an absolute path; see macros/project/noop_statement.sql.
    assert {path.name: path.read_bytes() for path in configuration.iterdir()} == before
    assert result.returncode == 0, f"{result.stdout[-6000:]}\n{result.stderr[-2000:]}"
    raw = folder / "raw"
    with duckdb.connect(folder / "stratum.duckdb", read_only=True) as connection:
        yield Example(name, raw, connection)


@pytest.fixture(scope="module")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The bicycle maker, built once."""
    yield from build_example("adventureworks", tmp_path_factory.mktemp("adventureworks"))


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The gift wholesaler, built once."""
    yield from build_example("online_retail", tmp_path_factory.mktemp("online_retail"))


def raw_rows(raw: Path, query: str) -> list[tuple]:
    """Query a raw folder by table name: customers, invoices, invoice_lines …"""
    with duckdb.connect() as connection:
        for path in sorted((raw / "erp").glob("*.parquet")):
            connection.read_parquet(path.as_posix()).create_view(path.stem)
        return connection.sql(query).fetchall()


# ---- The tiers once more, in plain Python: a mistake would have to be made twice. ----


def last_complete_month_end(as_of: date) -> date:
    """R11: a month's last day completes it."""
    if (as_of + timedelta(days=1)).day == 1:
        return as_of
    return as_of.replace(day=1) - timedelta(days=1)


def start_of_months(end: date, months: int) -> date:
    """First day of a window of whole months that ends with the month of `end`."""
    month_index = end.year * 12 + end.month - months
    return date(month_index // 12, month_index % 12 + 1, 1)


def ranked_tiers(cents: dict[str, int]) -> dict[str, str]:
    """R1 to R4: the tier by what strictly larger entities hold, multiplied out, never divided."""
    total = sum(cents.values())
    tiers: dict[str, str] = {}
    tier_of_amount: dict[int, str] = {}
    before = 0
    amounts = sorted(cents.values(), reverse=True)
    for amount in amounts:
        # The first of equal amounts sets the tier of all of them: ties together.
        if amount not in tier_of_amount:
            tier_of_amount[amount] = "A" if before * 100 < 80 * total else "B" if before * 100 < 95 * total else "C"
        before += amount
    for entity, amount in cents.items():
        tiers[entity] = tier_of_amount[amount]
    return tiers


def expected_segments(
    raw: Path,
    *,
    by_parent: bool,
    window: tuple[date, date],
    as_of: date,
    new_customer_days: int,
    minimum_cents: int = 0,
) -> dict[str, Row]:
    """Reason code, tier and net sales per global customer id, straight from the raw folder."""
    # Exact copies count once; lines of a document without a customer not at all.
    lines = raw_rows(
        raw,
        """
        select invoices.customer_id, invoices.invoice_date, invoices.document_type, sum(round(lines.net_amount, 2))
        from (select distinct * from invoice_lines) as lines
        inner join invoices using (invoice_id)
        where invoices.customer_id is not null
        group by all
        """,
    )
    customers = raw_rows(raw, "select source_system, customer_id, parent_customer_id from customers")
    entity_of = {customer: (parent if by_parent and parent else customer) for _, customer, parent in customers}

    cents: dict[str, int] = {}
    first_invoice: dict[str, date] = {}
    for customer, day, document_type, amount in lines:
        entity = entity_of[customer]
        if document_type == "invoice":
            first_invoice[entity] = min(day, first_invoice.get(entity, day))
        if window[0] <= day <= window[1]:
            cents[entity] = cents.get(entity, 0) + int(amount * 100)

    def is_new(entity: str) -> bool:
        return entity not in first_invoice or (as_of - first_invoice[entity]).days < new_customer_days

    tiers = ranked_tiers(
        {
            entity: amount
            for entity, amount in cents.items()
            if not is_new(entity) and amount > 0 and amount >= minimum_cents
        }
    )

    def verdict(entity: str) -> tuple[str, str]:
        if is_new(entity):
            return "default_new", "N"
        if entity not in cents:
            return "no_sales_in_scope", "C"
        if cents[entity] <= 0:
            return "non_positive_net_sales", "C"
        if cents[entity] < minimum_cents:
            return "below_min_net_sales", "C"
        return "ranked", tiers[entity]

    return {
        f"{source_system}:{customer}": (*verdict(entity_of[customer]), Decimal(cents.get(entity_of[customer], 0)) / 100)
        for source_system, customer, _ in customers
    }


def built_segments(example: Example, segment_type_id: str) -> dict[str, Row]:
    """The same columns from the mart."""
    return {
        customer_id: (reason_code, tier, metric_amount or Decimal(0))
        for customer_id, reason_code, tier, metric_amount in example.rows(
            f"""
            select customer_id, reason_code, tier, metric_amount
            from segmentation.fct_customer_segments
            where segment_type_id = '{segment_type_id}'
            """
        )
    }


def assert_same_segments(found: dict[str, Row], expected: dict[str, Row]) -> None:
    """Compare and name a few customers instead of printing thousands."""
    assert found.keys() == expected.keys()
    differences = {key: (found[key], expected[key]) for key in expected if found[key] != expected[key]}
    assert not differences, f"{len(differences)} customers differ (found, expected): {dict(list(differences.items())[:5])}"


# ---- What holds without the public data ----


def test_a_missing_data_folder_is_one_clear_sentence() -> None:
    result = run_example("adventureworks", "--data", "no/such/folder", "--map-only")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "no/such/folder does not exist" in result.stderr


def test_an_unknown_example_names_the_known_ones(tmp_path: Path) -> None:
    result = run_example("nowhere", "--data", str(tmp_path), "--out", str(tmp_path), "--map-only")
    assert result.returncode == 2
    assert all(name in result.stderr for name in EXAMPLES)


def test_a_missing_source_file_is_named(tmp_path: Path) -> None:
    result = run_example("online_retail", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--map-only")
    assert result.returncode == 2
    assert "online_retail.parquet" in result.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_configuration_has_the_files_and_columns_of_the_seeds(name: str) -> None:
    def headers(folder: Path) -> dict[str, list[str]]:
        found = {}
        for path in sorted(folder.glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                found[path.name] = next(csv.reader(file))
        return found

    assert headers(PROJECT / "examples" / name / "configuration") == headers(PROJECT / "seeds")


# ---- The raw folders ----


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_raw_folder_meets_the_contract(name: str, tmp_path: Path) -> None:
    result = run_example(name, "--data", str(data_folder(name)), "--out", str(tmp_path), "--map-only")
    assert result.returncode == 0, result.stderr
    landed = {path.stem for path in (tmp_path / "raw" / "erp").glob("*.parquet")}
    absent = set(yaml.safe_load((PROJECT / "examples" / name / "vars.yml").read_text())["absent_tables"])
    contract: dict[str, list[str]] = {}
    for path in sorted((PROJECT / "models" / "staging").glob("*/*sources.yml")):
        for source in yaml.safe_load(path.read_text())["sources"]:
            for table in source["tables"]:
                contract[f"{source['name']}.{table['name']}"] = [column["name"] for column in table["columns"]]

    assert {f"erp.{table}" for table in landed} == contract.keys() - absent
    for table in landed:
        columns = [row[0] for row in raw_rows(tmp_path / "raw", f"describe select * from {table}")]
        assert set(columns) == set(contract[f"erp.{table}"]), table


def test_mapping_twice_writes_the_same_rows(tmp_path: Path) -> None:
    data = str(data_folder("online_retail"))
    checksums = []
    for run in ("first", "second"):
        assert run_example("online_retail", "--data", data, "--out", str(tmp_path / run), "--map-only").returncode == 0
        checksums.append(raw_rows(tmp_path / run / "raw", "select sum(hash(invoice_lines)) from invoice_lines"))
    assert checksums[0] == checksums[1]


# ---- AdventureWorks ----


def test_adventureworks_reaches_the_known_totals(adventureworks: Example) -> None:
    assert adventureworks.one(
        """
        select count(distinct invoice_id), count(*), count(distinct customer_id), sum(net_sales), sum(net_amount)
        from core.fct_invoice_lines
        """
    ) == (31_465, 121_317, 19_119, Decimal("109846380.90"), pytest.approx(Decimal("109846381.40"), abs=Decimal("1.00")))


def test_adventureworks_lands_without_a_fault(adventureworks: Example) -> None:
    assert adventureworks.rows("select source_table, quarantine_rule from audit.quarantined_records") == []


def test_adventureworks_cost_is_that_of_the_order_date(adventureworks: Example) -> None:
    raw_cost = raw_rows(adventureworks.raw, "select sum(round(cost_amount, 2)) from invoice_lines")[0][0]
    cost, margin, unknown = adventureworks.one(
        "select sum(cost), sum(gross_margin), count(*) filter (where cost is null) from core.fct_invoice_lines"
    )
    assert cost == raw_cost
    assert margin > 0
    # 25 products were sold after their last cost period.
    assert unknown == 64


def test_adventureworks_resellers_earn_a_margin_with_historical_cost(adventureworks: Example) -> None:
    # With today's cost it would be minus 2.3 million.
    resellers = [f"adventureworks:{row[0]}" for row in raw_rows(
        adventureworks.raw, "select customer_id from customers where parent_customer_id is not null"
    )]
    margins = dict(adventureworks.rows("select customer_id, sum(gross_margin) from core.fct_invoice_lines group by customer_id"))
    assert 450_000 < sum(margins[customer] or 0 for customer in resellers if customer in margins) < 490_000


def test_adventureworks_stores_stand_above_their_accounts(adventureworks: Example) -> None:
    assert adventureworks.one(
        """
        select count(*), count(distinct ultimate_parent_id), count(*) filter (where hierarchy_status = 'ok')
        from core.dim_customers
        where ultimate_parent_id like 'adventureworks:store-%'
        """
    ) == (701 + 1_336, 701, 701 + 1_336)
    # An account carries the tier of its store.
    assert adventureworks.one(
        """
        select count(*)
        from segmentation.fct_customer_segments as account
        inner join segmentation.fct_customer_segments as store
            on account.entity_id = store.customer_id
            and account.segment_type_id = store.segment_type_id
        where account.segment_type_id = 'sales_performance'
            and account.tier <> store.tier
        """
    ) == (0,)


def test_adventureworks_has_every_customer_once_per_segment_type(adventureworks: Example) -> None:
    assert adventureworks.rows(
        """
        select segment_type_id, count(*), count(distinct customer_id)
        from segmentation.fct_customer_segments
        group by segment_type_id
        order by segment_type_id
        """
    ) == [
        (segment_type_id, 20_521, 20_521)
        for segment_type_id in (
            "gross_margin_performance", "reseller_sales", "sales_performance", "sales_performance_per_customer",
        )
    ]


@pytest.mark.parametrize(
    ("segment_type_id", "by_parent", "minimum_cents"),
    [
        ("sales_performance", True, 0),
        ("sales_performance_per_customer", False, 0),
        ("reseller_sales", True, 1_100_000),
    ],
)
def test_adventureworks_tiers_are_those_of_plain_python(
    adventureworks: Example, segment_type_id: str, by_parent: bool, minimum_cents: int
) -> None:
    as_of = raw_rows(adventureworks.raw, "select max(invoice_date) from invoices")[0][0]
    assert as_of == date(2025, 6, 29)
    end = last_complete_month_end(as_of)
    expected = expected_segments(
        adventureworks.raw,
        by_parent=by_parent,
        window=(start_of_months(end, 12), end),
        as_of=as_of,
        new_customer_days=90,
        minimum_cents=minimum_cents,
    )
    assert_same_segments(built_segments(adventureworks, segment_type_id), expected)


def test_adventureworks_reseller_tiers_hold_no_individual(adventureworks: Example) -> None:
    assert adventureworks.one(
        """
        select count(*)
        from segmentation.fct_customer_segments
        where segment_type_id = 'reseller_sales'
            and reason_code = 'ranked'
            and entity_id not like 'adventureworks:store-%'
        """
    ) == (0,)


# ---- Online Retail ----


def test_online_retail_reaches_the_known_totals(online_retail: Example) -> None:
    assert online_retail.one(
        "select count(*), count(distinct customer_id), sum(net_sales) from core.fct_invoice_lines"
    ) == (401_604, 4_372, Decimal("8278519.42"))
    # Before exact copies are superseded: the published total.
    assert raw_rows(
        online_retail.raw,
        """
        select count(*), count(distinct invoices.customer_id), cast(sum(net_amount) as decimal(18, 2))
        from invoice_lines inner join invoices using (invoice_id)
        where invoices.customer_id is not null
        """,
    ) == [(406_829, 4_372, Decimal("8300065.81"))]


def test_online_retail_credit_notes_are_negative(online_retail: Example) -> None:
    assert raw_rows(
        online_retail.raw,
        """
        select count(*)
        from invoice_lines inner join invoices using (invoice_id)
        where document_type = 'credit_note'
        """,
    ) == [(9_288,)]
    assert online_retail.one(
        """
        select count(*), sum(net_sales), count(*) filter (where net_sales > 0)
        from core.fct_invoice_lines
        where document_type = 'credit_note'
        """
    ) == (8_872, Decimal("-608689.47"), 0)


def test_online_retail_every_raw_line_has_one_fate(online_retail: Example) -> None:
    """541,909 = 401,604 staged + 5,268 exact copies + 135,037 quarantined (135,080 less 43 exact copies)."""
    quarantined = online_retail.rows(
        """
        select quarantine_rule, count(*), cast(sum(amount) as decimal(18, 2))
        from audit.quarantined_records
        where source_table = 'erp.invoice_lines'
        group by quarantine_rule
        """
    )
    assert quarantined == [("header_quarantined", 135_037, Decimal("1447487.53"))]
    raw_count = raw_rows(online_retail.raw, "select count(*) from invoice_lines")[0][0]
    copies = raw_count - raw_rows(online_retail.raw, "select count(*) from (select distinct * from invoice_lines)")[0][0]
    staged = online_retail.one("select count(*) from core.fct_invoice_lines")[0]
    assert (raw_count, copies) == (541_909, 5_268)
    assert staged + copies + quarantined[0][1] == raw_count


def test_online_retail_documents_without_a_customer_are_quarantined(online_retail: Example) -> None:
    headers = online_retail.rows(
        """
        select record_key, quarantine_rule, source_system
        from audit.quarantined_records
        where source_table = 'erp.invoices'
        """
    )
    assert len(headers) == 3_710
    assert {source_system for _, _, source_system in headers} == {"online_retail"}
    # A written-off debt breaks two rules, the customer and the document type: either is a true reason.
    rules = {rule for key, rule, _ in headers if not key.startswith("A")}
    assert rules == {"customer_missing"}
    bad_debts = [rule for key, rule, _ in headers if key.startswith("A")]
    assert len(bad_debts) == 3
    assert set(bad_debts) <= {"customer_missing", "document_type_unknown"}


def test_online_retail_only_headers_and_their_lines_are_quarantined(online_retail: Example) -> None:
    assert online_retail.rows(
        "select distinct source_table from audit.quarantined_records order by source_table"
    ) == [("erp.invoice_lines",), ("erp.invoices",)]


def test_online_retail_has_every_customer_once_per_segment_type(online_retail: Example) -> None:
    counts = online_retail.rows(
        """
        select segment_type_id, count(*), count(distinct customer_id)
        from segmentation.fct_customer_segments
        group by segment_type_id
        """
    )
    assert {segment_type_id for segment_type_id, _, _ in counts} == {
        "sales_performance", "sales_performance_season", "sales_performance_to_date",
    }
    assert {(rows, customers) for _, rows, customers in counts} == {(4_372, 4_372)}


@pytest.mark.parametrize(("segment_type_id", "months"), [("sales_performance", 12), ("sales_performance_season", 3)])
def test_online_retail_tiers_are_those_of_plain_python(online_retail: Example, segment_type_id: str, months: int) -> None:
    as_of = date(2011, 12, 9)
    end = last_complete_month_end(as_of)
    expected = expected_segments(
        online_retail.raw, by_parent=False, window=(start_of_months(end, months), end), as_of=as_of, new_customer_days=90
    )
    assert_same_segments(built_segments(online_retail, segment_type_id), expected)


def test_online_retail_tiers_over_all_documents_are_those_of_plain_python(online_retail: Example) -> None:
    as_of = date(2011, 12, 9)
    expected = expected_segments(
        online_retail.raw, by_parent=False, window=(date(2010, 12, 1), as_of), as_of=as_of, new_customer_days=0
    )
    found = built_segments(online_retail, "sales_performance_to_date")
    assert_same_segments(found, expected)
    # Published: 55 customers gave back as much as they bought, or more.
    assert sum(1 for _, _, amount in found.values() if amount <= 0) == 55


def test_online_retail_services_can_be_told_from_goods(online_retail: Example) -> None:
    services = [f"online_retail:{row[0]}" for row in raw_rows(
        online_retail.raw, "select product_id from products where category = 'service'"
    )]
    assert len(services) == 17
    net_sales = dict(online_retail.rows("select product_id, sum(net_sales) from core.fct_invoice_lines group by product_id"))
    assert sum(net_sales.get(product, Decimal(0)) for product in services) == Decimal("14227.49")
    # Postage is the fifth-largest "product" of the window: read the ABC beside the category.
    assert online_retail.rows(
        """
        select sales_rank, tier
        from segmentation.fct_product_segments
        where segment_type_id = 'product_abc' and product_id = 'online_retail:POST'
        """
    ) == [(5, "A")]
