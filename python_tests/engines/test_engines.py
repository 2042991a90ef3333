"""Every engine says the same: every public mart and every snapshot has the same rows, by their canonical hash, after a first night and after
a second one with other data.

``make test-engines`` runs this. An engine is left out where its software cannot be installed, and the summary says so.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines.legs import PROJECT, Leg, postgres_leg
from engines.postgres_server import READER

SAMPLE_RAW = PROJECT / "sample_data"
SAMPLE_CONFIGURATION = PROJECT / "seeds"
FIRST_NIGHT = {"as_of_date": "2026-05-31"}
SECOND_NIGHT = {"as_of_date": "2026-06-30"}
VANISHED = ("erp_south", "C00073")
Rows = list[dict[str, str]]


def change(path: Path, how: Callable[[Rows], Rows]) -> None:
    """Rewrite a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows = how(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def second_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Raw data and configuration of the second night: a customer is gone, documents of March have landed late, a line was corrected, and
    somebody has decided on a tier.
    """
    folder = tmp_path_factory.mktemp("second_night")
    raw, configuration = folder / "raw", folder / "configuration"
    shutil.copytree(SAMPLE_RAW, raw)
    shutil.copytree(SAMPLE_CONFIGURATION, configuration)
    change(raw / "erp" / "customers.csv", lambda rows: [row for row in rows if (row["source_system"], row["customer_id"]) != VANISHED])

    def late_headers(rows: Rows) -> Rows:
        sold = next(row for row in rows if row["invoice_date"] > "2026-02" and row["document_type"] == "invoice" and row["customer_id"] != VANISHED[1])
        return [*rows, sold | {"invoice_id": "I99999999", "invoice_date": "2026-03-17", "order_id": "", "loaded_at": "2026-06-20 02:00:00"}]

    def late_lines(rows: Rows) -> Rows:
        late = rows[0] | {"invoice_id": "I99999999", "net_amount": "48000.00", "loaded_at": "2026-06-20 02:00:00"}
        corrected = rows[-1] | {"net_amount": "1.23", "loaded_at": "2026-06-21 02:00:00"}
        return [*rows, late, corrected]

    change(raw / "erp" / "invoices.csv", late_headers)
    change(raw / "erp" / "invoice_lines.csv", late_lines)
    change(
        configuration / "segment_overrides.csv",
        lambda rows: [*rows, rows[0] | {"override_id": "O999", "entity_id": "erp_south:C00001", "valid_from": "2026-06-15", "recorded_on": "2026-06-15"}],
    )
    return raw, configuration


def two_nights(leg: Leg, second: tuple[Path, Path]) -> list[dict[str, dict[str, object]]]:
    """The hashes after each of two nights, the second one with all data tests."""
    leg.build(SAMPLE_RAW, SAMPLE_CONFIGURATION, FIRST_NIGHT, with_tests=False)
    first_hashes = leg.hashes()
    leg.build(*second, SECOND_NIGHT)
    return [first_hashes, leg.hashes()]


def differences(reference: list[dict], found: list[dict]) -> list[str]:
    """A sentence for every relation that is not the same."""
    return [
        f"night {number}: {name} has {there.get(name)}, and {expected.get(name)} on DuckDB"
        for number, (expected, there) in enumerate(zip(reference, found, strict=True), start=1)
        for name in sorted(expected.keys() | there.keys())
        if expected.get(name) != there.get(name)
    ]


@pytest.fixture(scope="session")
def duckdb_nights(tmp_path_factory: pytest.TempPathFactory, second_night: tuple[Path, Path]) -> list[dict]:
    """What DuckDB says, which the others are held against; built once, also where files of tests run side by side."""
    folder = tmp_path_factory.mktemp("duckdb")
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    shared = (tmp_path_factory.getbasetemp().parent if worker else tmp_path_factory.getbasetemp()) / "duckdb_nights.json"
    with shared.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            shared.write_text(json.dumps(two_nights(Leg("duckdb", folder), second_night)), encoding="utf-8")
    return json.loads(shared.read_text(encoding="utf-8"))


def test_the_second_night_is_another_one(duckdb_nights: list[dict]) -> None:
    """Else the second comparison would compare nothing: the marts that the changes are about have changed, and history has grown."""
    first, second = duckdb_nights
    for name in ["dim_customers", "fct_invoice_lines", "fct_customer_segments", "fct_tier_changes", "snap_segment_tiers", "snap_configuration", "seals"]:
        assert first[name]["hash"] != second[name]["hash"], name
    assert second["snap_segment_tiers"]["rows"] > first["snap_segment_tiers"]["rows"]
    assert second["dim_customers"]["rows"] == first["dim_customers"]["rows"] - 1
    assert second["seals"]["rows"] == 2


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    """A leg on a real server."""
    with postgres_leg(tmp_path_factory.mktemp("postgres")) as leg:
        yield leg


@pytest.fixture(scope="session")
def postgres_nights(postgres: Leg, second_night: tuple[Path, Path]) -> list[dict]:
    """What PostgreSQL says, with all data tests, built by a role that may create schemas and nothing else."""
    return two_nights(postgres, second_night)


def test_postgres_says_the_same(duckdb_nights: list[dict], postgres_nights: list[dict]) -> None:
    """After both nights."""
    assert differences(duckdb_nights, postgres_nights) == []


@pytest.mark.usefixtures("postgres_nights")
def test_the_seals_of_another_engine_are_verified(postgres: Leg) -> None:
    """After two nights."""
    output = postgres.dbt("run-operation", "verify_seals", "--vars", postgres.variables, raw="", configuration=postgres.folder / "configuration")
    assert "Seals verified: 2 seals" in output


@pytest.mark.usefixtures("postgres_nights")
def test_readers_read_marts_and_nothing_else(postgres: Leg) -> None:
    """A role named in the environment reads what is public, also after the next build; staging, raw data and any writing are refused."""
    import psycopg2  # noqa: PLC0415 - where the server is

    settings = postgres.environment
    connection = psycopg2.connect(
        host=settings["STRATUM_POSTGRES_HOST"], port=settings["STRATUM_POSTGRES_PORT"], dbname=settings["STRATUM_POSTGRES_DATABASE"], user=READER
    )
    with contextlib.closing(connection):
        connection.autocommit = True
        with connection.cursor() as cursor:
            for relation in [
                "core.dim_customers",
                "segmentation.fct_customer_segments",
                "cost_to_serve.fct_customer_profitability",
                "audit.quarantined_records",
                "audit.run_log",
            ]:
                cursor.execute(f"select count(*) from {relation}")
                assert cursor.fetchone()[0] > 0, relation
            for statement in [
                "select * from staging.stg_erp__customers",
                "select * from intermediate.int_segment_types",
                "select * from snapshots.snap_segment_tiers",
                "select * from configuration.segment_types",
                "select * from erp.customers",
                "delete from core.dim_customers",
                "update segmentation.fct_customer_segments set tier = 'A'",
                "insert into audit.seals select * from audit.seals",
                "truncate audit.sealed_events",
                "drop table core.dim_customers",
                "create table core.mine (x integer)",
                "create schema mine",
                "create table public.mine (x integer)",
            ]:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(statement)


DUCKDB_2 = "2.0.0"


@pytest.fixture(scope="session")
def duckdb_2(tmp_path_factory: pytest.TempPathFactory) -> Leg:
    """A leg on the next DuckDB: its library stands in front of the installed one."""
    library = PROJECT / "build" / f"duckdb-{DUCKDB_2}"
    if not (library / "duckdb").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(library), f"duckdb=={DUCKDB_2}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"NOT PROVEN on DuckDB {DUCKDB_2}: it cannot be installed: {result.stderr.strip()[-300:]}")
    leg = Leg("duckdb", tmp_path_factory.mktemp("duckdb_2"), {"PYTHONPATH": str(library)})
    version = leg.run([str(leg.python), "-c", "import duckdb; print(duckdb.__version__)"]).strip()
    assert version == DUCKDB_2
    return leg


def test_the_next_duckdb_says_the_same(duckdb_2: Leg, duckdb_nights: list[dict], second_night: tuple[Path, Path]) -> None:
    """The same project on the next major release."""
    assert differences(duckdb_nights, two_nights(duckdb_2, second_night)) == []
