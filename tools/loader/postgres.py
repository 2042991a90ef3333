"""Raw tables into PostgreSQL: DuckDB reads the files, COPY takes what it reads."""

from __future__ import annotations

import os
import re
import threading

import duckdb
import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from tools.loader.raw_folder import RawTable
from tools.warehouse import postgres_settings

TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}


def connect() -> psycopg2.extensions.connection:
    """A connection to the server of the target ``postgres``."""
    return psycopg2.connect(**postgres_settings())


def column_type(duckdb_type: str) -> str:
    """The type of a column on the server; whatever else lands, numbers without a sign among it, is loaded as text."""
    if re.fullmatch(r"DECIMAL\(\d+,\d+\)", duckdb_type):
        return duckdb_type.replace("DECIMAL", "numeric")
    return TYPES.get(duckdb_type, "text")


def is_loaded(connection: psycopg2.extensions.connection, table: RawTable) -> bool:
    """Whether the same files stand there already: the comment of the table says what it was loaded from."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select obj_description(to_regclass(%s), 'pg_class')", [table.full_name])
        (comment,) = cursor.fetchone()
    return comment is not None and table.fingerprint in comment


def load(connection: psycopg2.extensions.connection, table: RawTable) -> int:
    """Replace one table, in one transaction: a load that is killed leaves the table as it was. Returns its rows.

    A table with the same columns is emptied and filled, so that rights and views on it stand; another one makes way, unless a view
    of somebody else depends on it.
    """
    name = sql.Identifier(table.schema, table.name)
    columns = {column: column_type(kind) for column, kind in table.columns.items()}
    definition = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items())
    with connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(table.schema)))
        cursor.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            [table.full_name],
        )
        standing = {column: kind.replace(" without time zone", "") for column, kind in cursor.fetchall()}
        if standing == columns:
            cursor.execute(sql.SQL("truncate {}").format(name))
        else:
            cursor.execute(sql.SQL("drop table if exists {}").format(name))
            cursor.execute(sql.SQL("create table {} ({})").format(name, definition))
        rows = copy_records(cursor, table)
        cursor.execute(sql.SQL("comment on table {} is {}").format(name, sql.Literal(f"Loaded from files {table.fingerprint}")))
        cursor.execute(sql.SQL("analyze {}").format(name))
    return rows


def copy_records(cursor: psycopg2.extensions.cursor, table: RawTable) -> int:
    """Stream what DuckDB reads into COPY, through a pipe: nothing is written beside the server. Returns the rows."""
    read_end, write_end = os.pipe()
    faults: list[Exception] = []

    def write() -> None:
        try:
            with duckdb.connect() as reader:
                reader.execute("set timezone = 'UTC'")
                reader.execute(f"copy ({table.records}) to '/dev/fd/{write_end}' (format csv, header false)")
        except Exception as fault:  # noqa: BLE001 - handed to the thread that waits
            faults.append(fault)
        finally:
            os.close(write_end)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_end, "rb") as records:
        try:
            cursor.copy_expert(
                sql.SQL("copy {} from stdin (format csv)").format(sql.Identifier(table.schema, table.name)).as_string(cursor), records, size=1 << 20
            )
        finally:
            # Where the server refuses a row, the writer must not wait for a reader for ever.
            while records.read(1 << 20):
                pass
            writer.join()
    if faults:
        raise faults[0]
    return cursor.rowcount
