"""``make load`` on PostgreSQL: what DuckDB reads in the folder stands in the schemas afterwards, whatever happened on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from engines.legs import PROJECT, Leg, postgres_leg

sys.path.insert(0, str(PROJECT))
from tools.loader.raw_folder import raw_tables  # noqa: E402

SAMPLE_RAW = PROJECT / "sample_data"


@pytest.fixture(scope="module")
def leg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    """A server of its own."""
    with postgres_leg(tmp_path_factory.mktemp("loader")) as leg:
        yield leg


def loader(raw: Path) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "tools.loader", "--target", "postgres", "--raw", str(raw)]


def standing(leg: Leg, table: str) -> list[tuple]:
    """The rows on the server, in some order."""
    import psycopg2  # noqa: PLC0415 - where the server is

    settings = leg.environment
    with psycopg2.connect(
        host=settings["STRATUM_POSTGRES_HOST"],
        port=settings["STRATUM_POSTGRES_PORT"],
        dbname=settings["STRATUM_POSTGRES_DATABASE"],
        user=settings["STRATUM_POSTGRES_USER"],
    ) as connection, connection.cursor() as cursor:
        cursor.execute(f"select * from {table}")
        return sorted(cursor.fetchall(), key=repr)


def read(raw: Path) -> dict[str, list[tuple]]:
    """Every table as DuckDB reads it; no cell and an empty one mean the same."""
    with duckdb.connect() as connection:
        return {table.full_name: sorted(connection.execute(table.records).fetchall(), key=repr) for table in raw_tables(raw)}


def test_a_killed_load_goes_on_where_it_was(leg: Leg) -> None:
    """SIGKILL after some tables: those are there, no other is ever half there, and in the end all are as in the folder."""
    expected = read(SAMPLE_RAW)
    for tables in [1, 4, 9]:
        process = subprocess.Popen(loader(SAMPLE_RAW), cwd=PROJECT, env=environment(leg), stdout=subprocess.PIPE, text=True)
        for _ in range(tables):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = [table for table in expected if exists(leg, table)]
        assert len(found) >= tables
        for table in found:
            assert len(standing(leg, table)) == len(expected[table]), table
    leg.run(loader(SAMPLE_RAW))
    assert {table: standing(leg, table) for table in expected} == expected
    assert leg.run(loader(SAMPLE_RAW)).count("as loaded before") == len(expected)


def environment(leg: Leg) -> dict[str, str]:
    """That of the leg, for a process of its own."""
    return os.environ | leg.environment


def exists(leg: Leg, table: str) -> bool:
    """Whether a table is there."""
    return bool(standing(leg, f"(select 1 where to_regclass('{table}') is not null) as found"))


def test_torn_cells_arrive_as_they_are(leg: Leg, tmp_path: Path) -> None:
    """Short rows, quoted line breaks and commas, quotes, a number sign, backslashes and \\N, letters of other alphabets: COPY changes nothing."""
    raw = tmp_path / "raw"
    shutil.copytree(SAMPLE_RAW, raw)
    customers = raw / "erp" / "customers.csv"
    header = customers.read_text(encoding="utf-8").splitlines()[0]
    customers.write_text(
        header
        + "\nC1,short row\n"
        + '"C2","a ""quoted"" name, with a comma\nand a line break",,,\n'
        + "#C3,no comment,\\N,\\.,'; drop table x; --\n"
        + "C4,Ελιά Müller 株式会社, \t blanks ,,\n"
        + "\\.\n",
        encoding="utf-8",
    )
    leg.run(loader(raw))
    found, expected = standing(leg, "erp.customers"), read(raw)["erp.customers"]
    assert found == expected
    assert [row[0] for row in found] == ["#C3", "C1", "C2", "C4", "\\."]


def test_parquet_lands_with_its_types(leg: Leg, tmp_path: Path) -> None:
    """Decimals, dates, moments and booleans are not taken through text."""
    raw = tmp_path / "raw"
    (raw / "erp").mkdir(parents=True)
    target = raw / "erp" / "exchange_rates.parquet"
    with duckdb.connect() as connection:
        columns = ", ".join(
            {
                "rate": "1.08::decimal(18, 6) as rate",
                "rate_date": "date '2026-01-31' as rate_date",
                "loaded_at": "timestamp '2026-02-01 02:00:00.123456' as loaded_at",
            }.get(column, f"'x' as {column}")
            for column in contract_of("exchange_rates")
        )
        connection.execute(f"copy (select {columns}) to '{target}'")
    leg.run(loader(raw))
    assert standing(leg, "erp.exchange_rates") == read(raw)["erp.exchange_rates"]
    types = dict(standing(leg, "(select column_name, data_type from information_schema.columns where table_name = 'exchange_rates') as found"))
    assert types["rate"] == "numeric"
    assert types["loaded_at"] == "timestamp without time zone"


def contract_of(name: str) -> list[str]:
    """The columns of a raw table."""
    from tools.loader.raw_folder import contract  # noqa: PLC0415

    return contract()["erp", name]


def test_a_folder_that_breaks_the_contract_loads_nothing(leg: Leg, tmp_path: Path) -> None:
    """The sentence names table, file and column; what stands on the server stays."""
    before = standing(leg, "erp.products")
    raw = tmp_path / "raw"
    shutil.copytree(SAMPLE_RAW, raw)
    (raw / "erp" / "invoices.csv").write_text("invoice_id\nI1\n", encoding="utf-8")
    products = raw / "erp" / "products.csv"
    products.write_text(products.read_text(encoding="utf-8").splitlines()[0] + "\nP1\n", encoding="utf-8")
    result = subprocess.run(loader(raw), cwd=PROJECT, env=environment(leg), capture_output=True, text=True, check=False)
    assert result.returncode == 2  # noqa: PLR2004 - as the docstring of the loader says
    assert "erp.invoices in" in result.stderr
    assert "has no column source_system, customer_id, invoice_date" in result.stderr
    assert standing(leg, "erp.products") == before


def test_a_folder_that_is_not_there_is_said() -> None:
    """Without asking the server."""
    result = subprocess.run(loader(Path("no/such/folder")), cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 2  # noqa: PLR2004
    assert "There is no raw folder no/such/folder" in result.stderr
