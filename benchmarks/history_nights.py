"""What a year of nights costs the history: ``python -m benchmarks.history_nights --nights 365``.

Night after night the seeds, the snapshots and all that lies above them are built from the raw folder, each as of its day and from
what had landed the day after; the project is read once. Beside each snapshot of tiers stands an independent count:
of how many members the tier in force was another one than the night before, reckoned in plain Python from the as-of marts. A night adds
as many rows as that, and none where nobody moved; else the command ends with 1.

Writes one CSV line per night to standard output and a summary to standard error.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from dbt.cli.main import dbtRunner

SNAPSHOTS = ["snap_segment_tiers", "snap_customer_parents", "snap_configuration", "snap_customer_attributes", "snap_segment_periods"]
COMPARED = "tier, computed_tier, reason_code, tier_source, override_id, entity_id, version"
STATES = " union all ".join(
    f"select segment_type_id, {entity}_id, {COMPARED} from segmentation.fct_{entity}_segments where status in ('active', 'challenger')"
    for entity in ("customer", "product")
)

State = dict[tuple[str, str], tuple[Any, ...]]


class Warehouse:
    """What stands in the warehouse between two nights."""

    def __init__(self, path: Path) -> None:
        """Not open yet: the file belongs to dbt while it builds."""
        self.path = path

    def look(self) -> tuple[dict[str, int], State]:
        """Rows of every snapshot, and the tier in force of every member."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            counts = {name: connection.execute(f"select count(*) from snapshots.{name}").fetchone()[0] for name in SNAPSHOTS}
            states = {row[:2]: row[2:] for row in connection.execute(STATES).fetchall()}
        return counts, states


def build(manifest: Any, variables: dict[str, Any]) -> None:
    """One night, in a process of its own: where it ends, the warehouse is free to be read. Ends with 1 where dbt fails."""
    arguments = ["--quiet", "build", "--select", "+resource_type:snapshot", "--vars", json.dumps(variables)]
    without = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    sys.exit(not dbtRunner(manifest=manifest).invoke(arguments + without).success)


def moved(before: State, after: State) -> int:
    """Members with another answer than before, new and gone ones included."""
    return sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())


def main(arguments: list[str] | None = None) -> int:
    """Live through the nights; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history_nights", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2026, 6, 30), help="as-of date of the last night [2026-06-30]")
    parser.add_argument("--vars", type=json.loads, default={}, help="more vars of dbt, as JSON")
    options = parser.parse_args(arguments)
    warehouse = Warehouse(Path(os.environ["STRATUM_WAREHOUSE"]))
    if warehouse.path.exists():
        parser.error(f"{warehouse.path} is there already; a year begins with nothing")
    # The vars of the first night, for what is decided when the project is read: unit tests stay out.
    parsed = dbtRunner().invoke(["--quiet", "parse", "--vars", json.dumps(options.vars | {"known_on": options.last.isoformat()})])
    if not parsed.success:
        return 2
    output = csv.writer(sys.stdout)
    output.writerow(["as_of_date", "seconds", "moved", *SNAPSHOTS])
    counts, states = dict.fromkeys(SNAPSHOTS, 0), {}
    quiet, unexplained, seconds = 0, [], []
    for number in range(options.nights):
        day = options.last - timedelta(days=options.nights - 1 - number)
        variables = options.vars | {"as_of_date": day.isoformat(), "known_on": (day + timedelta(days=1)).isoformat()}
        begun = time.monotonic()
        night = multiprocessing.get_context("fork").Process(target=build, args=(parsed.result, variables))
        night.start()
        night.join()
        if night.exitcode:
            return 2
        seconds.append(time.monotonic() - begun)
        counts_before, states_before = counts, states
        counts, states = warehouse.look()
        added = {name: counts[name] - counts_before[name] for name in SNAPSHOTS}
        changes = moved(states_before, states)
        output.writerow([day, f"{seconds[-1]:.1f}", changes, *added.values()])
        sys.stdout.flush()
        quiet += not any(added.values())
        if added["snap_segment_tiers"] != changes:
            unexplained.append(day)
    print(
        f"{options.nights} nights, {len(states):,} members, {sum(seconds):,.0f} s, the first tenth {average(seconds[: -(-len(seconds) // 10)]):.1f} s a night,"
        f" the last {average(seconds[-(-len(seconds) // 10) * -1 :]):.1f} s\n"
        + "\n".join(f"  {name}: {count:,} rows" for name, count in counts.items())
        + f"\n{quiet} nights added no row at all; nights with other rows than changes: {', '.join(map(str, unexplained)) or 'none'}",
        file=sys.stderr,
    )
    return 1 if unexplained else 0


def average(values: list[float]) -> float:
    """The mean."""
    return sum(values) / len(values)


if __name__ == "__main__":
    sys.exit(main())
