"""R18: month-ends are kept from night to night and written again only when what they follow from has changed.

One warehouse lives through eight nights, each with a change of another kind. After each, exactly the evaluations that
the change reaches were due; and what stands there is what a warehouse built from nothing would hold.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import read_rows
from worlds import (
    HISTORY,
    OPTIONAL_TABLES,
    Cells,
    Contents,
    Raw,
    absolute_tiers,
    assert_same_contents,
    assert_same_values,
    contents,
    finish,
    kill_when,
    override,
    segment_type,
    start_dbt,
    tiers,
    write_configuration,
)

# ---- The world ----

# Whole months of the base world; its as-of date lies in the middle of the month after.
MONTH_ENDS = [date(2024, 12, 31), *(date(2025, month + 1, 1) - timedelta(days=1) for month in range(1, 8))]
DECEMBER, JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE, JULY = MONTH_ENDS
AUGUST = date(2025, 8, 31)
MID_AUGUST, MID_SEPTEMBER = date(2025, 8, 20), date(2025, 9, 15)

# H1a belongs to H1, V1 and V2 are one firm, T is the company itself; the others stand for themselves.
BUYERS = ["H1", "H1a", "C2", "C3", "C4", "C5", "V1", "V2", "T"]
# They have neither a date of creation nor a document.
NEVER_APPEARED = {"m:GHOST", "m:SIGNATORY"}
BRANCHES = {"H1": "N", "H1a": "N", "C2": "N", "C4": "N", "V1": "N"}
PRODUCTS = ["P1", "P2", "P3"]

# Every customer type and how many months its window holds; what is not said is the default.
TYPES: dict[str, Cells] = {
    "plain": {"timespan_months": "3", "new_customer_days": "30"},
    "groups": {"timespan_months": "3", "hierarchy_level": "ultimate_parent"},
    "firms": {"timespan_months": "2", "identity_basis": "vat"},
    "steady": {"timespan_months": "1", "hysteresis_months": "2"},
    "decided": {"timespan_months": "3"},
    "committed": {"timespan_months": "12", "metric_basis": "contract", "method": "absolute"},
    "committed_groups": {"timespan_months": "12", "metric_basis": "contract", "hierarchy_level": "ultimate_parent"},
    "orders": {"timespan_months": "2", "metric": "order_count", "method": "count"},
    "capped": {"timespan_months": "6", "outlier_treatment": "cap"},
    "branch": {"timespan_months": "3"},
    "fiscal_year": {"interval": "fixed_year", "fiscal_year_start_month": "4"},
    "to_date": {"timespan_months": "2", "window_end": "as_of_date"},
    "outgoing": {"timespan_months": "3"},
    "product": {"timespan_months": "3", "entity": "product"},
    "product_steady": {"timespan_months": "1", "entity": "product", "hysteresis_months": "2"},
}
PRODUCT_TYPES = {name for name, cells in TYPES.items() if cells.get("entity") == "product"}
STEADY_TYPES = {name for name, cells in TYPES.items() if "hysteresis_months" in cells}
OUTLIER_VARS = {"outlier_multiple": 3, "outlier_minimum_amount": 500}

BASE_OVERRIDES = [
    override("O1", "decided", "m:C5", tier="X", valid_from="2025-03-01"),
    override("O2", "decided", "m:H1a", mode="floor", tier="B", valid_from="2025-02-01", valid_to="2025-05-31"),
    override("O3", "steady", "m:C2", tier="C", valid_from="2025-06-01"),
]


@dataclass(frozen=True)
class Night:
    """The day a build looks at, and what has happened until then."""

    as_of: date
    changes: frozenset[str]

    def __contains__(self, change: str) -> bool:
        return change in self.changes


def night(as_of: date, *changes: str) -> Night:
    """A night after some changes."""
    return Night(as_of, frozenset(changes))


NIGHTS = {
    "base": night(MID_AUGUST),
    "late line": night(MID_AUGUST, "line"),
    "customers": night(MID_AUGUST, "line", "customers"),
    "decisions": night(MID_AUGUST, "line", "customers", "decisions"),
    "month-end": night(AUGUST, "line", "customers", "decisions", "august"),
    "next month": night(MID_SEPTEMBER, "line", "customers", "decisions", "august", "september"),
    "the past": night(MAY, "line", "customers", "decisions", "august", "september"),
    "the present": night(MID_SEPTEMBER, "line", "customers", "decisions", "august", "september"),
}


def landed(moment: Night) -> Raw:
    """The raw tables of a night: nothing that has landed is ever taken away."""
    raw = Raw()
    chance = random.Random(20250820)
    for branch in ("N", "S"):
        raw.add("erp.branches", source_system="m", branch_id=branch, name=branch)
    for product in PRODUCTS:
        raw.product("m", product)
    for customer in BUYERS:
        raw.customer(
            "m",
            customer,
            country="DE",
            parent_customer_id="H1" if customer == "H1a" else "",
            vat_number="DE444555666" if customer in {"V1", "V2"} else "",
            customer_kind="internal" if customer == "T" else "",
        )
        # Everybody's first order is a large one: whoever has none cannot have outliers, and a first one later would
        # reach back to all months before it.
        sell(raw, customer, "2024-12-03", 600)
        for month_end in [*MONTH_ENDS[:-1], JULY, MID_AUGUST]:
            for _ in range(chance.choice([0, 1, 1, 2])):
                day = month_end.replace(day=chance.randint(1, 20)).isoformat()
                sell(raw, customer, day, chance.choice([30, 80, 150, 400, 900, -40]), chance.choice(PRODUCTS))
    # One order, delivered in two months.
    for day in ("2025-05-28", "2025-06-03"):
        sell(raw, "H1", day, 70, order_id="ORDER-IN-TWO-PARTS")
    # Somebody who has been spoken to, somebody nobody knows anything of, and a part of H1 that has only signed.
    raw.customer("m", "PROSPECT", created_on="2025-02-10")
    raw.customer("m", "GHOST")
    raw.customer("m", "SIGNATORY", parent_customer_id="H1")
    for contract_id, customer, amount in (
        ("K1", "C2", 1200),
        ("K2", "C3", 600),
        ("K3", "H1a", 2400),
        ("K4", "SIGNATORY", 9000),
    ):
        add_contract(raw, contract_id, customer, amount)

    # What the desk costs, shared out by the minutes it spent: no sale and no order changes a share.
    for month_end in [*MONTH_ENDS, AUGUST]:
        add_cost(raw, month_end, 900)
        for minutes, customer in enumerate(BUYERS[:4], start=1):
            raw.add(
                "erp.driver_quantities", source_system="m", driver="desk_minutes", customer_id=customer, driver_month=month_end, quantity=minutes
            )

    if "line" in moment:
        sell(raw, "C3", "2025-03-12", 700, loaded_at="2025-08-20 02:00:00")
        add_cost(raw, FEBRUARY, 70, loaded_at="2025-08-20 02:00:00")
    if "customers" in moment:
        # One appears in June and buys at once; of the other it turns out that he came two months later.
        raw.customer("m", "NEWCOMER", created_on="2025-06-15", loaded_at="2025-08-21 02:00:00")
        sell(raw, "NEWCOMER", "2025-06-20", 60, loaded_at="2025-08-21 02:00:00")
        raw.customer("m", "PROSPECT", created_on="2025-04-10", loaded_at="2025-08-21 02:00:00")
    if "decisions" in moment:
        add_contract(raw, "K1", "C2", 1200, valid_to="2025-05-15", loaded_at="2025-08-22 02:00:00")
    if "august" in moment:
        for customer in BUYERS[:6]:
            sell(raw, customer, "2025-08-25", 110)
    if "september" in moment:
        for customer in BUYERS[3:]:
            sell(raw, customer, "2025-09-10", 250)
    return raw


def sell(raw: Raw, customer: str, day: str, amount: int, product: str = "P1", **cells: Any) -> None:
    """A sale in the customer's branch, with an order of its own."""
    number = raw.numbers["m"] + 1
    raw.sale(
        "m",
        customer,
        day,
        amount,
        product_id=product,
        line_cells={"cost_amount": str(amount // 2)},
        **{"branch_id": BRANCHES.get(customer, "S"), "order_id": f"O{number}"} | cells,
    )


def add_cost(raw: Raw, month_end: date, amount: int, **cells: str) -> None:
    """What stands in the ledger for the desk in a month."""
    raw.add("erp.cost_ledger", source_system="m", cost_pool_id="desk", ledger_month=month_end, amount=amount, currency="EUR", **cells)


def add_contract(raw: Raw, contract_id: str, customer: str, amount: int, **cells: str) -> None:
    """A contract from January 2025 on."""
    raw.add(
        "erp.contracts",
        source_system="m",
        contract_id=contract_id,
        customer_id=customer,
        committed_annual_amount=amount,
        currency="EUR",
        **{"valid_from": "2025-01-01"} | cells,
    )


def configured(moment: Night, folder: Path) -> Path:
    """The configuration of a night."""
    decided = "decisions" in moment
    types, tier_rows = [], []
    for name, cells in TYPES.items():
        status = {"status": "retired"} if decided and name == "outgoing" else {}
        types.append(segment_type(name, organisation_id="m", **cells, **status))
        if cells.get("method") == "absolute":
            tier_rows += absolute_tiers(name, default="N", A="1000", B="500", C="0")
        elif decided and name == "plain":
            tier_rows += tiers(name, default="N", excluded="X", A="0.70", B="0.25", C="0.05")
        else:
            tier_rows += tiers(name, default="N", excluded="X")
    return write_configuration(
        folder,
        replace={
            "organisations": [{"organisation_id": "m", "name": "M", "source_system": "m"}],
            "segment_types": types,
            "segment_tiers": tier_rows,
            "segment_type_branches": [{"segment_type_id": "branch", "branch_id": "m:N"}],
            "segment_type_brands": [],
            "cost_pools": [{"cost_pool_id": "desk", "driver": "desk_minutes"}],
            "segment_overrides": BASE_OVERRIDES
            + [override("O4", "decided", "m:C4", tier="A", valid_from="2025-02-15")] * decided,
            "hierarchy_overrides": [
                {
                    "customer_id": "m:C5",
                    "parent_customer_id": "m:H1",
                    "valid_from": "2025-04-10",
                    "reason": "bought",
                    "approved_by": "ada",
                }
            ]
            * decided,
        },
    )


def variables(moment: Night) -> Cells:
    """The vars of a night."""
    landed_tables = {"erp.branches", "erp.contracts", "erp.cost_ledger", "erp.driver_quantities"}
    absent = [table for table in OPTIONAL_TABLES if table not in landed_tables]
    return OUTLIER_VARS | {"as_of_date": moment.as_of.isoformat(), "absent_tables": absent}


@dataclass
class Prepared:
    """The raw folder and the configuration folder of every night, written once."""

    folder: Path

    def raw(self, name: str) -> Path:
        """The raw folder of a night."""
        path = self.folder / name / "raw"
        return path if path.is_dir() else landed(NIGHTS[name]).write(path)

    def configuration(self, name: str) -> Path:
        """The configuration folder of a night."""
        path = self.folder / name / "seeds"
        return path if path.is_dir() else configured(NIGHTS[name], path)

    def start(self, name: str, warehouse: Path, *flags: str) -> subprocess.Popen[str]:
        """A night that has begun over a warehouse folder."""
        return start_dbt(self.raw(name), self.configuration(name), warehouse, variables(NIGHTS[name]), flags=flags)

    def build(self, name: str, warehouse: Path, *flags: str) -> Path:
        """A night over a warehouse folder; returns the file."""
        return finish(self.start(name, warehouse, *flags), warehouse)


# ---- The nights ----

Evaluation = tuple[str, date]

# A number that no honest row has, and where it is added to see which rows are written anew: where nothing else that is compared reads it.
MARK = 1_000_000_000
MARKED_COLUMNS = {
    "intermediate.int_segment_members_evaluated": ("evaluation_date", "own_metric_amount"),
    "segmentation.fct_segment_summary": ("as_of_date", "excluded_member_count"),
    "segmentation.fct_segment_concentration": ("as_of_date", "excluded_amount"),
    "segmentation.fct_segment_migration": ("month_end", "net_sales"),
    "audit.fct_override_rates": ("as_of_date", "changed_member_count"),
}


def held(path: Path) -> Contents:
    """Everything public that does not depend on which nights there have been."""
    return {name: rows for name, rows in contents(path).items() if name not in HISTORY}


def due(path: Path) -> set[Evaluation]:
    """The evaluations the last night had to make."""
    return {
        (row["segment_type_id"], row["evaluation_date"])
        for row in read_rows(path, "select * from intermediate.int_segment_evaluations where is_due")
    }


def mark(path: Path) -> None:
    """Add the mark to every row that is kept from night to night."""
    with duckdb.connect(str(path)) as connection:
        for table, (_, column) in MARKED_COLUMNS.items():
            connection.execute(f"update {table} set {column} = {column} + {MARK}")


def unmark(path: Path) -> dict[str, set[Evaluation]]:
    """Take the mark off again; returns where it was still there, by table."""
    kept = {}
    with duckdb.connect(str(path)) as connection:
        for table, (day, column) in MARKED_COLUMNS.items():
            marked = f"{column} > {MARK // 2}"
            rows = connection.execute(f"select distinct segment_type_id, {day} from {table} where {marked}")
            kept[table] = set(rows.fetchall())
            connection.execute(f"update {table} set {column} = {column} - {MARK} where {marked}")
    return kept


@dataclass(frozen=True)
class Chain:
    """What the warehouse held after each night, and which evaluations each had to make."""

    prepared: Prepared
    contents: dict[str, Contents]
    due: dict[str, set[Evaluation]]
    kept: dict[str, set[Evaluation]]
    saved: dict[str, Path]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Eight nights of one warehouse. Two of them are kept aside, and one is marked before the next."""
    folder = tmp_path_factory.mktemp("months")
    found = Chain(Prepared(folder), {}, {}, {}, {})
    for name in NIGHTS:
        if name == "late line":
            mark(folder / "warehouse" / "stratum.duckdb")
        path = found.prepared.build(name, folder / "warehouse")
        if name == "late line":
            found.kept.update(unmark(path))
        found.contents[name] = held(path)
        found.due[name] = due(path)
        if name in {"base", "late line"}:
            found.saved[name] = folder / f"saved {name}"
            shutil.copytree(folder / "warehouse", found.saved[name])
    return found


def table(found: Contents, name: str) -> list[dict[str, Any]]:
    """A relation of ``contents`` as dictionaries."""
    columns, rows = found[name]
    return [dict(zip(columns, row, strict=True)) for row in rows]


# ---- Which evaluations a change reaches ----


def months_from(first: date, count: int | None = None) -> set[date]:
    """So many month-ends of the base world from one on; all of them without a count."""
    later = [month_end for month_end in MONTH_ENDS if month_end >= first]
    return set(later[:count])


def reached_by_sale(month_end: date, branch: str) -> dict[str, set[date]]:
    """The month-ends whose window holds a month; with hysteresis, all after them as well."""
    reached = {}
    for name, cells in TYPES.items():
        if name in STEADY_TYPES:
            reached[name] = months_from(month_end)
        elif name == "fiscal_year":
            # The first one complete in the world ends in March.
            reached[name] = months_from(MARCH) if month_end <= MARCH else set()
        elif name == "branch" and branch != "N":
            reached[name] = set()
        else:
            # A type that ranks by contracts shows the sales of its window beside them.
            reached[name] = months_from(month_end, int(cells["timespan_months"]))
    return reached


def reached_by_cost(month_end: date) -> dict[str, set[date]]:
    """The month-ends whose window holds a month, of the types whose costs can be told."""
    reached = reached_by_sale(month_end, "N") | {"steady": {month_end}}
    return {name: days for name, days in reached.items() if name not in PRODUCT_TYPES | {"branch"}}


def reached() -> dict[str, dict[str, set[date]]]:
    """By night and type, the month-ends its change reaches."""
    remaining: dict[str, set[date]] = {name: set() for name in TYPES if name != "outgoing"}
    # Who is there has changed in February and March (the prospect came later), and from June on (the newcomer).
    others_there = {FEBRUARY, MARCH, JUNE, JULY}
    customers = {name: months_from(FEBRUARY) if name in STEADY_TYPES else others_there for name in TYPES}
    sold = {name: reached_by_sale(JUNE, "S")[name] for name in PRODUCT_TYPES}
    return {
        "base": {name: set(MONTH_ENDS) for name in TYPES},
        "late line": reached_by_sale(MARCH, "S"),
        "customers": customers | sold,
        "decisions": remaining
        | {
            "plain": set(MONTH_ENDS),
            "decided": months_from(FEBRUARY),
            "groups": months_from(APRIL),
            "committed": months_from(MAY),
            "committed_groups": months_from(APRIL),
        },
        "month-end": remaining,
        "next month": remaining,
        "the past": remaining,
        "the present": {name: {JUNE, JULY, AUGUST} for name in remaining},
    }


@pytest.mark.parametrize("name", NIGHTS)
def test_a_change_reaches_these_evaluations_and_no_others(chain: Chain, name: str) -> None:
    expected = {
        (segment_type_id, day)
        for segment_type_id, month_ends in reached()[name].items()
        # The as-of date is always looked at anew.
        for day in month_ends | {NIGHTS[name].as_of}
    }
    missing, surplus = expected - chain.due[name], chain.due[name] - expected
    assert not missing, f"not evaluated again: {sorted(missing)}"
    assert not surplus, f"evaluated again for nothing: {sorted(surplus)}"


def test_what_a_change_does_not_reach_is_not_written_again(chain: Chain) -> None:
    month_ends = reached()["late line"]
    untouched = {(name, day) for name, days in month_ends.items() for day in set(MONTH_ENDS) - days}
    # The summary shows the costs of its window, and the same night a cost of February has landed.
    costed = {(name, day) for name, days in reached_by_cost(FEBRUARY).items() for day in days}
    for name, expected in {
        "intermediate.int_segment_members_evaluated": untouched,
        "segmentation.fct_segment_summary": untouched - costed,
        "segmentation.fct_segment_concentration": untouched,
        "audit.fct_override_rates": untouched,
    }.items():
        kept = {(segment_type_id, day) for segment_type_id, day in chain.kept[name] if day in MONTH_ENDS}
        assert kept == expected, f"{name}: {sorted(kept ^ expected)}"
    assert untouched & costed
    # A migration follows from two month-ends.
    pairs = {
        (name, after)
        for name, days in month_ends.items()
        for before, after in zip(MONTH_ENDS, MONTH_ENDS[1:], strict=False)
        if not {before, after} & days
    }
    assert chain.kept["segmentation.fct_segment_migration"] == pairs


def test_every_change_shows(chain: Chain) -> None:
    """Otherwise the other tests of this file would compare like with like."""

    def monthly(name: str, segment_type_id: str, customer: str, month_end: date) -> dict[str, Any]:
        return {
            (row["segment_type_id"], row["customer_id"], row["month_end"]): row
            for row in table(chain.contents[name], "segmentation.fct_customer_segments_monthly")
        }.get((segment_type_id, f"m:{customer}", month_end), {})

    def amounts(segment_type_id: str, customer: str, month_end: date, *names: str) -> list[Any]:
        return [monthly(name, segment_type_id, customer, month_end).get("metric_amount") for name in names]

    before, after = amounts("plain", "C3", APRIL, "base", "late line")
    assert after == before + 700
    assert amounts("plain", "NEWCOMER", JUNE, "late line", "customers") == [None, 60]
    assert [bool(monthly("customers", "plain", "PROSPECT", day)) for day in (MARCH, APRIL)] == [False, True]
    assert [bool(monthly("late line", "plain", "PROSPECT", day)) for day in (JANUARY, MARCH)] == [False, True]
    assert amounts("committed", "C2", MAY, "customers", "decisions") == [1200, 0]
    assert monthly("customers", "decided", "C4", MARCH)["override_id"] is None
    assert monthly("decisions", "decided", "C4", MARCH)["override_id"] == "O4"
    parents = [monthly(name, "groups", "C5", APRIL)["inherited_from"] for name in ("customers", "decisions")]
    assert parents == [None, "m:H1"]
    assert monthly("decisions", "groups", "C5", MARCH)["inherited_from"] is None
    plain = [
        {
            (row["customer_id"], row["month_end"]): row["computed_tier"]
            for row in table(chain.contents[name], "segmentation.fct_customer_segments_monthly")
            if row["segment_type_id"] == "plain"
        }
        for name in ("customers", "decisions")
    ]
    assert plain[0] != plain[1], "other shares give the same tiers"


def days_of(found: Contents, relation: str, column: str) -> dict[str, set[date]]:
    """The days a relation speaks of, by segment type."""
    days: dict[str, set[date]] = defaultdict(set)
    for row in table(found, relation):
        days[row["segment_type_id"]].add(row[column])
    return dict(days)


@pytest.mark.parametrize("name", NIGHTS)
def test_every_relation_speaks_of_the_days_up_to_the_as_of_date(chain: Chain, name: str) -> None:
    """A retired type and days after an earlier as-of date leave; nothing else does."""
    found, as_of = chain.contents[name], NIGHTS[name].as_of
    month_ends = {day for day in [*MONTH_ENDS, AUGUST] if day <= as_of}
    evaluated = TYPES.keys() - ({"outgoing"} if "decisions" in NIGHTS[name] else set())
    for relation, column, days in (
        ("segmentation.fct_segment_summary", "as_of_date", month_ends | {as_of}),
        ("segmentation.fct_segment_concentration", "as_of_date", month_ends | {as_of}),
        ("audit.fct_override_rates", "as_of_date", month_ends | {as_of}),
        ("segmentation.fct_segment_migration", "month_end", month_ends - {DECEMBER}),
    ):
        assert days_of(found, relation, column) == dict.fromkeys(evaluated, days), relation
    for relation, members in (("customer", evaluated - PRODUCT_TYPES), ("product", PRODUCT_TYPES)):
        monthly = f"segmentation.fct_{relation}_segments_monthly"
        assert days_of(found, monthly, "month_end") == dict.fromkeys(members, month_ends), monthly


# ---- Kept months are what a fresh warehouse would say ----


@pytest.mark.parametrize("name", ["late line", "decisions", "next month", "the past"])
def test_night_after_night_is_as_good_as_a_fresh_warehouse(chain: Chain, name: str, tmp_path: Path) -> None:
    fresh = held(chain.prepared.build(name, tmp_path / "warehouse"))
    assert_same_contents(chain.contents[name], fresh, f"{name}, over a warehouse that has lived")


def test_a_full_refresh_changes_nothing(chain: Chain) -> None:
    refreshed = held(chain.prepared.build("late line", chain.saved["late line"], "--full-refresh"))
    assert_same_contents(refreshed, chain.contents["late line"], "late line, with --full-refresh")


def test_the_present_is_the_same_after_a_look_at_the_past(chain: Chain) -> None:
    assert_same_contents(chain.contents["the present"], chain.contents["next month"], "after a look at the past")


def test_a_build_killed_among_the_months_is_made_good_by_the_next(chain: Chain) -> None:
    """Five nights after the last good one, the build dies four times: before, between and after what is kept."""
    folder = chain.saved["base"]
    for model in (
        "intermediate.int_segment_members_evaluated",
        "segmentation.fct_segment_concentration",
        "segmentation.fct_segment_summary",
        "segmentation.fct_segment_migration",
    ):
        kill_when(chain.prepared.start("next month", folder), f"START sql incremental model {model}")
    survivor = held(chain.prepared.build("next month", folder))
    assert_same_contents(survivor, chain.contents["next month"], "after four kills")


# ---- The as-of date ----

# What a month-end says of a customer, in the mart of the day and in that of the months.
SHARED_COLUMNS = [
    *("entity_id", "inherited_from", "net_sales", "cost", "gross_margin", "metric_amount", "computed_tier"),
    *("reason_code", "override_id", "tier", "tier_source", "hysteresis_status", "pending_tier", "pending_months"),
]


def rows_of(found: Contents, relation: str, member: str, **where: Any) -> dict[tuple[str, str], tuple]:
    """The shared columns of a mart by type and member."""
    return {
        (row["segment_type_id"], row[member]): tuple(row[column] for column in SHARED_COLUMNS)
        for row in table(found, relation)
        if all(row[name] == value for name, value in where.items())
    }


@pytest.mark.parametrize("entity", ["customer", "product"])
def test_a_month_end_is_the_same_as_of_that_day_and_seen_later(chain: Chain, entity: str) -> None:
    member = f"{entity}_id"
    monthly = f"segmentation.fct_{entity}_segments_monthly"
    that_day = rows_of(chain.contents["month-end"], f"segmentation.fct_{entity}_segments", member)
    then = rows_of(chain.contents["month-end"], monthly, member, month_end=AUGUST)
    later = rows_of(chain.contents["next month"], monthly, member, month_end=AUGUST)
    assert_same_values(then, later, f"months of {entity}s, on the day and a month later")
    assert_same_values({key: that_day[key] for key in then}, then, f"{entity}s as of the day, and the month")
    # On the day itself everybody is there, whether they have appeared or not.
    unseen = {key[1] for key in that_day.keys() - then.keys()}
    assert unseen == (NEVER_APPEARED if entity == "customer" else set())


def test_who_has_not_appeared_stands_only_in_the_mart_of_the_day(chain: Chain) -> None:
    found = chain.contents["next month"]
    everybody = {f"m:{customer}" for customer in [*BUYERS, "PROSPECT", "NEWCOMER"]} | NEVER_APPEARED
    today: dict[str, set[str]] = defaultdict(set)
    for row in table(found, "segmentation.fct_customer_segments"):
        today[row["segment_type_id"]].add(row["customer_id"])
    assert set(map(frozenset, today.values())) == {frozenset(everybody)}
    appeared: dict[date, set[str]] = defaultdict(set)
    for row in table(found, "segmentation.fct_customer_segments_monthly"):
        appeared[row["month_end"]].add(row["customer_id"])
    for day, customers in appeared.items():
        to_come = ({"m:PROSPECT"} if day < APRIL else set()) | ({"m:NEWCOMER"} if day < JUNE else set())
        assert customers == everybody - NEVER_APPEARED - to_come, f"{day}"


def test_the_summary_counts_who_has_appeared_and_in_mid_month_everybody(chain: Chain) -> None:
    found = chain.contents["next month"]
    members: Counter[Evaluation] = Counter()
    for row in table(found, "segmentation.fct_segment_summary"):
        members[row["segment_type_id"], row["as_of_date"]] += row["member_count"]
    expected: Counter[Evaluation] = Counter()
    for entity in ("customer", "product"):
        for row in table(found, f"segmentation.fct_{entity}_segments_monthly"):
            expected[row["segment_type_id"], row["month_end"]] += 1
        for row in table(found, f"segmentation.fct_{entity}_segments"):
            expected[row["segment_type_id"], row["as_of_date"]] += 1
    assert_same_values(members, expected, "members by type and day")
    assert members["plain", MID_SEPTEMBER] == members["plain", AUGUST] + len(NEVER_APPEARED)


# ---- Migration ----


@pytest.mark.parametrize("name", ["late line", "next month", "the past"])
def test_the_margins_of_the_migration_are_the_counts_of_the_summary(chain: Chain, name: str) -> None:
    found = chain.contents[name]
    counts: Counter[tuple[str, date, str]] = Counter()
    sales: Counter[Evaluation] = Counter()
    for row in table(found, "segmentation.fct_segment_summary"):
        evaluation = (row["segment_type_id"], row["as_of_date"])
        counts[*evaluation, row["tier"]] += row["member_count"] - row["excluded_member_count"]
        counts[*evaluation, "(excluded)"] += row["excluded_member_count"]
        sales[evaluation] += row["net_sales"]
    befores: Counter[tuple[str, date, str]] = Counter()
    afters: Counter[tuple[str, date, str]] = Counter()
    sales_after: Counter[Evaluation] = Counter()
    migration = table(found, "segmentation.fct_segment_migration")
    for row in migration:
        if row["from_tier"] != "(new)":
            befores[row["segment_type_id"], row["previous_month_end"], row["from_tier"]] += row["member_count"]
        if row["to_tier"] != "(gone)":
            afters[row["segment_type_id"], row["month_end"], row["to_tier"]] += row["member_count"]
            sales_after[row["segment_type_id"], row["month_end"]] += row["net_sales"]
    month_ends = sorted({row["month_end"] for row in migration} | {row["previous_month_end"] for row in migration})
    for margin, days in ((befores, month_ends[:-1]), (afters, month_ends[1:])):
        expected = {key: count for key, count in counts.items() if key[1] in days and count}
        assert_same_values(margin, expected, f"{name}, members by type, month-end and tier")
    expected_sales = {key: amount for key, amount in sales.items() if key[1] in month_ends[1:]}
    assert_same_values(sales_after, expected_sales, f"{name}, net sales by type and month-end")


def test_every_kind_of_movement_occurs(chain: Chain) -> None:
    """Members never go: what has appeared stays, and counts as without sales."""
    migration = table(chain.contents["next month"], "segmentation.fct_segment_migration")
    assert {row["movement"] for row in migration} == {"better", "worse", "same", "new", "excluded"}
    excluded = [
        (row["from_tier"], row["to_tier"], row["month_end"], row["member_count"])
        for row in migration
        if row["movement"] == "excluded"
    ]
    # C5 is taken out of the ranking of one type in March; the company itself never was in it.
    assert len(excluded) == 1 and excluded[0][1:] == ("(excluded)", MARCH, 1), excluded


def test_consecutive_month_ends_only(chain: Chain) -> None:
    pairs = {
        (row["previous_month_end"], row["month_end"])
        for row in table(chain.contents["next month"], "segmentation.fct_segment_migration")
    }
    month_ends = [*MONTH_ENDS, AUGUST]
    assert pairs == set(zip(month_ends, month_ends[1:], strict=False))
