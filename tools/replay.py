"""Builds history month by month from raw data that is already there: ``python -m tools.replay --from 2025-01 --to 2026-06``.

One ``dbt build`` per month-end, in date order, each as of the month-end and from what had landed ``--lag-days`` later, so that history
looks as if the builds had run at the time (R18, R19). Where raw data is append-only the result is that of the time; where masters are
overwritten it is approximate. Each line says which of the two it is, as audit.run_log does.

Resumable: months that history has passed are left out, and the month it stands at is built once more, which changes nothing
where it was finished. Ends with 0, or with dbt's code at the first build that fails; 2 for months that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tools.warehouse import warehouse_file



def month_end(text: str) -> date:
    """The last day of a month written as yyyy-mm."""
    try:
        year, month = (int(part) for part in text.split("-"))
        first_of_next = date(year + month // 12, month % 12 + 1, 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2025-01") from error
    return first_of_next - timedelta(days=1)


def month_ends(first: date, last: date) -> Iterator[date]:
    """Every month-end from one to another."""
    day = first
    while day <= last:
        yield day
        day = month_end(f"{day + timedelta(days=1):%Y-%m}")


def reached(warehouse: Path) -> date | None:
    """The day history stands at; none where nothing has been recorded."""
    if not warehouse.exists():
        return None
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'snapshots' and table_name = 'snap_segment_tiers'"
        ).fetchone()
        if not found:
            return None
        return connection.execute("select max(cast(dbt_updated_at as date)) from snapshots.snap_segment_tiers").fetchone()[0]


def reproduction(warehouse: Path) -> str:
    """What the last build says of itself: exact, or approximate and why."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        said, detail = connection.execute(
            "select reproduction, reproduction_detail from audit.run_log order by started_at desc limit 1"
        ).fetchone()
    return f"{said}: {detail}" if detail else said


def build(day: date, known_on: date, variables: dict[str, Any]) -> int:
    """One build; its output is shown where it fails."""
    command = [
        str(Path(sys.executable).parent / "dbt"),
        "--quiet",
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--vars",
        json.dumps(variables | {"as_of_date": day.isoformat(), "known_on": known_on.isoformat()}),
    ]
    return subprocess.run(command, check=False).returncode


def main(arguments: list[str] | None = None) -> int:
    """Replay; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.replay", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--from", dest="first", type=month_end, required=True, help="first month, such as 2025-01")
    parser.add_argument("--to", dest="last", type=month_end, required=True, help="last month")
    parser.add_argument("--lag-days", type=int, default=3, help="days after the month-end until it was built [3]")
    parser.add_argument("--vars", type=json.loads, default={}, help="more vars of dbt, as JSON")
    options = parser.parse_args(arguments)
    if options.first > options.last:
        parser.error(f"--from {options.first:%Y-%m} comes after --to {options.last:%Y-%m}")
    days = list(month_ends(options.first, options.last))
    warehouse = warehouse_file()
    standing = reached(warehouse)
    for number, day in enumerate(days, start=1):
        label = f"{day} ({number} of {len(days)})"
        if standing is not None and day < standing:
            print(f"{label}: history stands at {standing}, left as it is", flush=True)
            continue
        begun = time.monotonic()
        code = build(day, day + timedelta(days=options.lag_days), options.vars)
        if code:
            print(f"{label}: dbt ended with {code}; run the same command again once it is mended", file=sys.stderr)
            return code
        print(f"{label}: built in {time.monotonic() - begun:.1f} s, {reproduction(warehouse)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
