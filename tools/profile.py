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
