"""Map a public data set to the raw contract and build Stratum on it.

``python -m tools.run_example adventureworks --data path/to/adventureworks`` runs ``examples/<name>/map.sql`` in
DuckDB, which writes the raw folder, and then ``dbt build`` with the configuration and the vars of the example.
Any folder under ``examples/`` with a ``map.sql``, a ``vars.yml`` and a ``configuration/`` can be run this way.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import yaml

PROJECT = Path(__file__).resolve().parents[1]
EXAMPLES = PROJECT / "examples"


class UsageError(Exception):
    """Something the caller has to mend; the message is the sentence to print."""


def map_source(example: Path, data: Path, raw: Path) -> dict[str, int]:
    """Run the example's mapping and return the number of rows written per raw table."""
    (raw / "erp").mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set variable data = $1", [data.as_posix()])
        connection.execute("set variable raw = $1", [raw.as_posix()])
        try:
            connection.execute((example / "map.sql").read_text(encoding="utf-8"))
        except duckdb.IOException as error:
            raise UsageError(f"The mapping cannot read a file it needs from {data}: {str(error).splitlines()[0]}") from error
        return {
            f"{path.parent.name}.{path.stem}": connection.read_parquet(path.as_posix()).count("*").fetchone()[0]
            for path in sorted(raw.glob("*/*.parquet"))
        }


def profiles_folder(out: Path) -> Path:
    """The project folder; a fresh clone has only the example profile, which runs as copied."""
    if (PROJECT / "profiles.yml").exists():
        return PROJECT
    shutil.copy(PROJECT / "profiles.example.yml", out / "profiles.yml")
    return out


def build(example: Path, raw: Path, out: Path) -> int:
    """Run ``dbt build`` of this Python environment on the mapped data and return its exit code."""
    variables = yaml.safe_load((example / "vars.yml").read_text(encoding="utf-8")) or {}
    command = [
        str(Path(sys.executable).parent / "dbt"),
        "build",
        *("--vars", json.dumps(variables)),
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(profiles_folder(out))),
        *("--target-path", str(out / "target")),
        *("--log-path", str(out / "logs")),
    ]
    environment = os.environ | {
        "STRATUM_RAW_DATA": raw.as_posix(),
        "STRATUM_CONFIGURATION": (example / "configuration").as_posix(),
        "STRATUM_WAREHOUSE": (out / "stratum.duckdb").as_posix(),
    }
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_example", description=__doc__.splitlines()[0])
    parser.add_argument("example", help="a folder under examples/")
    parser.add_argument("--data", type=Path, required=True, help="folder of the downloaded source files")
    parser.add_argument("--out", type=Path, help="folder to write into (default: build/<example>)")
    parser.add_argument("--map-only", action="store_true", help="write the raw folder and stop")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Map, then build. Returns 2 where the caller has to mend something, else the exit code of dbt."""
    options = parse_arguments(arguments)
    example = EXAMPLES / options.example
    out = (options.out or Path("build") / options.example).resolve()
    raw = out / "raw"
    try:
        if not (example / "map.sql").is_file():
            known = ", ".join(sorted(path.parent.name for path in EXAMPLES.glob("*/map.sql")))
            raise UsageError(f"There is no example called {options.example}; there are: {known}.")
        if not options.data.is_dir():
            raise UsageError(f"The data folder {options.data} does not exist; {example / 'README.md'} says what belongs there.")
        row_counts = map_source(example, options.data.resolve(), raw)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Raw data in {raw}:")
    for table, row_count in row_counts.items():
        print(f"  {table:<24}{row_count:>10,}")
    if options.map_only:
        return 0
    exit_code = build(example, raw, out)
    print(f"Warehouse: {out / 'stratum.duckdb'}")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
