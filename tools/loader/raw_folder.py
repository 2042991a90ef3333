"""What a raw folder holds, held against the contract of the raw tables (the sources YAML of the project)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import duckdb
import yaml

PROJECT = Path(__file__).resolve().parents[2]

# As macros/project/register_raw_tables.sql reads a CSV: every cell is text, and is judged in staging.
CSV_OPTIONS = (
    "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = false, null_padding = true,"
    " comment = '', parallel = false"
)


class RawFolderError(Exception):
    """The folder is not what the contract asks for; the message says what to mend."""


class RawTable(NamedTuple):
    """A raw table as it lies in the folder."""

    schema: str
    name: str
    records: str
    """A query of DuckDB that reads it."""
    columns: dict[str, str]
    """The type DuckDB reads each column as; text for all columns of a CSV."""
    fingerprint: str
    """Of the paths, sizes and times of its files: what has been loaded already has the same."""

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


def contract() -> dict[tuple[str, str], list[str]]:
    """The columns of every raw table, by schema and name."""
    tables = {}
    for path in sorted(PROJECT.glob("models/staging/*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8")).get("sources", []):
            for table in source["tables"]:
                tables[source["schema"], table["name"]] = [column["name"] for column in table["columns"]]
    return tables


def raw_tables(folder: Path) -> list[RawTable]:
    """The tables of the contract that lie in the folder, as ``<schema>/<table>.parquet``, ``<schema>/<table>/*.parquet`` or
    ``<schema>/<table>.csv``.

    Raises RawFolderError where the folder or a required column is not there. A table that is missing is none of the loader's
    business: the build says which it misses.
    """
    if not folder.is_dir():
        raise RawFolderError(f"There is no raw folder {folder}.")
    tables, faults = [], []
    with duckdb.connect() as reader:
        for (schema, name), columns in contract().items():
            stem = folder / schema / name
            parts = sorted(stem.glob("*.parquet"))
            single, text = stem.with_suffix(".parquet"), stem.with_suffix(".csv")
            if single.exists() or parts:
                files = [single] if single.exists() else parts
                records = f"select * from read_parquet({[path.as_posix() for path in files]})"
            elif text.exists():
                files = [text]
                records = f"select * from read_csv('{text.as_posix()}', {CSV_OPTIONS})"
            else:
                continue
            found = {row[0].lower(): row[1] for row in reader.execute(f"describe {records}").fetchall()}
            missing = [column for column in columns if column not in found]
            if missing:
                faults.append(f"{schema}.{name} in {files[0]} has no column {', '.join(missing)}; its cells may be empty, the column must exist.")
            tables.append(RawTable(schema, name, records, found, fingerprint(files)))
    if not tables:
        faults.append(f"The raw folder {folder} holds no table of the contract; it has folders erp, crm and tpl with a file for each table.")
    if faults:
        raise RawFolderError("\n".join(faults))
    return tables


def fingerprint(files: list[Path]) -> str:
    """Tells whether files are those of an earlier load, without reading them."""
    facts = [f"{path.resolve()} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
