"""The costs of the marts against the recomputation (``recompute_costs.py``), cell by cell and to the cent."""

from __future__ import annotations
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any
import duckdb
import pytest
from conftest import SAMPLE_CONFIGURATION, SAMPLE_RAW
from recompute import World
from recompute_costs import Costs
from worlds import assert_same_values

@dataclass(frozen=True)
class Proof:
    costs: Costs
    warehouse: duckdb.DuckDBPyConnection
    def rows(self, query: str) -> list[tuple]:
        return self.warehouse.execute(query).fetchall()

@pytest.fixture(scope="session")
def sample_costs(sample_warehouse: Path) -> Iterator[Proof]:
    world = World.read(SAMPLE_RAW, SAMPLE_CONFIGURATION)
    with duckdb.connect(str(sample_warehouse), read_only=True) as c:
        yield Proof(Costs.read(world, SAMPLE_CONFIGURATION), c)

def test_drivers(sample_costs):
    found = {tuple(r[:4]): Fraction(r[4]) for r in sample_costs.rows("select driver, organisation_id, driver_month, customer_id, quantity from intermediate.int_cost_drivers_counted")}
    assert_same_values(found, sample_costs.costs.drivers, "drivers")

def test_allocations(sample_costs):
    rows = sample_costs.rows("select cost_pool_id, cost_method, cost_month, organisation_id, customer_id, unallocated_reason, driver, driver_quantity, driver_volume, pool_cost, cost from intermediate.int_costs_allocated")
    f = lambda v: None if v is None else Fraction(v)
    found = {(r[0], r[1], r[2].isoformat(), r[3] or "", r[4] or "", r[5] or ""): (r[6], *map(f, r[7:])) for r in rows}
    assert len(found) == len(rows)
    expected = {a.key: (a.driver, a.driver_quantity, a.driver_volume, Fraction(a.pool_cost, 100), Fraction(a.cost, 100)) for a in sample_costs.costs.allocations}
    assert_same_values(found, expected, "allocations")
