"""What a build of so many lines costs: ``python -m benchmarks.build --lines 2000000 --nights``.

Generates the raw data as Parquet (kept for the next time), builds an empty warehouse with the benchmark's eight segment types and
all data tests, and writes ``report.json`` and ``report.md`` into the folder: wall clock, CPU seconds, peak memory and spill of every
step, seconds of every node, rows of every table.

``--nights`` holds the landing of one day in the middle of a month back (about a thousandth of two years), builds without
it and without whatever landed later, then once more with nothing new and once with that day: what a night costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import (
    COST_HEADINGS,
    PROJECT,
    Workplace,
    add_data_arguments,
    cost_record,
    markdown_table,
    seconds_by_kind,
)

BUILD = ["build", "--exclude-resource-type", "unit_test"]
LONGEST_NODES = 25


def generate(folder: Path, lines: int, customers: int, months: int, plant_dirt: bool = True) -> None:
    """The raw data, unless they lie there from another time."""
    asked = {"lines": lines, "customers": customers, "months": months, "plant_dirt": plant_dirt}
    stamp = folder / "generated.json"
    if stamp.exists() and json.loads(stamp.read_text()) == asked:
        return
    subprocess.run(
        [sys.executable, "-m", "tools.generate", "--customers", str(customers), "--lines", str(lines), "--months", str(months),
         "--format", "parquet", "--plant-dirt" if plant_dirt else "--no-plant-dirt", "--out", str(folder)],
        cwd=PROJECT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    stamp.write_text(json.dumps(asked))


def land_until(raw: Path, folder: Path, landed_before: date) -> int:
    """A raw folder as it was at midnight of a day; returns its invoice lines."""
    with duckdb.connect() as connection:
        for path in sorted(raw.glob("*/*.parquet")):
            to = folder / path.relative_to(raw)
            to.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"copy (from read_parquet('{path}') where loaded_at < timestamp '{landed_before}') to '{to}' (format parquet)"
            )
        return connection.execute(f"select count(*) from read_parquet('{folder}/erp/invoice_lines.parquet')").fetchone()[0]


def row_counts(warehouse: Path) -> dict[str, int]:
    """Rows of every table dbt has written, and of the views of the raw tables."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables where table_schema <> 'configuration' order by all"
        ).fetchall()
        return {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in names}


def report(folder: Path, title: str, steps: dict[str, tuple[Any, list[dict[str, Any]]]], facts: dict[str, Any], counts: dict[str, int]) -> None:
    """Write report.json and report.md."""
    record = facts | {
        "steps": {
            name: cost_record(cost) | {"seconds_by_kind": seconds_by_kind(nodes), "nodes": nodes} for name, (cost, nodes) in steps.items()
        },
        "rows": counts,
    }
    (folder / "report.json").write_text(json.dumps(record, indent=1))
    parts = [f"# {title}", ", ".join(f"{name} {value}" for name, value in facts.items())]
    parts.append(
        markdown_table(
            ["step", *COST_HEADINGS, "models s", "tests s"],
            [
                [name, *cost.cells, f"{seconds_by_kind(nodes).get('model', 0):,.1f}", f"{seconds_by_kind(nodes).get('test', 0):,.1f}"]
                for name, (cost, nodes) in steps.items()
            ],
        )
    )
    for name, (_, nodes) in steps.items():
        parts.append(f"## The longest nodes: {name}")
        parts.append(markdown_table(["node", "s"], [[f"`{node['node']}`", f"{node['seconds']:.1f}"] for node in nodes[:LONGEST_NODES]]))
    largest = sorted(counts.items(), key=lambda item: -item[1])[:LONGEST_NODES]
    parts.append("## The largest tables")
    parts.append(markdown_table(["table", "rows"], [[f"`{name}`", f"{count:,}"] for name, count in largest]))
    (folder / "report.md").write_text("\n\n".join(parts) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Generate, build, report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.build", description=(__doc__ or "").split("\n\n")[0])
    add_data_arguments(parser, "benchmark")
    parser.add_argument("--without-tests", action="store_true", help="models, seeds and snapshots alone")
    parser.add_argument("--nights", action="store_true", help="two nights after the first build")
    parser.add_argument("--vars", type=json.loads, default={}, help="vars of dbt, as JSON")
    options = parser.parse_args(arguments)
    folder = options.folder or PROJECT / "build" / f"benchmark_{options.lines}"
    raw = options.raw or folder / "raw"
    if options.raw is None:
        generate(raw, options.lines, options.customers or options.lines // 100, options.months)
    facts: dict[str, Any] = {"lines": options.lines, "memory limit": options.memory_limit or "none", "vars": options.vars}
    first_raw = raw
    if options.nights:
        with duckdb.connect() as connection:
            last = connection.execute(f"select max(loaded_at) from read_parquet('{raw}/erp/invoices.parquet')").fetchone()[0].date()
        night = last.replace(day=1) - timedelta(days=10)
        while night.weekday() != 2:  # A Wednesday: documents of a full day have landed.
            night -= timedelta(days=1)
        lines_before = land_until(raw, folder / "before", night)
        lines_after = land_until(raw, folder / "after", night + timedelta(days=1))
        facts |= {"lines before": lines_before, "lines of the night": lines_after - lines_before}
        first_raw = folder / "before"
    workplace = Workplace(folder, first_raw, options.memory_limit)
    workplace.forget()
    build = [*BUILD, "--exclude-resource-type", "test"] if options.without_tests else BUILD
    steps = {"first build": workplace.dbt("first_build", *build, variables=options.vars)}
    if options.nights:
        steps["a night with nothing new"] = workplace.dbt("same_again", *build, variables=options.vars)
        # The next day lands in the same place, as it would.
        for path in sorted((folder / "after").glob("*/*.parquet")):
            path.replace(folder / "before" / path.relative_to(folder / "after"))
        steps["a night with a day's documents"] = workplace.dbt("a_day_more", *build, variables=options.vars)
    report(folder, f"{options.lines:,} invoice lines", steps, facts, row_counts(workplace.warehouse))
    print((folder / "report.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
