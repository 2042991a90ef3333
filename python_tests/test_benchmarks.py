"""The benchmark compares what is equal, and sees what is not: a small world through all three ways of computing the core results."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks import core_results


def test_project_script_and_pandas_agree_and_a_cent_is_seen(tmp_path: Path) -> None:
    """Equal results end with 0; a single cent, tier or parent that differs is told by the name of its result."""
    assert core_results.main(["--lines", "20000", "--customers", "400", "--months", "14", "--folder", str(tmp_path)]) == 0
    files = tmp_path / "stratum.duckdb", tmp_path / "handwritten.duckdb", tmp_path / "analyst"
    assert core_results.differences(*files) == []
    for result, change in {
        "invoice_lines": "cost = cost + 0.01",
        "segments": "tier = tier || '?'",
        "customers": "ultimate_parent_id = null",
        "cost_allocations": "amount = amount - 0.01",
    }.items():
        with duckdb.connect(str(files[1])) as connection:
            one = f"rowid = (select max(rowid) from {result} where {change.split(' ')[0]} is not null)"
            connection.execute(f"create table kept as select rowid as number, * from {result} where {one}")
            connection.execute(f"update {result} set {change} where {one}")
        found = core_results.differences(*files)
        assert len(found) == 1 and found[0].startswith(f"{result}: "), found
        with duckdb.connect(str(files[1])) as connection:
            column = change.split(" ")[0]
            connection.execute(f"update {result} set {column} = kept.{column} from kept where {result}.rowid = kept.number")
            connection.execute("drop table kept")
    assert core_results.differences(*files) == []
