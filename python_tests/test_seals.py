"""Seals: what was recorded is what it says, and whoever changes it behind its back is found.

A warehouse of several nights, one of them killed twice, is compared with a plain Python recomputation of texts, hashes and chain and
with a second warehouse that lived through the same without a kill. Then it is tampered with, again and again.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import read_rows
from worlds import Cells, Raw, finish, kill_when, override, segment_type, start_dbt, tiers, verify_seals, write_configuration

SELECT = ("--select", "+seals")
ZEROS = "0" * 64

# ---- The world ----


def landed(night: int) -> Raw:
    """What has landed by a night; the as-of date is that of the last invoice."""
    raw = Raw()
    raw.product("s", "P1")
    for customer in ("C1", "C2", "C3", "C4", "C5"):
        # In the second night a customer moves to another parent, and one is gone.
        if not (customer == "C5" and night >= 2):
            raw.customer("s", customer, parent_customer_id="C1" if customer == "C4" and night >= 2 else "")
    for number, customer in enumerate(("C1", "C2", "C3", "C4"), start=1):
        raw.sale("s", customer, f"2024-0{number + 4}-10", 1000 // number)
    raw.sale("s", "C1", "2025-04-10", 100)
    if night >= 2:
        raw.sale("s", "C3", "2025-03-10", 5000)
        raw.sale("s", "C1", "2025-05-20", 100)
    if night >= 3:
        # A late one, and no later day: tiers change once more on the day of the second night.
        raw.sale("s", "C2", "2025-04-19", 20000)
    return raw


def configuration(folder: Path, night: int) -> Path:
    """Types with every kind of tier change; the reason of the override has what a separator could trip over."""
    return write_configuration(
        folder,
        replace={
            "segment_types": [segment_type("plain"), segment_type("goods", entity="product", timespan_months="2")],
            "segment_tiers": tiers("plain", default="N") + tiers("goods"),
            "segment_overrides": [
                override("O1", "plain", "s:C1", tier="B", reason=f"größer | tier=1:A, \\ 'so' {night // 2}")
            ],
            "segment_type_branches": [],
            "segment_type_brands": [],
        },
    )


class World:
    """Raw and configuration folders of the nights, and builds of them."""

    def __init__(self, folder: Path) -> None:
        self.raw = {night: landed(night).write(folder / f"raw {night}") for night in (1, 2, 3)}
        self.configuration = {night: configuration(folder / f"configuration {night}", night) for night in (1, 2, 3)}
        # One set of vars for all nights: dbt reads the project once.
        self.variables: Cells = {"known_on": "2025-12-31", "absent_tables": landed(3).absent_tables()}

    def start(self, night: int, folder: Path) -> subprocess.Popen[str]:
        """A night that has begun."""
        return start_dbt(self.raw[night], self.configuration[night], folder, self.variables, flags=SELECT)

    def build(self, night: int, folder: Path) -> list[dict[str, Any]]:
        """A night, and the seals after it."""
        return seals(finish(self.start(night, folder), folder))


def seals(path: Path) -> list[dict[str, Any]]:
    """The seals in their order."""
    return read_rows(path, "select * from audit.seals order by seal_number")


@dataclass
class Lived:
    """A warehouse after its nights, and the seals after each of them."""

    world: World
    folder: Path
    after: dict[str, list[dict[str, Any]]]
    without_kills: list[dict[str, Any]]

    @property
    def path(self) -> Path:
        """The DuckDB file."""
        return self.folder / "stratum.duckdb"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Night one; night two killed before and between the tables of seals, and made good; quiet; more on the same day; the past."""
    folder = tmp_path_factory.mktemp("seals")
    world = World(folder)
    warehouse, second = folder / "warehouse", folder / "second"
    after: dict[str, list[dict[str, Any]]] = {}
    meanwhile = world.start(1, second)
    after["first"] = world.build(1, warehouse)
    finish(meanwhile, second)
    meanwhile = world.start(2, second)
    for model in ("sealed_events", "seals"):
        kill_when(world.start(2, warehouse), f"START sql incremental model audit.{model}")
    after["killed"] = seals(warehouse / "stratum.duckdb")
    after["second"] = world.build(2, warehouse)
    finish(meanwhile, second)
    meanwhile = world.start(3, second)
    after["quiet"] = world.build(2, warehouse)
    after["same day"] = world.build(3, warehouse)
    after["the past"] = world.build(1, warehouse)
    without_kills = seals(finish(meanwhile, second))
    return Lived(world, warehouse, after, without_kills)


# ---- The nights ----


def test_every_build_that_records_adds_one_seal_and_others_add_none(lived: Lived) -> None:
    counts = {name: len(found) for name, found in lived.after.items()}
    assert counts == {"first": 1, "killed": 1, "second": 2, "quiet": 2, "same day": 3, "the past": 3}
    last = lived.after["the past"]
    assert [seal["as_of_date"] for seal in last] == [date(2025, 4, 10), date(2025, 5, 20), date(2025, 5, 20)]
    for found in lived.after.values():
        assert found == last[: len(found)], "a seal is not what it was"
    assert all(seal["late_event_count"] == 0 for seal in last)


def test_the_same_nights_give_the_same_seals_whatever_was_killed(lived: Lived) -> None:
    assert lived.without_kills == lived.after["the past"]


# ---- Recomputed in plain Python ----

SNAPSHOTS = {
    "snap_segment_tiers": "segment_type_id entity family version member_id entity_id inherited_from tier computed_tier"
    " reason_code tier_source override_id override_reason window_from window_to net_sales metric_amount eligible_amount"
    " share_before cumulative_share distance_to_better_tier distance_to_worse_tier dbt_valid_from dbt_is_deleted",
    "snap_customer_parents": "customer_id erp_parent_id crm_parent_id parent_id parent_source ultimate_parent_id"
    " hierarchy_status vat_group_id dbt_valid_from dbt_is_deleted",
    "snap_configuration": "seed row_key row_content dbt_valid_from dbt_is_deleted",
    "snap_segment_periods": "segment_type_id entity member_id valid_from valid_to period_status entity_id tier"
    " computed_tier reason_code tier_source override_id metric_amount dbt_valid_from",
    "snap_customer_attributes": "customer_attribute_id customer_id attribute attribute_value dbt_valid_from",
}


def written(value: Any, column: str) -> str:
    """A cell as it is hashed."""
    if isinstance(value, datetime):
        assert value == datetime.combine(value.date(), datetime.min.time())
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        whole = value * (10**6 if "share" in column else 100)
        assert whole == int(whole)
        return str(int(whole))
    return str(value)


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return sha256(text.encode("utf-8")).hexdigest()


def recorded_events(path: Path) -> Counter[tuple[str, str, str]]:
    """Snapshot, kind of event and hash of everything that was recorded."""
    events: Counter[tuple[str, str, str]] = Counter()
    for snapshot, columns in SNAPSHOTS.items():
        for row in read_rows(path, f"select * from snapshots.{snapshot}"):  # noqa: S608
            cells = [(column, written(row[column], column)) for column in columns.split() if row[column] is not None]
            row_hash = digest(" ".join([snapshot, *(f"{name}={len(text)}:{text}" for name, text in cells)]))
            events[snapshot, "opened", row_hash] += 1
            if row["dbt_valid_to"] is not None:
                events[snapshot, "closed", digest(f"{row_hash} closed {row['dbt_valid_to'].date().isoformat()}")] += 1
    return events


def test_hashes_digests_and_chain_are_what_python_makes_of_the_snapshots(lived: Lived) -> None:
    sealed = read_rows(lived.path, "select * from audit.sealed_events")
    counts: Counter[tuple[str, str, str]] = Counter()
    for event in sealed:
        counts[event["snapshot"], event["event_kind"], event["row_hash"]] += event["event_count"]
    assert counts == recorded_events(lived.path)

    previous = ZEROS
    for number, seal in enumerate(seals(lived.path), start=1):
        blocks: dict[str, list[str]] = {}
        events = [event for event in sealed if event["seal_number"] == number]
        for event in events:
            blocks.setdefault(event["row_hash"][:3], []).append(f"{event['row_hash']}:{event['event_count']}")
        whole = digest(",".join(f"{block}:{digest(','.join(sorted(lines)))}" for block, lines in sorted(blocks.items())))
        event_count = sum(event["event_count"] for event in events)
        chain = digest(f"{previous}|{number}|{seal['as_of_date']}|{seal['known_on']}|{event_count}|0|{whole}")
        assert (seal["seal_number"], seal["digest"], seal["event_count"]) == (number, whole, event_count)
        assert (seal["block_count"], seal["previous_chain"], seal["chain"]) == (len(blocks), previous, chain)
        previous = chain


def test_the_world_has_what_makes_it_hard(lived: Lived) -> None:
    """Texts with separators, rows changed twice on one day, closed rows of every kind; else the tests prove less."""
    [odd] = read_rows(
        lived.path,
        "select count(*) filter (override_reason like '%größer | tier=1:A, \\ ''so''%') as odd_texts,"
        " count(*) filter (dbt_valid_to = dbt_valid_from) as same_day, count(*) filter (dbt_is_deleted = 'True') as gone"
        " from snapshots.snap_segment_tiers",
    )
    assert odd["odd_texts"] and odd["same_day"] and odd["gone"], odd


# ---- Behind its back ----


def verify(lived: Lived, **arguments: Any) -> tuple[int, str]:
    """The exit code of the verification and what it says, in one line."""
    return verify_seals(lived.folder, lived.world.raw[1], lived.world.variables, **arguments)


@pytest.fixture
def tampered(lived: Lived, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse, which is put right again afterwards."""
    shutil.copy(lived.path, tmp_path / "honest.duckdb")
    connection = duckdb.connect(str(lived.path))
    yield connection
    connection.close()
    shutil.copy(tmp_path / "honest.duckdb", lived.path)


def test_an_honest_history_is_verified(lived: Lived) -> None:
    """Also in the smallest pieces, and against a head that was kept since the first night."""
    found = seals(lived.path)
    events = sum(seal["event_count"] for seal in found)
    sentence = f"Seals verified: 3 seals, {events:,} events (0 sealed later than their day), head {found[-1]['chain']}"
    for arguments in ({}, {"head": found[0]["chain"], "events_at_once": 20}):
        assert verify(lived, **arguments) == (0, sentence)


def test_a_kept_head_that_no_seal_has_is_missed(lived: Lived) -> None:
    returncode, printed = verify(lived, head=ZEROS)
    assert returncode != 0
    assert f"No seal has the head {ZEROS}" in printed


ROWS_TAMPERED = {
    "one cell, one row less, one row more, two closes exchanged": (
        """
        update snapshots.snap_segment_tiers set tier = 'C' where member_id = 's:C1' and dbt_valid_from = '2025-04-10';
        delete from snapshots.snap_customer_parents where customer_id = 's:C4' and dbt_valid_from = '2025-05-20';
        insert into snapshots.snap_configuration
            select * replace ('new' as row_key) from snapshots.snap_configuration where seed = 'segment_overrides' limit 1;
        update snapshots.snap_segment_periods set dbt_valid_to = case when dbt_valid_to is null then dbt_valid_from end
            where member_id = 's:C2' and valid_from in (
                select valid_from from snapshots.snap_segment_periods where member_id = 's:C2' and dbt_valid_to is not null
            );
        """,
        [
            "snap_segment_tiers: the row plain|s:C1 of 2025-04-10 was altered; it stands under seal 1 (as of 2025-04-10).",
            "snap_customer_parents: the row s:C4 of 2025-05-20 is missing; it stands under seal 2 (as of 2025-05-20).",
            "snap_configuration: the row segment_overrides|new of 2025-04-10 was inserted; no seal has this",
            "snap_segment_periods: the row plain|s:C2|",
        ],
    ),
    "a row twice, one closed no more, one closed, one without a day": (
        """
        insert into snapshots.snap_segment_tiers
            select * from snapshots.snap_segment_tiers where member_id = 's:C3' and dbt_valid_from = '2025-04-10';
        update snapshots.snap_customer_parents set dbt_valid_to = null where customer_id = 's:C4';
        update snapshots.snap_customer_attributes set dbt_valid_to = '2025-05-20'
            where customer_attribute_id = (select min(customer_attribute_id) from snapshots.snap_customer_attributes);
        insert into snapshots.snap_configuration
            select * replace (null as dbt_valid_from, 'odd' as row_key) from snapshots.snap_configuration limit 1;
        """,
        [
            "snap_segment_tiers: the row plain|s:C3 of 2025-04-10 was inserted; no seal has this",
            "snap_customer_parents: the row s:C4 of 2025-04-10 was altered: it is closed no more, or on another day;"
            " it stands under seal 2 (as of 2025-05-20).",
            "was altered: it is closed; no seal has this",
            "|odd of no day was inserted",
        ],
    ),
}


@pytest.mark.parametrize("what", ROWS_TAMPERED)
def test_rows_changed_behind_its_back_are_named(
    lived: Lived, tampered: duckdb.DuckDBPyConnection, what: str
) -> None:
    statements, sentences = ROWS_TAMPERED[what]
    tampered.execute(statements)
    tampered.close()
    for arguments in ({}, {"events_at_once": 20}):
        returncode, printed = verify(lived, **arguments)
        assert returncode != 0
        for sentence in sentences:
            assert sentence in printed


SEALS_TAMPERED = {
    "a sealed event": (
        "update audit.sealed_events set row_hash = sha256('x') where seal_number = 2 and row_key = 'plain|s:C2' and event_kind = 'opened'",
        [
            "Seal 2 (as of 2025-05-20) was not made from the events that stand under it",
            "snap_segment_tiers: the row plain|s:C2 of 2025-05-20 was altered; it stands under seal 2",
        ],
    ),
    "a row and its event": (
        """
        delete from snapshots.snap_customer_parents where customer_id = 's:C4' and dbt_valid_from = '2025-05-20';
        delete from audit.sealed_events where snapshot = 'snap_customer_parents' and row_key = 's:C4' and valid_from = '2025-05-20';
        """,
        ["Seal 2 (as of 2025-05-20) was not made from the events that stand under it"],
    ),
    "where an event is to be found": (
        "update audit.sealed_events set row_key = 'elsewhere' where seal_number = 2 and row_key = 's:C4' and event_kind = 'opened'",
        ["snap_customer_parents: the row elsewhere of 2025-05-20 is missing"],
    ),
    "a cell of a seal": (
        "update audit.seals set as_of_date = '2025-05-19' where seal_number = 2",
        ["Seal 2 (as of 2025-05-19) was altered: its chain is not that of its cells."],
    ),
    "a seal with a chain that fits": (
        """
        update audit.seals set as_of_date = '2025-05-19', chain = sha256(concat_ws('|', previous_chain, seal_number, '2025-05-19', known_on,
            event_count, late_event_count, digest)) where seal_number = 2
        """,
        ["Seal 3 (as of 2025-05-20) does not follow on the seal before it"],
    ),
    "a seal in the middle": (
        "delete from audit.seals where seal_number = 2",
        ["Seal 2 is missing: the next one there is seal 3 (as of 2025-05-20)."],
    ),
    "the last seal": (
        "delete from audit.seals where seal_number = 3",
        ["Seal 3 is missing at the end"],
    ),
    "the events of the last seal": (
        "delete from audit.sealed_events where seal_number = 3",
        ["Seal 3 has no events in audit.sealed_events: they were taken out."],
    ),
}


@pytest.mark.parametrize("what", SEALS_TAMPERED)
def test_seals_changed_behind_their_back_are_named(
    lived: Lived, tampered: duckdb.DuckDBPyConnection, what: str
) -> None:
    statements, sentences = SEALS_TAMPERED[what]
    tampered.execute(statements)
    tampered.close()
    returncode, printed = verify(lived)
    assert returncode != 0
    for sentence in sentences:
        assert sentence in printed
