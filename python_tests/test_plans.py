"""How DuckDB means to answer: no outer join compares every row with every row.

An outer join with a condition on its left side alone, or on a disjunction, has no hash join; with customers on both sides that is
customers times customers, which no sample shows by its time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from conftest import PROJECT, SAMPLE_CONFIGURATION, SAMPLE_RAW

# Where one side stays short however many customers there are, and what that side is.
ONE_SIDE_IS_SHORT = {
    "dim_customers": "default types",
    "fct_cost_allocations": "cost pools",
    "fct_customer_cost_drivers": "cost pools",
    "fct_customer_profit_lines": "cost pools",
    "fct_recorded_vs_restated": "builds, by the month-ends in question",
    "fct_segment_profit": "types and organisations",
    "int_segment_evaluations": "evaluations and dates",
    "int_segment_overrides_in_force": "decisions of people, and the tiers of types",
    "int_tier_change_overrides": "decisions of people, and the tiers of types",
    "seals": "one row on both sides",
}


def joins_by_comparison(node: dict[str, Any]) -> Iterator[str]:
    """The conditions of all outer joins of a plan that look at every pair of rows."""
    details = node.get("extra_info", {})
    if node["name"].strip() == "BLOCKWISE_NL_JOIN" and details.get("Join Type") in {"LEFT", "RIGHT", "FULL", "OUTER"}:
        yield details["Condition"]
    for child in node.get("children", []):
        yield from joins_by_comparison(child)


def test_no_outer_join_compares_every_row_with_every_row(sample_warehouse: Path, tmp_path: Path) -> None:
    shutil.copy(PROJECT / "profiles.example.yml", tmp_path / "profiles.yml")
    # A copy: dbt opens its warehouse to write, which DuckDB refuses while another test reads it.
    warehouse = shutil.copy(sample_warehouse, tmp_path / sample_warehouse.name)
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "--quiet", "compile", "--select", "resource_type:model"),
            *("--profiles-dir", str(tmp_path), "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")),
        ],
        cwd=PROJECT,
        env=os.environ
        | {
            "STRATUM_WAREHOUSE": str(warehouse),
            "STRATUM_RAW_DATA": str(SAMPLE_RAW),
            "STRATUM_CONFIGURATION": str(SAMPLE_CONFIGURATION),
        },
        stdout=subprocess.DEVNULL,
        check=True,
    )
    found, explained = {}, 0
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for path in (tmp_path / "target" / "compiled").rglob("models/**/*.sql"):
            # Tests of columns stand in folders named after their YAML file.
            if path.parent.suffix == ".yml":
                continue
            (_, plan) = connection.execute(f"explain (format json) {path.read_text()}").fetchone()
            explained += 1
            if conditions := [condition for root in json.loads(plan) for condition in joins_by_comparison(root)]:
                found[path.stem] = conditions
    assert explained > 150
    assert {name: conditions for name, conditions in found.items() if name not in ONE_SIDE_IS_SHORT} == {}
    assert found.keys() == ONE_SIDE_IS_SHORT.keys()
