"""The hash by which engines are compared sees every single change, and nothing but changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, SAMPLE_CONFIGURATION, SAMPLE_RAW

# The smallest change of a value of each type; of a null, any value at all.
CHANGES = {
    "VARCHAR": "coalesce({column} || ' ', '')",
    "BOOLEAN": "not coalesce({column}, true)",
    "DATE": "coalesce({column} + 1, date '2000-01-01')",
    "TIMESTAMP": "coalesce({column} + interval 1 microsecond, timestamp '2000-01-01')",
    "BIGINT": "coalesce({column} - 1, 0)",
    "INTEGER": "coalesce({column} - 1, 0)",
    "DECIMAL": "coalesce({column} - {unit}, 0)",
}
NOT_COMPARED = {"input_fingerprint", "dbt_scd_id"}
ROWS = 10


@pytest.fixture(scope="module")
def queries(sample_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The query of every relation that is hashed, as ``dbt run-operation mart_hashes`` would run it."""
    folder = tmp_path_factory.mktemp("hashes")
    # A copy: dbt opens its warehouse to write, which DuckDB refuses while another test reads it.
    shutil.copy(sample_warehouse, folder / sample_warehouse.name)
    shutil.copy(PROJECT / "profiles.example.yml", folder / "profiles.yml")
    result = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-use-colors", "run-operation", "mart_hashes", "--args", "{as_queries: true}"),
            *("--profiles-dir", str(folder), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        cwd=PROJECT,
        env=os.environ
        | {
            "STRATUM_WAREHOUSE": str(folder / sample_warehouse.name),
            "STRATUM_RAW_DATA": str(SAMPLE_RAW),
            "STRATUM_CONFIGURATION": str(SAMPLE_CONFIGURATION),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    (line,) = re.findall(r"^\{.*\}$", result.stdout, flags=re.MULTILINE)
    return json.loads(line)


def change(column: str, kind: str) -> str:
    """The expression that changes a value as little as its type allows."""
    family = kind.split("(")[0]
    scale = int(kind.rstrip(")").split(",")[1]) if family == "DECIMAL" else 0
    unit = f"0.{'1'.zfill(scale)}" if scale else "1"
    return CHANGES[family].format(column=f'"{column}"', unit=unit)


def test_every_single_change_shows(queries: dict[str, str], sample_warehouse: Path) -> None:
    """Of every column of every public mart and snapshot, one value of one row; a row more, a row less; and the order of rows never."""
    blind, compared = set(), 0
    with duckdb.connect(str(sample_warehouse), read_only=True) as connection:
        for name, query in queries.items():
            ((database, schema),) = set(re.findall(rf'from "(\w+)"\."(\w+)"\."{name}"', query))
            own_query = query.replace(f'"{database}"."{schema}"."{name}"', "looked_at")

            def fingerprint(sql: str = own_query) -> tuple[int, str]:
                return connection.execute(sql).fetchone()

            connection.execute(f"create or replace temp table looked_at as select * from {schema}.{name} limit {ROWS}")
            rows, whole = fingerprint()
            assert rows == connection.execute("select count(*) from looked_at").fetchone()[0]
            if not rows:
                continue
            columns = connection.execute("select column_name, data_type from duckdb_columns() where table_name = 'looked_at'").fetchall()
            for column, kind in columns:
                connection.begin()
                connection.execute(f'update looked_at set "{column}" = {change(column, kind)} where rowid = 0')
                if fingerprint() == (rows, whole):
                    blind.add(column)
                connection.rollback()
                compared += 1
            for statement, rows_then in [
                ("delete from looked_at where rowid = 0", rows - 1),
                ("insert into looked_at select * from looked_at where rowid = 0", rows + 1),
            ]:
                connection.begin()
                connection.execute(statement)
                assert fingerprint()[0] == rows_then
                assert fingerprint()[1] != whole, f"{name}: {statement}"
                connection.rollback()
            connection.execute("create or replace temp table looked_at as select * from looked_at order by rowid desc")
            assert fingerprint() == (rows, whole), f"{name} depends on the order of its rows"
    assert blind == NOT_COMPARED
    assert compared > 900  # noqa: PLR2004 - there are so many columns that a loop over none would show
