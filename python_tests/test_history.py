"""R18: recorded history against an independent witness.

One warehouse lives through eighteen month-ends and two more builds, seven of them killed half-way: late and corrected rows, decisions
that begin, expire and are cleared, a subsidiary that changes hands, another threshold, a customer that disappears and comes
back. After every build ``recompute.World`` says what its tiers are, from the files alone. Folded into periods by the few lines
below, that is what the marts of history have to hold. The worked example of five runs lives in the same warehouse.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import read_rows
from recompute import Member, World
from recompute_causes import CHANGE_COLUMNS, Causes, found_changes, recomputed_changes
from worlds import (
    CASES,
    DBT_TESTS,
    PROJECT,
    Cells,
    Raw,
    absolute_tiers,
    finish,
    kill_when,
    override,
    read_case,
    segment_type,
    start_dbt,
    tiers,
    verify_seals,
    write_configuration,
)

FOR_EVER = date(9999, 12, 31)
MONTH_ENDS = [date(2024 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(2, 20)]
FIRST, LAST = MONTH_ENDS[0], MONTH_ENDS[-1]

# What records, seals and logs; the marts that only read history are made at the end.
HISTORY = ("--select", "+resource_type:snapshot", "+seals", "+int_reproduction", "+fct_record_counts")

# Those that rank the sales of the simulated customers; the others bring a worked example each.
TYPES = ["groups", "singles", "calm", "goods"]

GONE_FROM, BACK_AGAIN = date(2024, 11, 30), date(2025, 3, 31)
REPARENTED, NEW_THRESHOLD = date(2024, 9, 30), date(2025, 1, 31)
KILLED = {
    date(2024, 4, 30): "START snapshot snapshots.snap_segment_tiers",
    date(2024, 6, 30): "OK snapshotted snapshots.snap_configuration",
    date(2024, 9, 30): "START snapshot snapshots.snap_segment_periods",
    date(2024, 10, 31): "OK snapshotted snapshots.snap_segment_tiers",
    date(2024, 12, 31): "START sql incremental model audit.sealed_events",
    date(2025, 1, 31): "START hook: stratum.on-run-end",
    date(2025, 5, 31): "START sql table model intermediate.int_segment_periods_restated",
}


@dataclass(frozen=True)
class Run:
    """A build: for which day, from what was known on which day."""

    as_of: date
    known_on: date

    @property
    def variables(self) -> Cells:
        """The vars of the build."""
        return {"as_of_date": self.as_of.isoformat(), "known_on": self.known_on.isoformat()}


def runs() -> list[Run]:
    """Three days after every month-end; a week after that of March 2025 once more; and at last for an older day."""
    monthly = [Run(day, day + timedelta(days=3)) for day in MONTH_ENDS]
    restated = Run(date(2025, 3, 31), date(2025, 4, 10))
    return sorted([*monthly, restated], key=lambda run: run.known_on)


# ---- The world ----

BUYERS = ["H1", "H1a", "H1b", "H2", "H2a", "S1", "S2", "S3", "S4", "S5", "GOES"]
PRODUCTS = ["P1", "P2", "P3"]


def sales() -> list[Cells]:
    """Random sales of every buyer, some landing forty days late, some corrected a month and a half later."""
    chance = random.Random(18)
    found = []
    for number in range(420):
        day = date(2023, 11, 1) + timedelta(days=chance.randrange((LAST - date(2023, 11, 1)).days + 1))
        buyer = chance.choice(BUYERS)
        landed = day + timedelta(days=40 if chance.random() < 0.08 else 1)
        sale = {
            "invoice_id": f"I{number:04}",
            "customer": buyer,
            "day": day,
            "amount": chance.choice([60, 120, 250, 400, 900, 1500]) * (2 if buyer in ("H1a", "S1") else 1),
            "product": chance.choice(PRODUCTS),
            "landed": landed,
        }
        found.append(sale)
        if chance.random() < 0.06:
            found.append(sale | {"amount": chance.choice([10, 3000]), "landed": landed + timedelta(days=45)})
    return found


SALES = sales()


def raw_folder(run: Run, folder: Path) -> Path:
    """What had landed when the build ran; of masters, and of who disappears, only what stands there now."""
    raw = Raw()
    is_gone = GONE_FROM <= run.as_of < BACK_AGAIN
    for buyer in BUYERS:
        parent = {"H1a": "H1", "H1b": "H2" if run.as_of >= REPARENTED else "H1", "H2a": "H2"}.get(buyer, "")
        if buyer != "GOES" or not is_gone:
            raw.customer("m", buyer, parent_customer_id=parent, created_on="2023-01-01")
    for product in PRODUCTS:
        raw.product("m", product)
    for sale in SALES:
        if sale["landed"] <= run.known_on and not (is_gone and sale["customer"] == "GOES"):
            raw.sale(
                "m",
                sale["customer"],
                sale["day"].isoformat(),
                sale["amount"],
                product_id=sale["product"],
                invoice_id=sale["invoice_id"],
                loaded_at=f"{sale['landed']} 02:00:00",
            )
    five_runs(raw, run)
    tier_changes(raw, run)
    return raw.write(folder)


def five_runs(raw: Raw, run: Run) -> None:
    """The customers of the worked example: an amount a month that gives the tier, by method absolute."""
    amounts = {
        "c1": {"2025-01": 900, "2025-02": 900, "2025-03": 900, "2025-04": 500},
        "c2": {"2025-01": 500, "2025-02": 500, "2025-03": 50, "2025-04": 50},
        "c3": {"2025-01": 50, "2025-02": 500, "2025-03": 500, "2025-04": 500},
        "c4": {"2025-02": 50, "2025-03": 50, "2025-04": 50},
    }
    raw.product("x", "P1")
    for customer, months in amounts.items():
        if customer == "c3" and run.as_of >= date(2025, 4, 30):
            continue  # deleted from the source
        raw.customer("x", customer)
        if customer != "c4":
            raw.sale("x", customer, "2024-06-10", 1)
        for month, amount in months.items():
            if date.fromisoformat(f"{month}-15") <= run.known_on:
                raw.sale("x", customer, f"{month}-15", amount)
    if run.known_on >= date(2025, 4, 8):
        raw.sale("x", "c2", "2025-02-20", -450, loaded_at="2025-04-08 02:00:00")


CHANGES = "contract_tier_change_causes"
OLD_RUN, NEW_RUN = date(2025, 5, 31), date(2025, 6, 30)


def example_of_causes(file: str) -> list[dict[str, str]]:
    """The worked example of causes; the rest of the world can do without it."""
    return read_case(CHANGES, file) if (CASES / CHANGES).exists() else []


def tier_changes(raw: Raw, run: Run) -> None:
    """Its customers: the old sales in one month, the new ones in the next."""
    raw.product("t", "P1")
    for row in example_of_causes("input.csv"):
        raw.customer("t", row["customer_id"], parent_customer_id=row["parent_new" if run.as_of >= NEW_RUN else "parent_old"])
        for day, amount in ((OLD_RUN, row["net_sales_old"]), (NEW_RUN, row["net_sales_new"])):
            if amount != "0" and day <= run.as_of:
                raw.sale("t", row["customer_id"], day.isoformat(), amount)


def versions_of_the_example(run: Run) -> tuple[list[Cells], list[Cells], list[Cells]]:
    """Segment types, tiers and decisions of the worked example of causes: the new version replaces the old one."""
    shares: dict[str, Cells] = {}
    for row in example_of_causes("config.csv"):
        shares.setdefault(row["version"], {})[row["tier"]] = row["share"]
    common = {"family": "changes", "organisation_id": "changes", "hierarchy_level": "ultimate_parent", "timespan_months": "1", "new_customer_days": "0"}
    is_new = run.as_of >= NEW_RUN
    types = [segment_type("changes_old", **common, version="1", status="retired" if is_new else "active")]
    if is_new:
        types.append(segment_type("changes_new", **common, version="2"))
    decisions = [
        override(f"T{row['customer_id']}", "changes_new", f"t:{row['customer_id']}", tier=row["override_new"], valid_from="2025-06-15")
        for row in example_of_causes("input.csv")
        if row["override_new"]
    ]
    ladders = [tiers(f"changes_{version}", default="N", **shares[version]) for version in ("old", *(["new"] if is_new else []))]
    return types, [row for ladder in ladders for row in ladder], decisions


def configuration(run: Run, folder: Path) -> Path:
    """The configuration in force when the build ran: decisions are written down when they are made."""
    a_share = ("0.70", "0.25") if run.as_of >= NEW_THRESHOLD else ("0.80", "0.15")
    decisions = [
        override("O1", "singles", "m:S3", tier="A", valid_from="2024-05-01", valid_to="2024-08-31"),
        override("O2", "singles", "m:S4", mode="floor", tier="B", valid_from="2024-06-01"),
        override("O3", "singles", "m:S4", mode="clear", valid_from="2024-12-01"),
        override("O4", "groups", "m:H2", tier="X", valid_from="2025-02-01"),
    ]
    example_types, example_tiers, example_decisions = versions_of_the_example(run)
    decisions += example_decisions
    return write_configuration(
        folder,
        replace={
            "organisations": [
                {"organisation_id": "changes", "name": "Changes", "source_system": "t"},
                {"organisation_id": "main", "name": "Main", "source_system": "m"},
                {"organisation_id": "example", "name": "Example", "source_system": "x"},
            ],
            "segment_types": [
                segment_type("groups", organisation_id="main", hierarchy_level="ultimate_parent", timespan_months="3", is_default="true"),
                segment_type("singles", organisation_id="main", timespan_months="3", new_customer_days="30"),
                segment_type("calm", organisation_id="main", timespan_months="2", hysteresis_months="2", status="challenger"),
                segment_type("trial", organisation_id="main", timespan_months="2", status="scenario"),
                segment_type("goods", organisation_id="main", entity="product", timespan_months="2"),
                segment_type("five_runs", organisation_id="example", method="absolute", timespan_months="1", new_customer_days="60"),
                *example_types,
            ],
            "segment_tiers": [
                *example_tiers,
                *tiers("groups", excluded="X", A=a_share[0], B=a_share[1], C="0.05"),
                *tiers("singles", default="N"),
                *tiers("calm"),
                *tiers("trial"),
                *tiers("goods"),
                *absolute_tiers("five_runs", default="N", A="800", B="400", C="1"),
            ],
            "segment_type_branches": [],
            "segment_type_brands": [],
            "segment_overrides": [row for row in decisions if date.fromisoformat(row["valid_from"]) <= run.as_of],
        },
    )


# ---- The witness ----

State = tuple[Any, ...]


def types_of(world: World) -> list[str]:
    """The types that history speaks of."""
    return [name for name, row in world.configuration.segment_types.items() if row["status"] in ("active", "challenger")]


def state(member: Member) -> State:
    """What makes a period of its own."""
    return (member.tier, member.computed_tier, member.reason_code, member.tier_source, member.override_id, member.entity_id)


@dataclass
class Witness:
    """Folds what each build says into recorded periods, restated periods and versions of these."""

    recorded: dict[tuple[str, str], list[list[Any]]] = field(default_factory=dict)
    versions: dict[tuple[str, str, date], list[list[Any]]] = field(default_factory=dict)
    world: World | None = None
    causes: Causes = field(default_factory=Causes)

    def see(self, run: Run, raw: Path, seeds: Path) -> None:
        """One build that looks forward."""
        self.world = World.read(raw, seeds, as_of=run.as_of, known_on=run.known_on)
        self.causes.see(self.world)
        types = types_of(self.world)
        now = {(name, key): state(member) for name in types for key, member in self.world.members(name).items()}
        for key in self.recorded.keys() | now.keys():
            periods = self.recorded.setdefault(key, [])
            if not periods and key not in now:
                continue
            if not periods or periods[-1][2] != now.get(key):
                if periods:
                    periods[-1][1] = run.as_of
                periods.append([run.as_of, FOR_EVER, now.get(key)])
        restated = {}
        for name in types:
            monthly = self.world.monthly(name)
            for member, start, end, status, said in collapse(monthly):
                restated[name, member, start] = (end, status, said)
        # Of who has left the sources stands what was known; it ends with the first month-end without it.
        spoken_of = {period[:2] for period in restated}
        for period, known in self.versions.items():
            if period[:2] not in spoken_of and known[-1][1] == FOR_EVER:
                end, status, said = known[-1][2]
                gone_on = self.recorded[period[:2]][-1][0]
                later = [day for day in self.world.month_ends if day >= gone_on]
                restated[period] = (min(later), "gone", said) if end == FOR_EVER and later else (end, status, said)
        for period in self.versions.keys() | restated.keys():
            known = self.versions.setdefault(period, [])
            if known and known[-1][1] == FOR_EVER:
                if known[-1][2] == restated.get(period):
                    continue
                known[-1][1] = run.known_on
            if period in restated:
                known.append([run.known_on, FOR_EVER, restated[period]])


def collapse(monthly: dict[date, dict[str, Member]]) -> Iterator[tuple[str, date, date, str, State]]:
    """Month-ends of one answer, one after the other, as periods."""
    days = sorted(monthly)
    for member in {member for members in monthly.values() for member in members}:
        start = None
        for day, following in zip(days, [*days[1:], None], strict=True):
            said = state(monthly[day][member]) if member in monthly[day] else None
            if said is None:
                continue
            start = start or day
            after = state(monthly[following][member]) if following and member in monthly[following] else None
            if following is None:
                yield member, start, FOR_EVER, "current", said
            elif after != said:
                yield member, start, following, "changed" if after else "gone", said
                start = None


@dataclass(frozen=True)
class Life:
    """The warehouse at the end, the witness, and what stood there before the last build, which looked back."""

    path: Path
    witness: Witness
    differences: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    verified: tuple[int, str]
    before_looking_back: list[dict[str, Any]]


def recorded_rows(path: Path) -> list[dict[str, Any]]:
    """Everything the snapshots hold."""
    names = ["snap_segment_tiers", "snap_segment_periods", "snap_configuration", "snap_customer_parents"]
    return [{"snapshot": name} | row for name in names for row in read_rows(path, f"select * from snapshots.{name} order by all")]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Lives it."""
    folder = tmp_path_factory.mktemp("history")
    warehouse, witness = folder / "warehouse", Witness()
    path = warehouse / "stratum.duckdb"
    for number, run in enumerate(runs()):
        raw = raw_folder(run, folder / f"raw_{number}")
        seeds = configuration(run, folder / f"seeds_{number}")
        variables = run.variables | {"absent_tables": absent_tables()}
        if run.as_of in KILLED:
            kill_when(start_dbt(raw, seeds, warehouse, variables, flags=HISTORY), KILLED[run.as_of])
        # The last build makes every mart, and is checked by the project's own tests as well.
        exclude, select = ("resource_type:unit_test", ()) if run.as_of == LAST else (DBT_TESTS, HISTORY)
        finish(start_dbt(raw, seeds, warehouse, variables, exclude=exclude, flags=select), warehouse)
        witness.see(run, raw, seeds)
    differences, before = read_rows(path, "select * from audit.fct_recorded_vs_restated"), recorded_rows(path)
    changes = read_rows(path, "select * from audit.fct_tier_changes")
    findings = read_rows(path, "select * from audit.findings_history_disagreements")
    verified = verify_seals(warehouse, raw, variables)
    back = Run(date(2025, 2, 28), LAST + timedelta(days=20))
    process = start_dbt(raw, seeds, warehouse, back.variables | {"absent_tables": absent_tables()}, exclude="resource_type:unit_test")
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-6000:]
    return Life(path, witness, differences, changes, findings, verified, before)


def absent_tables() -> list[str]:
    """The world has none of the optional tables."""
    return Raw().absent_tables()


# ---- What the marts have to hold ----


def test_recorded_history_is_what_every_build_said(life: Life) -> None:
    """Periods, tiers, reasons and decisions of customers and products, with the gap of who was gone."""
    expected = {
        (name, member, start, end, end == FOR_EVER, said)
        for (name, member), periods in life.witness.recorded.items()
        for start, end, said in periods
    }
    found = set()
    for entity in ("customer", "product"):
        for row in read_rows(life.path, f"select * from segmentation.dim_{entity}_segment_history"):
            said = tuple(
                row[name] for name in ("tier", "computed_tier", "reason_code", "tier_source", "override_id", "entity_id")
            )
            assert row["is_gone"] == (row["tier"] is None)
            found.add(
                (
                    row["segment_type_id"],
                    row[f"{entity}_id"],
                    row["valid_from"],
                    row["valid_to"],
                    row["is_current"],
                    None if row["is_gone"] else said,
                )
            )
    assert found == expected
    assert any(said is None for _, _, _, _, _, said in expected), "nobody was ever gone"


def test_restated_history_is_bitemporal(life: Life) -> None:
    """Every version of every restated period, from when until when it was believed."""
    expected = {
        (*period, *version[2][:2], version[0], version[1], version[2][2])
        for period, versions in life.witness.versions.items()
        for version in versions
    }
    found = {
        (
            *(row[name] for name in ("segment_type_id", "member_id", "valid_from", "valid_to", "period_status")),
            *(row[name] for name in ("recorded_at", "superseded_at")),
            tuple(
                row[name] for name in ("tier", "computed_tier", "reason_code", "tier_source", "override_id", "entity_id")
            ),
        )
        for row in read_rows(life.path, "select * from audit.dim_segment_restatements")
    }
    assert found == expected


def test_the_example_of_five_runs(life: Life) -> None:
    """``contract_bitemporal_history_5runs``: as known on two days, both answers for ever."""
    status = {"current": "current", "changed": "closed_changed", "gone": "closed_not_in_run"}
    for row in (expected := read_case("contract_bitemporal_history_5runs")):
        row["valid_to_exclusive"] = row["valid_to_exclusive"] or FOR_EVER.isoformat()
    found = [
        {
            "known_on": known_on,
            "customer_id": row["member_id"].removeprefix("x:"),
            "tier": row["tier"],
            "valid_from": row["valid_from"].isoformat(),
            "valid_to_exclusive": row["valid_to"].isoformat(),
            "row_status": status[row["period_status"]],
        }
        for known_on in ("2025-04-05", "2025-05-05")
        for row in read_rows(
            life.path,
            "select * from audit.dim_segment_restatements where segment_type_id = 'five_runs' and valid_to > '2025-01-31'"
            f" and recorded_at <= '{known_on}' and superseded_at > '{known_on}'",
        )
    ]
    # The example begins in January 2025; before, the one coin of June 2024 makes no tier.
    for row in found:
        row["valid_from"] = max(row["valid_from"], "2025-01-31")
    keys = ("known_on", "customer_id", "valid_from")
    assert sorted(found, key=lambda row: [row[key] for key in keys]) == sorted(
        expected, key=lambda row: [row[key] for key in keys]
    )


def test_the_example_of_causes(life: Life) -> None:
    """``contract_tier_change_causes``: every step of every customer; who is not moved by any has no row."""
    steps = ["start", "after_hierarchy", "after_configuration", "after_own_metric", "after_peers", "after_override"]
    expected = {
        row["customer_id"]: [row["causes"], *(row[f"t{number}_{step.removeprefix('after_')}"] for number, step in enumerate(steps))]
        for row in read_case(CHANGES)
        if row["causes"] != "none"
    }
    rows = [row for row in life.changes if row["segment_type_id"] == "changes_new" and row["to_date"] == NEW_RUN]
    found = {row["member_id"].removeprefix("t:"): [row["causes"], *(row[f"tier_{step}"] for step in steps)] for row in rows}
    assert found == expected
    assert all(row["tier_end"] == row["tier_after_override"] and row["old_segment_type_id"] == "changes_old" for row in rows)
    assert all(row["is_recorded"] and not row["is_metric_restated"] for row in rows)


def test_every_change_has_the_causes_we_find(life: Life) -> None:
    """R21: all pairs of dates of all types in force, with everybody ranked anew for every single customer."""
    causes, world = life.witness.causes, life.witness.world
    assert world is not None
    expected = {}
    for from_date, to_date in pairwise(world.evaluation_dates):
        for name in causes.rules_on(to_date):
            expected |= recomputed_changes(causes, name, from_date, to_date)
    assert found_changes(life.changes) == expected
    steps = {move.split(":")[0] for row in life.changes if row["is_recorded"] for move in row["causes"].split("|")}
    # Who changes hands is in the worked example.
    assert steps >= {"configuration", "own_metric", "peers", "override", "hysteresis"}
    assert all(len({row[column] for column in CHANGE_COLUMNS}) > 1 for row in life.changes)


def test_where_recorded_and_restated_differ(life: Life) -> None:
    """Every month-end, member by member: what was in force then and what the last build says about it."""
    world = life.witness.world
    assert world is not None
    expected = {}
    for name in types_of(world):
        monthly = world.monthly(name)
        first = min(periods[0][0] for (found, _), periods in life.witness.recorded.items() if found == name)
        appeared = {member: min(day for day in monthly if member in monthly[day]) for members in monthly.values() for member in members}
        spoken_of = {member for members in monthly.values() for member in members}
        for day in (day for day in monthly if day >= first):
            recorded = {
                member: said
                for (found, member), periods in life.witness.recorded.items()
                for start, end, said in periods
                if found == name and member in spoken_of and start <= day < end and said is not None
            }
            for member in recorded.keys() | monthly[day].keys():
                then, now = recorded.get(member), monthly[day].get(member)
                if now is None and member in appeared and day < appeared[member]:
                    continue  # the build speaks of everybody, a month-end of who has appeared
                said = state(now) if now else None
                if (then and (then[0], then[5])) != (said and (said[0], said[5])):
                    expected[name, member, day] = (then and then[0], said and said[0])
    found = {
        (row["segment_type_id"], row["member_id"], row["month_end"]): (row["recorded_tier"], row["restated_tier"])
        for row in life.differences
    }
    assert found == expected
    causes = {row["difference_cause"] for row in life.differences}
    assert causes >= {"hierarchy", "configuration", "not_known_then", "late_rows", "corrected_rows", "rows_of_others"}
    assert "unexplained" not in causes


def test_late_and_corrected_are_what_landed_after_the_build_of_the_month(life: Life) -> None:
    """By the files: sales of the entity, up to the month-end, that the last build for it did not know."""
    world = life.witness.world
    assert world is not None
    known_on = {run.as_of: run.known_on for run in runs()}
    found, expected = {}, {}
    for row in life.differences:
        name, day, cause = row["segment_type_id"], row["month_end"], row["difference_cause"]
        if name not in TYPES or cause not in ("late_rows", "corrected_rows", "rows_of_others"):
            continue
        members = world.monthly(name)[day]
        named = {key.removeprefix("m:") for key, member in members.items() if member.entity_id == row["restated_entity_id"]}
        landed: dict[str, list[date]] = {}
        for sale in SALES:
            if sale["product" if name == "goods" else "customer"] in named and sale["day"] <= day and sale["landed"] <= LAST + timedelta(days=3):
                landed.setdefault(sale["invoice_id"], []).append(sale["landed"])
        late = [days for days in landed.values() if max(days) > known_on[day]]
        corrected = any(min(days) <= known_on[day] for days in late)
        key = (name, row["member_id"], day)
        found[key], expected[key] = cause, "corrected_rows" if corrected else "late_rows" if late else "rows_of_others"
    assert found == expected
    assert len(found) > 20  # noqa: PLR2004 - else the world has become too quiet


def test_every_disagreement_is_a_finding_with_its_reason(life: Life) -> None:
    """Folded by member and reason, nothing left out."""
    expected: dict[tuple[str, ...], list[date]] = {}
    for row in life.differences:
        expected.setdefault((row["difference_cause"], row["segment_type_id"], row["member_id"]), []).append(row["month_end"])
    found = {(row["difference_cause"], row["segment_type_id"], row["member_id"]): row for row in life.findings}
    assert found.keys() == expected.keys()
    for key, days in expected.items():
        row = found[key]
        assert (row["first_month_end"], row["last_month_end"], row["month_count"]) == (min(days), max(days), len(days))
        assert row["finding_id"] == f"{'|'.join(key)}|{min(days)}|{max(days)}"


def test_the_seals_of_a_life_with_kills_are_verified(life: Life) -> None:
    """Every build has sealed what it recorded, also where one had been killed before, between and after its seal."""
    returncode, printed = life.verified
    assert returncode == 0, printed
    assert f"Seals verified: {len(runs())} seals" in printed
    assert "(0 sealed later than their day)" in printed


def test_the_log_tells_killed_builds_and_what_was_not_there_any_more(life: Life) -> None:
    """A killed build recorded nothing that counts; while somebody has disappeared, earlier readings cannot be made again."""
    log = read_rows(life.path, "select * from audit.run_log order by started_at")
    interrupted = {row["known_on"] - timedelta(days=3) for row in log if row["status"] == "interrupted"}
    # At the end of a run the log may be quicker than the kill.
    assert interrupted | {day for day, words in KILLED.items() if "hook" in words} == set(KILLED)
    recorded = [row for row in log if row["has_recorded"]]
    assert list(dict.fromkeys((row["as_of_date"], row["known_on"]) for row in recorded)) == [(run.as_of, run.known_on) for run in runs()]
    first_without = next(row for row in recorded if row["as_of_date"] == GONE_FROM)
    assert first_without["reproduction"] == "approximate"
    assert "erp.customers: 1 rows that an earlier run had read are there no more" in first_without["reproduction_detail"]
    assert recorded[0]["reproduction"] == "exact"


def test_a_build_that_looks_back_records_nothing(life: Life) -> None:
    """Not a row, not a closed period, nobody gone."""
    assert recorded_rows(life.path) == life.before_looking_back
    assert read_rows(life.path, "select is_forward from intermediate.int_recording") == [{"is_forward": False}]


def test_configuration_is_recorded(life: Life) -> None:
    """The threshold and the decisions, dated with the first build that had them."""
    rows = read_rows(life.path, "select * from snapshots.snap_configuration where dbt_is_deleted = 'False'")
    shares = {
        row["dbt_valid_from"].date(): row["row_content"]
        for row in rows
        if row["seed"] == "segment_tiers" and row["row_key"] == "groups|A"
    }
    assert set(shares) == {FIRST, NEW_THRESHOLD}
    assert "sales_share=0.80; " in shares[FIRST]
    assert "sales_share=0.70; " in shares[NEW_THRESHOLD]
    decisions = {row["row_key"]: row["dbt_valid_from"].date() for row in rows if row["seed"] == "segment_overrides"}
    assert decisions == {
        "O1": date(2024, 5, 31),
        "O2": date(2024, 6, 30),
        "O3": date(2024, 12, 31),
        "O4": date(2025, 2, 28),
        "Tf": date(2025, 6, 30),
    }


# ---- Tools ----


def run_tool(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A tool of the project as its make target runs it."""
    return subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def explain(life: Life, customer: str, segment_type_id: str, day: str) -> subprocess.CompletedProcess[str]:
    """The story of a customer in the warehouse of the life."""
    arguments = ("--customer", customer, "--type", segment_type_id, "--as-of", day)
    return run_tool("explain", *arguments, STRATUM_WAREHOUSE=life.path.as_posix())


def test_the_story_of_a_customer(life: Life) -> None:
    """The decision of its day, the group it belongs to, the threshold of its day, the time it was gone, and a name nobody knows."""
    decided = explain(life, "m:S3", "singles", "2024-06-30")
    assert decided.returncode == 0, decided.stderr
    assert "Tier A since 2024-05-31" in decided.stdout
    assert "Decision consulted: override_id=O1; " in decided.stdout
    [run] = read_rows(life.path, "select run_id, configuration_hash from audit.run_log where has_recorded and as_of_date = '2024-05-31'")
    [seal] = read_rows(life.path, "select chain from audit.seals where as_of_date = '2024-05-31'")
    assert f"by run {run['run_id']} " in decided.stdout
    assert f"configuration {run['configuration_hash']}" in decided.stdout
    assert f"under seal 4 of 2024-05-31, head {seal['chain']}" in decided.stdout
    member = explain(life, "m:H1b", "groups", "2024-10-31").stdout
    assert "The tier is that of m:H2" in member
    assert "tier=A; sales_share=0.80; " in member
    assert "tier=A; sales_share=0.70; " in explain(life, "m:H1b", "groups", "2025-02-28").stdout
    assert "a decision moved it" in explain(life, "m:H1b", "groups", "2025-02-28").stdout
    assert "It was gone from 2024-11-30 on, until 2025-03-31" in explain(life, "m:GOES", "singles", "2025-01-31").stdout
    unknown = explain(life, "m:NOBODY", "singles", "2025-01-31")
    assert unknown.returncode == 1
    assert "Nothing was recorded about m:NOBODY under singles on 2025-01-31" in unknown.stderr


def test_a_replay_gives_one_history_whether_or_not_it_was_stopped(tmp_path: Path) -> None:
    """Two months in one go, and one month, then both: the same rows in every snapshot, and the same seals."""
    last = Run(date(2024, 7, 31), date(2024, 8, 3))
    raw, seeds = raw_folder(last, tmp_path / "raw"), configuration(last, tmp_path / "seeds")
    histories = []
    for name, steps in {"stopped": ["2024-06", "2024-07"], "whole": ["2024-07"]}.items():
        path = tmp_path / name / "stratum.duckdb"
        path.parent.mkdir()
        for step in steps:
            replayed = run_tool(
                "replay",
                *("--from", "2024-06", "--to", step, "--vars", f'{{"absent_tables": {absent_tables()}}}'.replace("'", '"')),
                STRATUM_RAW_DATA=raw.as_posix(),
                STRATUM_CONFIGURATION=seeds.as_posix(),
                STRATUM_WAREHOUSE=path.as_posix(),
                DBT_TARGET_PATH=(tmp_path / "target").as_posix(),
                DBT_LOG_PATH=(tmp_path / "logs").as_posix(),
                DBT_PROFILES_DIR=profiles(tmp_path).as_posix(),
            )
            assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        histories.append(recorded_rows(path) + read_rows(path, "select * from audit.seals order by seal_number"))
    assert "2024-07-31 (2 of 2): built in" in replayed.stdout
    assert " s, exact" in replayed.stdout
    assert histories[0] == histories[1]
    assert {row["as_of_date"] for row in histories[0] if "seal_number" in row} == {date(2024, 6, 30), date(2024, 7, 31)}


def profiles(folder: Path) -> Path:
    """A folder with the profile that the project's example gives."""
    (folder / "profiles.yml").write_text((PROJECT / "profiles.example.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_a_replay_refuses_months_that_make_no_sense() -> None:
    """Not a month, and the last before the first."""
    assert "write it as 2025-01" in run_tool("replay", "--from", "2025", "--to", "2025-02").stderr
    assert "comes after" in run_tool("replay", "--from", "2025-03", "--to", "2025-02").stderr
