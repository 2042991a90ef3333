"""R19: a past result from what had landed, row for row where landing is append-only; where masters are overwritten the run says so.

The sample is built as of a month-end from what had landed and been decided by then, and lives on; a fresh warehouse then makes
that month again from everything. A small world whose customers are overwritten every night is asked about its first night.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLE_CONFIGURATION, SAMPLE_RAW, read_rows
from worlds import Cells, Raw, finish, read_csv, segment_type, start_dbt, tiers, write_configuration, write_csv

HISTORY = ("--select", "+resource_type:snapshot", "+int_reproduction", "+fct_record_counts")

# ---- The sample ----

MONTH_END, KNOWN_ON = "2026-03-31", "2026-04-03"
RECORDED = {
    "snap_segment_tiers": "as_of",
    "snap_customer_parents": "as_of",
    "snap_customer_attributes": "as_of",
    "snap_segment_periods": "known_on",
}


def cut(source: Path, folder: Path, keep: Callable[[dict[str, str]], bool]) -> Path:
    """The CSV files of a folder with some of their rows."""
    for path in source.rglob("*.csv"):
        if path.parent != source or source != SAMPLE_RAW:
            rows = read_csv(path)
            write_csv(folder / path.relative_to(source), rows[0].keys() if rows else header(path), filter(keep, rows))
    return folder


def header(path: Path) -> list[str]:
    """The columns of a file."""
    return path.read_text(encoding="utf-8").splitlines()[0].split(",")


def recorded_then(path: Path) -> dict[str, list[dict[str, Any]]]:
    """What the builds for the month-end have recorded, as they wrote it: without dbt's own columns and days of closing."""
    found = {}
    for snapshot, dated_by in RECORDED.items():
        first = "= (select min(dbt_valid_from) from snapshots." + snapshot + ")"
        deleted = ", dbt_is_deleted" if snapshot in ("snap_segment_tiers", "snap_customer_parents") else ""
        without = "dbt_scd_id, dbt_updated_at, dbt_valid_to, recorded_at" + deleted
        without += ", dbt_valid_from" if dated_by == "known_on" else ""
        found[snapshot] = read_rows(
            path,
            f"select * exclude ({without}) from snapshots.{snapshot} where dbt_valid_from {first} order by all",
        )
    return found


def test_the_recorded_month_is_made_again_row_for_row(tmp_path: Path) -> None:
    """Everything that has landed since is left out, and every decision recorded since: the same tiers, parents, attributes, periods."""
    raw = cut(SAMPLE_RAW, tmp_path / "raw", lambda row: row["loaded_at"][:10] <= KNOWN_ON or not row["loaded_at"][:4].isdigit())
    seeds = cut(SAMPLE_CONFIGURATION, tmp_path / "seeds", lambda row: row.get("recorded_on", "") <= KNOWN_ON)
    lived, fresh = tmp_path / "lived", tmp_path / "fresh"
    at_the_time = start_dbt(raw, seeds, lived, {"as_of_date": MONTH_END}, flags=HISTORY)
    again = start_dbt(SAMPLE_RAW, SAMPLE_CONFIGURATION, fresh, {"as_of_date": MONTH_END, "known_on": KNOWN_ON}, flags=HISTORY)
    finish(at_the_time, lived)
    finish(again, fresh)
    # Three months later everything has landed; what was recorded stands.
    later: Cells = {"as_of_date": "2026-06-30", "known_on": (date.today() + timedelta(days=1)).isoformat()}
    finish(start_dbt(SAMPLE_RAW, SAMPLE_CONFIGURATION, lived, later, flags=HISTORY), lived)

    expected, found = recorded_then(lived / "stratum.duckdb"), recorded_then(fresh / "stratum.duckdb")
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in expected.items()}
    assert found == expected
    assert len(found["snap_segment_tiers"]) > 2000  # noqa: PLR2004 - ten types
    [run] = read_rows(fresh / "stratum.duckdb", "select reproduction, reproduction_detail from audit.run_log")
    assert run == {"reproduction": "exact", "reproduction_detail": None}
    [since] = read_rows(lived / "stratum.duckdb", "select count(*) as changes from snapshots.snap_segment_tiers where dbt_valid_from > '2026-03-31'")
    assert since["changes"], "nothing has changed since; the test proves less"


# ---- Masters that are overwritten ----

NIGHTS = {1: ("2025-03-31", "2025-04-02"), 2: ("2025-06-30", "2025-07-02")}
OVERWRITTEN = ["erp.customers", "erp.products"]


def landed(night: int) -> Raw:
    """Documents are added to; customers and products stand as they are tonight, loaded tonight. Since the first night C2 has moved from
    C1 to C4, C3 has become internal, C5 has moved away and C9 has come."""
    raw = Raw()
    tonight = f"{NIGHTS[night][1]} 01:00:00"
    is_later = night == 2  # noqa: PLR2004
    raw.product("m", "P1", loaded_at=tonight)
    raw.add("crm.activities", source_system="crm", activity_id="V1", account_id="A1", activity_type="visit", performed_on="2025-01-05")
    raw.add("crm.accounts", source_system="crm", account_id="A1", loaded_at=tonight)
    for customer in ("C1", "C2", "C3", "C4", "C5"):
        raw.customer(
            "m",
            customer,
            loaded_at=tonight,
            created_on="2024-01-01",
            parent_customer_id=("C4" if is_later else "C1") if customer == "C2" else "",
            customer_kind="internal" if customer == "C3" and is_later else "",
            region="South" if customer == "C5" and is_later else "North",
        )
    for customer, amount in {"C1": 100, "C2": 900, "C3": 500, "C4": 300, "C5": 40}.items():
        raw.sale("m", customer, "2024-11-15", amount)
    if is_later:
        raw.customer("m", "C9", loaded_at=tonight, created_on="2025-05-01")
        raw.sale("m", "C9", "2025-05-15", 5000)
    return raw


def configuration(folder: Path) -> Path:
    """A type of groups and one of single customers."""
    return write_configuration(
        folder,
        replace={
            "segment_types": [segment_type("groups", hierarchy_level="ultimate_parent", is_default="true"), segment_type("singles")],
            "segment_tiers": tiers("groups", excluded="X") + tiers("singles", excluded="X"),
            "segment_type_branches": [],
            "segment_type_brands": [],
        },
    )


@dataclass
class Asked:
    """A warehouse after it was asked about the first night: tiers, and the last row of its run log."""

    tiers: dict[tuple[str, str], tuple[Any, ...]]
    run: dict[str, Any]
    path: Path


def look(path: Path) -> Asked:
    """What it says."""
    rows = read_rows(path, "select segment_type_id, customer_id, entity_id, tier, reason_code, metric_amount from segmentation.fct_customer_segments")
    runs = read_rows(path, "select * from audit.run_log order by started_at")
    return Asked({(row["segment_type_id"], row["customer_id"]): tuple(row.values())[2:] for row in rows}, runs[-1], path)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """After both nights: the warehouse that lived through them, and fresh ones, each with the feed declared and not."""
    folder = tmp_path_factory.mktemp("overwritten")
    raw = {night: landed(night).write(folder / f"raw {night}") for night in NIGHTS}
    seeds = configuration(folder / "seeds")

    def variables(night: int, overwritten: list[str]) -> Cells:
        as_of, known_on = NIGHTS[night]
        return {"as_of_date": as_of, "known_on": known_on, "absent_tables": landed(1).absent_tables(), "overwritten_tables": overwritten}

    def start(name: str, over: int, about: int, overwritten: list[str]) -> Any:
        return start_dbt(raw[over], seeds, folder / name, variables(about, overwritten), flags=HISTORY)

    found = {}
    fresh = start("fresh", 2, 1, [])
    found["first night"] = look(finish(start("lived", 1, 1, []), folder / "lived"))
    found["fresh"] = look(finish(fresh, folder / "fresh"))
    fresh = start("fresh declared", 2, 1, [*OVERWRITTEN, "crm.accounts"])
    finish(start("lived", 2, 2, []), folder / "lived")
    found["fresh declared"] = look(finish(fresh, folder / "fresh declared"))
    shutil.copytree(folder / "lived", folder / "lived declared")
    undeclared = start("lived", 2, 1, [])
    found["lived declared"] = look(finish(start("lived declared", 2, 1, [*OVERWRITTEN, "crm.accounts"]), folder / "lived declared"))
    found["lived"] = look(finish(undeclared, folder / "lived"))
    return found


def test_attributes_and_parents_are_those_recorded_for_the_day(asked: dict[str, Asked]) -> None:
    """The first night again, from customers that have been overwritten: C2 under C1, C3 ranked. C9, of whom nothing says that it was not
    there, has no sales yet."""
    found, expected = asked["lived declared"].tiers, asked["first night"].tiers
    assert {key: said for key, said in found.items() if key[1] != "m:C9"} == expected
    assert expected["groups", "m:C2"][0] == "m:C1"
    assert {found[name, "m:C9"][2] for name in ("groups", "singles")} <= {"no_sales_in_scope", "default_new"}
    [recording] = read_rows(asked["lived declared"].path, "select is_forward from intermediate.int_recording")
    assert not recording["is_forward"]


def test_without_a_record_they_are_those_of_today(asked: dict[str, Asked]) -> None:
    found = asked["fresh declared"].tiers
    assert found["groups", "m:C2"][0] == "m:C4"
    assert found["singles", "m:C3"][2] == "excluded"


def test_a_run_over_overwritten_masters_says_approximate(asked: dict[str, Asked]) -> None:
    """Declared: what stands in. Not declared: what is named and not there, what was read and is there no more."""
    assert (asked["first night"].run["reproduction"], asked["first night"].run["reproduction_detail"]) == ("exact", None)
    for name in ("fresh", "fresh declared", "lived", "lived declared"):
        assert asked[name].run["reproduction"] == "approximate", name
    assert "erp.customers: 6 rows stand in that landed after known_on" in asked["lived declared"].run["reproduction_detail"]
    assert "there no more" not in asked["lived declared"].run["reproduction_detail"]
    missing = asked["fresh"].run["reproduction_detail"]
    assert "erp.customers: 5 rows that had landed documents name have landed after known_on" in missing
    assert "crm.accounts: 1 rows that had landed documents name" in missing
    assert "erp.customers: 5 rows that an earlier run had read are there no more" in asked["lived"].run["reproduction_detail"]


def test_only_builds_that_record_say_so(asked: dict[str, Asked]) -> None:
    runs = read_rows(asked["lived"].path, "select has_recorded from audit.run_log order by started_at")
    assert [run["has_recorded"] for run in runs] == [True, True, False]
