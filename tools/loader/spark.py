"""Raw tables into Spark: DuckDB reads the files and writes Parquet where the cluster can read it, the cluster makes tables of it.

Spark's own reader of CSV pads, quotes and breaks lines by other rules; with one reader for all engines a file says the same everywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from pyhive import hive
from pyhive.exc import DatabaseError

from tools.loader.raw_folder import RawTable
from tools.warehouse import spark_settings

TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
FINGERPRINT = "stratum.loaded_from"


def connect() -> hive.Connection:
    """A connection to the Thrift server of the target ``spark``."""
    return hive.connect(**spark_settings())


def column_type(duckdb_type: str) -> str:
    """The type of a column in Spark; whatever else lands, numbers without a sign among it, is loaded as text."""
    if re.fullmatch(r"DECIMAL\(\d+,\d+\)", duckdb_type):
        return duckdb_type.lower()
    return TYPES.get(duckdb_type, "string")


def is_loaded(connection: hive.Connection, table: RawTable) -> bool:
    """Whether the same files stand there already: a property of the table says what it was loaded from."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"show tblproperties {table.full_name} ('{FINGERPRINT}')")
        return any(table.fingerprint in str(cell) for row in cursor.fetchall() for cell in row)
    except DatabaseError:
        return False


def load(connection: hive.Connection, table: RawTable) -> int:
    """Replace one table; a load that is killed leaves it as it was, for Iceberg swaps it in one step. Returns its rows.

    The Hive metastore refuses to swap a table for one with other types: such a table makes way before, and who is killed then loads it anew.
    """
    columns = {column: column_type(kind) for column, kind in table.columns.items()}
    cursor = connection.cursor()
    with landing_folder() as folder:
        landed = folder / f"{table.schema}_{table.name}.parquet"
        landed_columns = ", ".join(f'cast("{column}" as varchar) as "{column}"' if kind == "string" else f'"{column}"' for column, kind in columns.items())
        with duckdb.connect() as reader:
            reader.execute("set timezone = 'UTC'")
            reader.execute(f"copy (select {landed_columns} from ({table.records})) to '{landed.as_posix()}' (format parquet)")
            (rows,) = reader.execute(f"select count(*) from read_parquet('{landed.as_posix()}')").fetchone()
        landed.chmod(0o644)
        cells = ", ".join(f"cast(`{column}` as {kind}) as `{column}`" for column, kind in columns.items())
        cursor.execute(f"create schema if not exists {table.schema}")
        if standing_columns(connection, table) not in ({}, columns):
            cursor.execute(f"drop table {table.full_name}")
        cursor.execute(
            f"create or replace table {table.full_name} using iceberg tblproperties ('{FINGERPRINT}' = '{table.fingerprint}')"
            f" as select {cells} from parquet.`{landed.as_posix()}`"
        )
    return rows


def standing_columns(connection: hive.Connection, table: RawTable) -> dict[str, str]:
    """Names and types of the columns that stand there; empty where the table does not."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"describe {table.full_name}")
    except DatabaseError:
        return {}
    return {name: kind for name, kind, *_ in cursor.fetchall() if name and not name.startswith("#")}


@contextmanager
def landing_folder() -> Iterator[Path]:
    """A folder of this load that every machine of the cluster sees under the same path; where they are several, STRATUM_SPARK_LANDING."""
    folder = Path(tempfile.mkdtemp(prefix="stratum_landing_", dir=os.environ.get("STRATUM_SPARK_LANDING") or None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
