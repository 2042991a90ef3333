"""How the tools reach the warehouse of a target: the same settings of the environment that profiles.example.yml reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

DEFAULT_WAREHOUSE = "warehouse/stratum.duckdb"


def warehouse() -> Path:
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
