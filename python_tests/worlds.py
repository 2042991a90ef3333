"""Small worlds for end-to-end tests: raw folders and configuration folders of a few rows, written for one test.

Many worlds fit into one build: give each its own source system and its own organisation, and its segment types that
organisation's id. They share nothing but the as-of date.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tools.generator import TABLES

PROJECT = Path(__file__).resolve().parents[1]
CASES = PROJECT.parent / "shared" / "cases"
SEEDS = PROJECT / "seeds"

REQUIRED_TABLES = ["erp.customers", "erp.products", "erp.invoices", "erp.invoice_lines"]
OPTIONAL_TABLES = [name for name in TABLES if name not in REQUIRED_TABLES]
PUBLIC_SCHEMAS = ["core", "segmentation", "cost_to_serve", "audit"]

# For builds whose marts are compared cell by cell: dbt's own tests would only cost time.
DBT_TESTS = "resource_type:test resource_type:unit_test"
# For builds that are about data: unit tests bring their own rows, so one build per set of vars is enough for them.
UNIT_TESTS = "resource_type:unit_test"

# Who ran when, and what each run recorded: different by design.
RUN_RECORDS = {
    "audit.run_log",
    "audit.run_log_inputs",
    "audit.run_notices",
    "audit.sealed_events",
    "audit.seals",
}
# What earlier builds saw: a warehouse built from nothing has not seen it.
HISTORY = {
    "core.dim_customer_attribute_history",
    "segmentation.dim_customer_segment_history",
    "segmentation.dim_product_segment_history",
    "audit.dim_segment_restatements",
    "audit.fct_recorded_vs_restated",
    "audit.fct_tier_changes",
    "audit.findings_history_disagreements",
    # Counts these as well.
    "audit.fct_findings_summary",
}

Cells = dict[str, Any]


# ---- Raw folders ----


class Raw:
    """Rows of raw tables; cells that are not given are empty, and what follows from the rest is filled in."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Cells]] = {}
        self.numbers: Counter[str] = Counter()

    def add(self, table: str, **cells: Any) -> None:
        """One row of any table; it lands long before anything happens unless ``loaded_at`` is given."""
        unknown = cells.keys() - TABLES[table].columns.keys()
        assert not unknown, f"{table} has no column {sorted(unknown)}"
        self.rows.setdefault(table, []).append({"loaded_at": "2020-01-01 02:00:00"} | cells)

    def customer(self, source_system: str, customer_id: str, **cells: Any) -> None:
        """A customer."""
        self.add(
            "erp.customers", source_system=source_system, customer_id=customer_id, **({"name": customer_id} | cells)
        )

    def product(self, source_system: str, product_id: str, **cells: Any) -> None:
        """A product."""
        self.add("erp.products", source_system=source_system, product_id=product_id, **({"name": product_id} | cells))

    def sale(
        self,
        source_system: str,
        customer_id: str,
        day: str,
        net_amount: Any,
        *,
        product_id: str = "P1",
        line_cells: Cells | None = None,
        **cells: Any,
    ) -> str:
        """An invoice of one line (a negative amount: a credit note), landed the night after; returns its id."""
        self.numbers[source_system] += 1
        invoice_id = cells.pop("invoice_id", f"I{self.numbers[source_system]:04}")
        loaded_at = cells.pop("loaded_at", night_after(day))
        kind = "credit_note" if Decimal(str(net_amount)) < 0 else "invoice"
        self.add(
            "erp.invoices",
            **{
                "source_system": source_system,
                "invoice_id": invoice_id,
                "customer_id": customer_id,
                "invoice_date": day,
                "document_type": kind,
                "currency": "EUR",
                "loaded_at": loaded_at,
            }
            | cells,
        )
        self.line(source_system, invoice_id, 1, net_amount, loaded_at, product_id=product_id, **(line_cells or {}))
        return invoice_id

    def line(
        self, source_system: str, invoice_id: str, line_number: int, net_amount: Any, loaded_at: str, **cells: Any
    ) -> None:
        """An invoice line."""
        self.add(
            "erp.invoice_lines",
            **{
                "source_system": source_system,
                "invoice_id": invoice_id,
                "line_number": line_number,
                "product_id": "P1",
                "quantity": "-1" if str(net_amount).startswith("-") else "1",
                "net_amount": net_amount,
                "loaded_at": loaded_at,
            }
            | cells,
        )

    def write(self, folder: Path) -> Path:
        """The folder as a user lands it; a table without rows is a file with its header, if the table is required."""
        for table in TABLES:
            if table in self.rows or table in REQUIRED_TABLES:
                write_csv(
                    folder / f"{table.replace('.', '/')}.csv", TABLES[table].column_names, self.rows.get(table, [])
                )
        return folder

    def absent_tables(self) -> list[str]:
        """What this world does not have, for the var of that name."""
        return [table for table in OPTIONAL_TABLES if table not in self.rows]


def night_after(day: str) -> str:
    """When what happened on a day lands."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(2)).isoformat(" ")


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A CSV file as RFC 4180 has it, with plain line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_case(case: str, file: str = "expected.csv") -> list[dict[str, str]]:
    """A file of a worked example, or skip where the examples are not at hand."""
    path = CASES / case / file
    if not path.is_file():
        pytest.skip(f"The worked examples are not beside the project: {path} does not exist.")
    return read_csv(path)


# ---- Configuration folders ----


def write_configuration(
    folder: Path,
    replace: Mapping[str, list[Cells]] | None = None,
    append: Mapping[str, list[Cells]] | None = None,
) -> Path:
    """The project's own seeds with some of them replaced or longer; cells that are not given are empty.

    Who brings other types brings the decisions about them as well: the project's own would name types that are gone.
    """
    replaced = dict(replace or {})
    if "segment_types" in replaced:
        replaced = {"segment_overrides": []} | replaced
    shutil.copytree(SEEDS, folder)
    for seed in {**replaced, **(append or {})}:
        path = folder / f"{seed}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
        rows = replaced.get(seed, read_csv(path)) + (append or {}).get(seed, [])
        write_csv(path, columns, rows)
    return folder


def segment_type(segment_type_id: str, **cells: Any) -> Cells:
    """A row of segment_types: a customer type by net sales over twelve months unless the cells say otherwise."""
    return {"segment_type_id": segment_type_id, "entity": "customer", "metric": "net_sales"} | cells


def tiers(segment_type_id: str, default: str | None = None, excluded: str | None = None, **shares: str) -> list[Cells]:
    """Rows of segment_tiers, best first: ``tiers("mine", A="0.80", B="0.15", C="0.05", default="N", excluded="X")``."""
    cuts = shares or {"A": "0.80", "B": "0.15", "C": "0.05"}
    return _tier_rows(segment_type_id, "sales_share", cuts, default, excluded)


def absolute_tiers(
    segment_type_id: str, default: str | None = None, excluded: str | None = None, **minimums: str
) -> list[Cells]:
    """Rows of segment_tiers for method absolute, best first: ``absolute_tiers("mine", A="1000", B="500", C="0")``."""
    return _tier_rows(segment_type_id, "minimum_amount", minimums, default, excluded)


def _tier_rows(
    segment_type_id: str, column: str, limits: Mapping[str, str], default: str | None, excluded: str | None
) -> list[Cells]:
    """Ranked tiers with their limits, then the tier of the new, then that of those who do not take part."""
    names = [*limits, *(name for name in (default, excluded) if name)]
    return [
        {
            "segment_type_id": segment_type_id,
            "tier": tier,
            column: limits.get(tier, ""),
            "tier_rank": rank,
            "is_default": "true" if tier == default else "",
            "is_excluded": "true" if tier == excluded else "",
        }
        for rank, tier in enumerate(names, start=1)
    ]


def override(override_id: str, segment_type_id: str, entity_id: str, **cells: str) -> Cells:
    """A row of segment_overrides: an approved ``set`` from the first of January 2025 on unless the cells differ."""
    return {
        "override_id": override_id,
        "segment_type_id": segment_type_id,
        "entity_id": entity_id,
        "mode": "set",
        "valid_from": "2025-01-01",
        "reason": "agreed",
        "requested_by": "grace",
        "approved_by": "ada",
    } | cells


# ---- Runs that a test has to hold in its hand ----


def start_dbt(
    raw: Path | str,
    configuration: Path,
    folder: Path,
    variables: Cells | None = None,
    exclude: str = DBT_TESTS,
    flags: Iterable[str] = (),
) -> subprocess.Popen[str]:
    """A running ``dbt build`` in a folder laid out as by ``conftest.build``.

    An empty ``raw`` means that the raw tables are already in the warehouse. ``flags`` are more arguments of dbt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROJECT / "profiles.example.yml", folder / "profiles.yml")
    own_configuration = folder / "configuration"
    shutil.rmtree(own_configuration, ignore_errors=True)
    shutil.copytree(configuration, own_configuration)
    arguments = [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "build"]
    arguments += [
        "--profiles-dir",
        str(folder),
        "--target-path",
        str(folder / "target"),
        "--log-path",
        str(folder / "logs"),
    ]
    arguments += ["--vars", json.dumps(variables or {}), "--exclude", *exclude.split(), *flags]
    environment = os.environ | {
        "STRATUM_RAW_DATA": Path(raw).resolve().as_posix() if raw else "",
        "STRATUM_CONFIGURATION": own_configuration.as_posix(),
        "STRATUM_WAREHOUSE": (folder / "stratum.duckdb").as_posix(),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        arguments, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen[str], folder: Path) -> Path:
    """Wait for a running dbt, which has to succeed; returns the DuckDB file."""
    printed, _ = process.communicate(timeout=600)
    if process.returncode != 0:
        pytest.fail(f"dbt ended with {process.returncode}:\n{printed[-6000:]}", pytrace=False)
    return folder / "stratum.duckdb"


def kill_when(process: subprocess.Popen[str], words: str) -> None:
    """Kill a running dbt (SIGKILL: no handler, no clean-up) as soon as it prints a line with these words."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if words in line:
            process.kill()
            process.wait()
            return
    process.wait()
    pytest.fail(
        f"dbt ended with {process.returncode} before it printed '{words}':\n{''.join(printed)[-6000:]}", pytrace=False
    )


def verify_seals(folder: Path, raw: Path, variables: Cells, **arguments: Any) -> tuple[int, str]:
    """The exit code of the verification of a warehouse that ``start_dbt`` has built, and what it says, in one line."""
    result = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            *("--quiet", "--no-use-colors", "run-operation", "verify_seals", "--args", json.dumps(arguments)),
            *("--vars", json.dumps(variables)),
            *("--profiles-dir", str(folder)),
            *("--target-path", str(folder / "target")),
            *("--log-path", str(folder / "logs")),
        ],
        cwd=PROJECT,
        env=os.environ
        | {
            "STRATUM_RAW_DATA": raw.as_posix(),
            "STRATUM_CONFIGURATION": (folder / "configuration").as_posix(),
            "STRATUM_WAREHOUSE": (folder / "stratum.duckdb").as_posix(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return result.returncode, " ".join(result.stdout.split())


def errors(printed: str) -> str:
    """What dbt printed of its errors, for the message of a failed assertion."""
    lines = printed.splitlines()
    places = [number for number, line in enumerate(lines) if "[ERROR]" in line]
    return "\n".join(line for number in places for line in lines[number : number + 8]) or printed[-3000:]


# ---- What a warehouse holds ----

Contents = dict[str, tuple[list[str], list[tuple]]]


def contents(
    path: Path, schemas: Iterable[str] = tuple(PUBLIC_SCHEMAS), without: Mapping[str, set[str]] | None = None
) -> Contents:
    """Every relation of some schemas: its columns and its rows in one fixed order. ``without`` leaves out columns."""
    found: Contents = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "select concat(table_schema, '.', table_name) from information_schema.tables"
            " where list_contains(?, table_schema)",
            [list(schemas)],
        ).fetchall()
        for (name,) in sorted(names):
            if name in RUN_RECORDS:
                continue
            excluded = (without or {}).get(name, set())
            columns = [row[0] for row in connection.execute(f"describe {name}").fetchall() if row[0] not in excluded]
            listed = ", ".join(f'"{column}"' for column in columns)
            found[name] = (columns, connection.execute(f"select {listed} from {name} order by all").fetchall())
    assert found, f"{path} holds nothing in {', '.join(schemas)}"
    return found


def assert_same_contents(found: Contents, expected: Contents, what: str) -> None:
    """Compare relation by relation, and show a few of the rows that only one side has."""
    assert found.keys() == expected.keys(), f"{what}: the relations differ: {sorted(found.keys() ^ expected.keys())}"
    differences = []
    for name in expected:
        if found[name] == expected[name]:
            continue
        if found[name][0] != expected[name][0]:
            differences.append(f"{name}: columns {found[name][0]} instead of {expected[name][0]}")
            continue
        found_rows, expected_rows = Counter(found[name][1]), Counter(expected[name][1])
        only_found, only_expected = list(found_rows - expected_rows)[:3], list(expected_rows - found_rows)[:3]
        differences.append(
            f"{name} ({len(found[name][1])} rows instead of {len(expected[name][1])}):\n"
            f"    only found:    {only_found}\n    only expected: {only_expected}"
        )
    assert not differences, f"{what}: {len(differences)} of {len(expected)} relations differ\n" + "\n".join(differences)


def assert_same_values(found: Mapping[Any, Any], expected: Mapping[Any, Any], what: str) -> None:
    """Compare key by key, and show only the keys that differ as (found, expected)."""
    keys = sorted(found.keys() | expected.keys(), key=str)
    differences = {
        key: (found.get(key, "(no row)"), expected.get(key, "(no row)"))
        for key in keys
        if found.get(key) != expected.get(key)
    }
    assert not differences, f"{what}: (found, expected) differ for {differences}"
