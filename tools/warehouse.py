"""How the tools reach the warehouse of a target: by the same settings of the environment that profiles.example.yml reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import duckdb

DEFAULT_WAREHOUSE = "warehouse/stratum.duckdb"
TARGETS = ["duckdb", "postgres", "spark"]


class NoWarehouse(Exception):
    """There is nothing to read; the message says what to do."""


class Reader(Protocol):
    """What the tools read a warehouse with, whatever the engine."""

    def execute(self, query: str, values: list[Any] | None = None) -> Any:
        """Run a query with ? for each value; the answer has fetchall, fetchone and description."""


def warehouse_file() -> Path:
    """The DuckDB file."""
    return Path(os.environ.get("STRATUM_WAREHOUSE", DEFAULT_WAREHOUSE))


def postgres_settings() -> dict[str, Any]:
    """What psycopg2 connects with."""
    return {
        "host": os.environ.get("STRATUM_POSTGRES_HOST", "localhost"),
        "port": int(os.environ.get("STRATUM_POSTGRES_PORT", "5432")),
        "user": os.environ.get("STRATUM_POSTGRES_USER", "stratum_builder"),
        "password": os.environ.get("STRATUM_POSTGRES_PASSWORD", ""),
        "dbname": os.environ.get("STRATUM_POSTGRES_DATABASE", "stratum"),
    }


def spark_settings() -> dict[str, Any]:
    """What PyHive connects with."""
    settings = {
        "host": os.environ.get("STRATUM_SPARK_HOST", "localhost"),
        "port": int(os.environ.get("STRATUM_SPARK_PORT", "10000")),
        "username": os.environ.get("STRATUM_SPARK_USER", "stratum_builder"),
        "auth": os.environ.get("STRATUM_SPARK_AUTH") or None,
        "password": os.environ.get("STRATUM_SPARK_PASSWORD") or None,
    }
    return {name: value for name, value in settings.items() if value is not None}


class CursorReader:
    """A reader over a DB-API connection whose driver writes %s for a value."""

    def __init__(self, connection: Any) -> None:
        """Over an open connection."""
        self.connection = connection

    def execute(self, query: str, values: list[Any] | None = None) -> Any:
        """As Reader says."""
        cursor = self.connection.cursor()
        cursor.execute(query.replace("%", "%%").replace("?", "%s") if values else query, values)
        return cursor


def reader(target: str) -> Reader:
    """A reader of the warehouse of a target. Raises NoWarehouse where it is not there."""
    if target == "duckdb":
        if not warehouse_file().exists():
            raise NoWarehouse(f"There is no warehouse at {warehouse_file()}; run make build first.")
        return duckdb.connect(warehouse_file().as_posix(), read_only=True)
    # Each engine's driver is installed where the engine is used.
    try:
        if target == "postgres":
            import psycopg2  # noqa: PLC0415

            return CursorReader(psycopg2.connect(**postgres_settings()))
        from tools.loader.spark import connect  # noqa: PLC0415

        return CursorReader(connect())
    except Exception as fault:  # noqa: BLE001 - every driver has its own
        raise NoWarehouse(f"The server of target {target} cannot be reached: {fault}") from fault


def place(target: str) -> str:
    """Where the warehouse of a target is, for a person."""
    if target == "duckdb":
        return str(warehouse_file().resolve())
    if target == "postgres":
        settings = postgres_settings()
        return f"database {settings['dbname']} on {settings['host']}:{settings['port']}"
    settings = spark_settings()
    return f"the catalog of Spark on {settings['host']}:{settings['port']}"
