"""The independent proof: every row of the marts against plain Python over the same raw files (``recompute.py``).

Three worlds, each built once: the sample as it is; the sample under a wide configuration in the middle of a month;
a small torn set of tables with every fault, tie and contradiction the contract speaks of (``proof_data.py``).
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SAMPLE_CONFIGURATION, SAMPLE_RAW, Build, build
from proof_data import AS_OF, TORN_TYPES, WIDE_TYPES, torn_configuration, torn_data, wide_configuration
from recompute import (
    QUARANTINED,
    STAGED,
    SUPERSEDED,
    TABLES,
    UNKNOWN,
    World,
    cents,
    gini,
    global_id,
    rank,
    walk_up,
    window,
)
from worlds import assert_same_values

WITHOUT_TESTS = "resource_type:test resource_type:unit_test"
MONEY_TABLES = sorted(table for table, contract in TABLES.items() if contract.money)


@dataclass(frozen=True)
class Proof:
    """Two independent answers to one question: the recomputation and an open warehouse."""

    world: World
    warehouse: duckdb.DuckDBPyConnection

    def rows(self, query: str, *parameters: Any) -> list[tuple]:
        """The rows of a query against the warehouse."""
        return self.warehouse.execute(query, parameters).fetchall()


def _proof(world: World, path: Path) -> Iterator[Proof]:
    with duckdb.connect(str(path), read_only=True) as connection:
        yield Proof(world, connection)


@pytest.fixture(scope="session")
def sample_proof(sample_warehouse: Path) -> Iterator[Proof]:
    """The sample, as the project ships it."""
    yield from _proof(World.read(SAMPLE_RAW, SAMPLE_CONFIGURATION), sample_warehouse)


@pytest.fixture(scope="session")
def wide_proof(wide_warehouse: Build) -> Iterator[Proof]:
    """The sample under the wide configuration, in the middle of a month."""
    world = World.read(SAMPLE_RAW, wide_warehouse.path.parent / "configuration", as_of=AS_OF)
    yield from _proof(world, wide_warehouse.path)


@pytest.fixture(scope="session")
def torn_proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """The torn tables under the wide configuration."""
    folder = tmp_path_factory.mktemp("torn")
    raw, absent_tables = torn_data(folder / "raw")
    configuration = torn_configuration(folder / "torn_configuration")
    variables = {"as_of_date": AS_OF.isoformat(), "absent_tables": absent_tables}
    built = build(raw, configuration, folder / "warehouse", vars=variables, exclude=WITHOUT_TESTS)
    yield from _proof(World.read(raw, configuration, as_of=AS_OF), built.path)


WORLDS = ["sample", "wide", "torn"]
# The wide world has the raw data of the sample: what does not depend on the configuration is compared once.
RAW_WORLDS = ["sample", "torn"]


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """The world a test is parametrised with."""
    return request.getfixturevalue(f"{request.param}_proof")


def in_worlds(*names: str) -> pytest.MarkDecorator:
    """Run a test once per world."""
    return pytest.mark.parametrize("proof", names, indirect=True)


def in_cents(amount: Decimal | None) -> int | None:
    """An amount of a mart as whole cents."""
    return None if amount is None else cents(Fraction(amount))


def in_millionths(share: Decimal | None) -> int | None:
    """A share of a mart as whole millionths."""
    return None if share is None else int(share.scaleb(6).to_integral_exact())


def seed_column(seed: str, column: str) -> list[str]:
    """The values of a column of a shipped seed, in order."""
    with (SAMPLE_CONFIGURATION / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


SAMPLE_TYPES = seed_column("segment_types", "segment_type_id")
WORLDS_AND_TYPES = [
    *(("sample", identifier) for identifier in SAMPLE_TYPES),
    *(("wide", identifier) for identifier in [*SAMPLE_TYPES, *WIDE_TYPES]),
    *(("torn", identifier) for identifier in [*SAMPLE_TYPES, *WIDE_TYPES, *TORN_TYPES]),
]
in_worlds_and_types = pytest.mark.parametrize(("proof", "segment_type_id"), WORLDS_AND_TYPES, indirect=["proof"])


# ---- 1. What became of every raw row ----


@in_worlds(*RAW_WORLDS)
@pytest.mark.parametrize("table", TABLES)
def test_every_raw_row_is_staged_superseded_or_quarantined_for_the_reason_we_find(proof: Proof, table: str) -> None:
    expected = {group[1:]: count for group, (count, _) in proof.world.record_counts().items() if group[0] == table}
    found = {
        tuple(group): count
        for *group, count in proof.rows(
            "select source_system, record_status, quarantine_rule, record_count from audit.fct_record_counts"
            " where source_table = ?",
            table,
        )
    }
    assert_same_values(found, expected, table)


@in_worlds(*RAW_WORLDS)
@pytest.mark.parametrize("table", MONEY_TABLES)
def test_the_money_of_every_raw_row_is_accounted_for(proof: Proof, table: str) -> None:
    expected = {group[1:]: amount for group, (_, amount) in proof.world.record_counts().items() if group[0] == table}
    found = {
        tuple(group): Fraction(amount or 0)
        for *group, amount in proof.rows(
            "select source_system, record_status, quarantine_rule, amount from audit.fct_record_counts"
            " where source_table = ?",
            table,
        )
    }
    assert_same_values(found, expected, table)


@in_worlds(*RAW_WORLDS)
@pytest.mark.parametrize("table", TABLES)
def test_the_quarantine_holds_exactly_the_rows_we_would_put_there(proof: Proof, table: str) -> None:
    expected = Counter(
        (row.source_system, row.record_key, row.rule) for row in proof.world.verdicts[table] if row.status == QUARANTINED
    )
    found = Counter(
        proof.rows(
            "select source_system, record_key, quarantine_rule from audit.quarantined_records where source_table = ?", table
        )
    )
    assert_same_values(found, expected, table)


# ---- 2. The planted faults of the sample ----

with (SAMPLE_RAW / "planted_faults.csv").open(encoding="utf-8", newline="") as _file:
    PLANTED = list(csv.DictReader(_file))
PLANTED_KINDS = sorted({(fault["fault"], fault["table_name"]) for fault in PLANTED})


def findings(proof: Proof) -> set[tuple[str, str]]:
    """(rule, member) of everything the audit marts report about members."""
    found = set(proof.rows("select finding, customer_id from audit.findings_hierarchy"))
    found |= set(proof.rows("select finding, member_id from audit.findings_unknown_members"))
    found |= set(proof.rows("select 'account_match_ambiguous', party_id from audit.findings_account_matches"))
    found |= {("vat_number_placeholder", member) for member in vat_number_findings(proof)}
    return found


def vat_number_findings(proof: Proof) -> set[str]:
    """The customers and the accounts with a VAT number that is none."""
    return {
        customer or account
        for customer, account in proof.rows("select customer_id, account_id from audit.findings_vat_numbers")
    }


def named_member(proof: Proof, fault: dict[str, str]) -> str:
    """The member a finding about a planted fault names: the row itself, or what the row refers to."""
    column = fault["expected_rule"].removesuffix("_unknown") + "_id"
    if fault["expected_outcome"] != "unknown_member":
        return global_id(fault["source_system"], fault["record_key"])
    return next(
        global_id(row.source_system, row.raw[column])
        for row in proof.world.verdicts[fault["table_name"]]
        if (row.source_system, row.record_key) == (fault["source_system"], fault["record_key"])
    )


@pytest.mark.parametrize(("kind", "table"), PLANTED_KINDS)
def test_every_planted_fault_has_its_outcome(sample_proof: Proof, kind: str, table: str) -> None:
    planted = [fault for fault in PLANTED if (fault["fault"], fault["table_name"]) == (kind, table)]
    verdicts: dict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
    for row in sample_proof.world.verdicts[table]:
        verdicts[row.source_system, row.record_key][row.status] += 1
    quarantined = Counter(
        sample_proof.rows(
            "select source_system, record_key, quarantine_rule from audit.quarantined_records where source_table = ?", table
        )
    )
    reported = findings(sample_proof)
    expected_quarantined = Counter(
        (fault["source_system"], fault["record_key"], fault["expected_rule"])
        for fault in planted
        if fault["expected_outcome"] == "quarantined"
    )
    missed = []
    for fault in planted:
        key = (fault["source_system"], fault["record_key"])
        outcome_is_there = {
            "quarantined": quarantined[*key, fault["expected_rule"]] == expected_quarantined[*key, fault["expected_rule"]],
            "superseded": verdicts[key] == {STAGED: 1, SUPERSEDED: 1},
            "finding": (fault["expected_rule"], named_member(sample_proof, fault)) in reported,
            "unknown_member": (fault["expected_rule"], named_member(sample_proof, fault)) in reported,
            "none": verdicts[key][STAGED] == 1,
        }
        if not outcome_is_there[fault["expected_outcome"]]:
            missed.append(fault)
    assert not missed, f"{len(missed)} of {len(planted)} planted faults without their outcome: {missed}"


def test_nothing_is_quarantined_that_was_not_planted(sample_proof: Proof) -> None:
    columns = ("table_name", "source_system", "record_key", "expected_rule")
    expected = Counter(
        tuple(fault[column] for column in columns) for fault in PLANTED if fault["expected_outcome"] == "quarantined"
    )
    found = Counter(
        sample_proof.rows("select source_table, source_system, record_key, quarantine_rule from audit.quarantined_records")
    )
    assert_same_values(found, expected, "the quarantine")


def test_no_member_is_reported_that_was_not_planted(sample_proof: Proof) -> None:
    expected = {
        (fault["expected_rule"], named_member(sample_proof, fault))
        for fault in PLANTED
        if fault["expected_outcome"] in ("finding", "unknown_member")
    }
    assert findings(sample_proof) - expected == set()


# ---- 3. Amounts (R12, R13) ----


@in_worlds(*RAW_WORLDS)
def test_every_invoice_line_has_the_members_and_amounts_we_find(proof: Proof) -> None:
    expected = {
        (line.invoice_id, line.line_number): (
            line.document_type,
            line.invoice_date,
            line.order_id,
            line.customer_id,
            line.product_id,
            line.branch_id,
            line.sales_rep_id,
            line.net_sales,
            line.cost,
            line.gross_margin,
        )
        for line in proof.world.lines
    }
    rows = proof.rows(
        "select invoice_id, line_number, document_type, invoice_date, order_id, customer_id, product_id, branch_id,"
        " sales_rep_id, net_sales, cost, gross_margin from core.fct_invoice_lines"
    )
    assert len(rows) == len(expected)
    found = {tuple(row[:2]): (*row[2:9], *map(in_cents, row[9:])) for row in rows}
    assert_same_values(found, expected, "core.fct_invoice_lines")


@in_worlds(*RAW_WORLDS)
def test_every_unknown_member_is_reported(proof: Proof) -> None:
    found = set(proof.rows("select finding, member_id from audit.findings_unknown_members"))
    # A line that names no product is reported as such; it is no member we could name.
    assert {finding for finding in found if not finding[1].endswith(":(empty)")} == proof.world.unknown_members()


# ---- 4. Identity and hierarchy (R8, R9) ----


@in_worlds(*WORLDS)
def test_every_customer_has_the_identity_parent_and_status_we_find(proof: Proof) -> None:
    expected = {
        customer.customer_id: (
            customer.vat_number,
            customer.vat_group_id,
            customer.parent_id,
            customer.ultimate_parent_id,
            customer.hierarchy_status,
        )
        for customer in proof.world.customers.values()
    }
    rows = proof.rows(
        "select customer_id, vat_number, vat_group_id, parent_customer_id, ultimate_parent_id, hierarchy_status"
        " from core.dim_customers"
    )
    assert len(rows) == len(expected)
    assert_same_values({row[0]: row[1:] for row in rows}, expected, "core.dim_customers")


@in_worlds(*RAW_WORLDS)
def test_customers_accounts_and_consignees_are_linked_by_the_rule_we_find(proof: Proof) -> None:
    rows = proof.rows("select customer_id, party_kind, party_id, match_rule from core.bridge_customer_accounts")
    assert len({row[:3] for row in rows}) == len(rows)
    assert_same_values({row[:3]: row[3] for row in rows}, proof.world.matches, "core.bridge_customer_accounts")


@in_worlds(*RAW_WORLDS)
def test_an_ambiguous_match_is_a_finding_and_never_a_link(proof: Proof) -> None:
    found = set(proof.rows("select customer_id, party_kind, match_rule from audit.findings_account_matches"))
    assert found == proof.world.ambiguous_matches
    assert found, "nothing in this world is ambiguous, so this test shows nothing"


@in_worlds(*WORLDS)
def test_broken_chains_and_disagreements_are_reported(proof: Proof) -> None:
    found = set(proof.rows("select finding, customer_id from audit.findings_hierarchy"))
    assert found == proof.world.hierarchy_findings()


@in_worlds(*RAW_WORLDS)
def test_vat_numbers_that_are_none_are_reported(proof: Proof) -> None:
    assert vat_number_findings(proof) == proof.world.vat_number_findings()


# ---- 5. Tiers (R1, R3 to R7, R11) ----

SEGMENT_COLUMNS = {
    "as_of_date": None,
    "entity_id": None,
    "inherited_from": None,
    "window_from": None,
    "window_to": None,
    "reason_code": None,
    "computed_tier": None,
    "tier": None,
    "tier_source": None,
    "sales_rank": None,
    "net_sales": in_cents,
    "metric_amount": in_cents,
    "eligible_amount": in_cents,
    "share_before": in_millionths,
    "cumulative_share": in_millionths,
}


@in_worlds_and_types
def test_every_member_has_the_tier_the_reason_and_the_numbers_we_find(proof: Proof, segment_type_id: str) -> None:
    entity = proof.world.configuration.segment_types[segment_type_id]["entity"]
    expected = {
        member.member_id: {
            "as_of_date": proof.world.as_of,
            "entity_id": member.entity_id,
            "inherited_from": member.inherited_from,
            "window_from": member.window_from,
            "window_to": member.window_to,
            "reason_code": member.reason,
            "computed_tier": member.tier,
            "tier": member.tier,
            "tier_source": member.tier_source,
            "sales_rank": member.rank,
            "net_sales": member.net_sales,
            "metric_amount": member.metric,
            "eligible_amount": member.eligible,
            "share_before": member.share_before,
            "cumulative_share": member.cumulative_share,
        }
        for member in proof.world.members(segment_type_id).values()
    }
    rows = proof.rows(
        f"select {entity}_id, {', '.join(SEGMENT_COLUMNS)} from segmentation.fct_{entity}_segments"
        " where segment_type_id = ?",
        segment_type_id,
    )
    assert len(rows) == len(expected), "exactly one row for every member"
    found = {
        row[0]: {
            column: convert(value) if convert else value
            for (column, convert), value in zip(SEGMENT_COLUMNS.items(), row[1:], strict=True)
        }
        for row in rows
    }
    assert_same_values(found, expected, segment_type_id)


@in_worlds(*WORLDS)
def test_no_other_segment_type_is_evaluated(proof: Proof) -> None:
    found = proof.rows(
        "select distinct segment_type_id from segmentation.fct_customer_segments"
        " union select distinct segment_type_id from segmentation.fct_product_segments"
    )
    assert {identifier for (identifier,) in found} == set(proof.world.configuration.segment_types)


@in_worlds_and_types
def test_the_summary_adds_up_the_members(proof: Proof, segment_type_id: str) -> None:
    summary = proof.world.summary(segment_type_id)
    expected = {
        tier: (count, summary.net_sales_per_tier[tier]) for tier, count in summary.members_per_tier.items() if count
    }
    rows = proof.rows(
        "select tier, member_count, net_sales from segmentation.fct_segment_summary"
        " where segment_type_id = ? and as_of_date = ? and member_count > 0",
        segment_type_id,
        proof.world.as_of,
    )
    assert len({row[0] for row in rows}) == len(rows)
    assert_same_values({tier: (count, in_cents(amount)) for tier, count, amount in rows}, expected, segment_type_id)


@in_worlds_and_types
def test_the_concentration_is_that_of_the_ranked_entities(proof: Proof, segment_type_id: str) -> None:
    summary = proof.world.summary(segment_type_id)
    rows = proof.rows(
        "select gini, top_fifth_share, best_tier_share from segmentation.fct_segment_concentration"
        " where segment_type_id = ? and as_of_date = ?",
        segment_type_id,
        proof.world.as_of,
    )
    assert [tuple(map(in_millionths, row)) for row in rows] == [
        (summary.gini, summary.top_fifth_share, summary.best_tier_share)
    ]


# ---- 6. Conservation ----


@in_worlds(*WORLDS)
def test_net_sales_are_the_same_at_every_level(proof: Proof) -> None:
    """Customer, ultimate parent and VAT number cut one total three ways, and the total is that of the lines."""
    level: dict[str, Callable[[str], str]] = {
        "customer": lambda customer: customer,
        "ultimate_parent": lambda customer: proof.world.customers[customer].ultimate_parent_id,
        "vat": lambda customer: proof.world.customers[customer].vat_group_id,
    }
    column = {"customer": "customer_id", "ultimate_parent": "ultimate_parent_id", "vat": "vat_group_id"}
    totals = {sum(line.net_sales for line in proof.world.lines)}
    for name, entity in level.items():
        expected: dict[str, int] = defaultdict(int)
        for line in proof.world.lines:
            expected[entity(line.customer_id)] += line.net_sales
        rows = proof.rows(
            f"select dim_customers.{column[name]}, sum(fct_invoice_lines.net_sales)"
            " from core.fct_invoice_lines"
            " inner join core.dim_customers on fct_invoice_lines.customer_id = dim_customers.customer_id"
            " group by all"
        )
        found = {row[0]: in_cents(row[1]) for row in rows}
        assert_same_values(found, expected, name)
        totals.add(sum(found.values()))
    assert len(totals) == 1, totals


@in_worlds_and_types
def test_a_segment_type_holds_all_sales_of_its_scope(proof: Proof, segment_type_id: str) -> None:
    """What the members sold is what the lines in scope say; a group's metric is the sum of what its members sold."""
    segment_type = proof.world.configuration.segment_types[segment_type_id]
    entity = segment_type["entity"]
    first, last = window(segment_type, proof.world.as_of)
    organisation = segment_type["organisation_id"]
    branches = proof.world.configuration.branches.get(segment_type_id)
    brands = proof.world.configuration.brands.get(segment_type_id)
    brand_of = {global_id(*row.key): row.values["brand"] for row in proof.world.staged("erp.products")}
    in_scope = sum(
        line.net_sales
        for line in proof.world.lines
        if first <= line.invoice_date <= last
        and (entity == "customer" or line.product_id != UNKNOWN)
        and organisation in (None, proof.world.configuration.organisation_of[line.invoice_id.split(":")[0]])
        and (branches is None or line.branch_id in branches)
        and (brands is None or brand_of.get(line.product_id) in brands)
    )
    mart = f"segmentation.fct_{entity}_segments"
    [(total,)] = proof.rows(f"select sum(net_sales) from {mart} where segment_type_id = ?", segment_type_id)
    assert in_cents(total) == in_scope

    differing = proof.rows(
        f"select entity_id, is_excluded, sum(net_sales), any_value(metric_amount)"
        f" from (select *, reason_code = 'excluded' as is_excluded from {mart} where segment_type_id = ?)"
        " group by entity_id, is_excluded having sum(net_sales) <> any_value(metric_amount)"
        " or count(distinct metric_amount) > 1",
        segment_type_id,
    )
    if segment_type["metric"] == "net_sales":
        assert differing == []


def test_the_torn_world_has_everything(torn_proof: Proof) -> None:
    """What the comparisons above are worth: nothing the rules speak of is missing from the tables they ran on."""
    world = torn_proof.world
    assert {row.rule for rows in world.verdicts.values() for row in rows} == {
        "",
        "key_missing",
        "cell_unparseable",
        "customer_missing",
        "document_type_unknown",
        "invoice_date_after_loading",
        "required_value_missing",
        "conflicting_versions",
        "header_quarantined",
        "header_missing",
        "customer_unknown",
        "exchange_rate_missing",
    }
    assert {customer.hierarchy_status for customer in world.customers.values()} == {
        "ok",
        "cycle",
        "below_cycle",
        "orphan_parent",
        "below_orphan",
    }
    assert {customer.parent_source for customer in world.customers.values()} == {None, "override", "erp", "crm"}
    assert set(world.matches.values()) == {"manual", "cross_reference", "vat_number", "name_and_address"}
    members = [member for identifier in world.configuration.segment_types for member in world.members(identifier).values()]
    assert {member.reason for member in members} == {
        "excluded",
        "default_new",
        "no_sales_in_scope",
        "non_positive_net_sales",
        "below_min_net_sales",
        "ranked",
    }
    assert any(member.reason == "ranked" and member.inherited_from for member in members)


# ---- The recomputation itself, on answers others published or anyone can count ----


def test_the_recomputed_gini_is_the_published_one() -> None:
    """The example of CRAN phylotools::gini."""
    assert round(float(gini([1, 3, 2, 1, 1, 1, 4])), 7) == 0.3076923


CUTS = [("A", Fraction(80, 100)), ("B", Fraction(95, 100)), ("C", Fraction(1))]


@pytest.mark.parametrize(
    ("amounts", "tiers"),
    [
        pytest.param([900, 60, 40], "ABC", id="one holds more than the whole band"),
        pytest.param([60, 20, 15, 5], "AABC", id="whoever starts exactly at a cut is below it"),
        pytest.param([79, 19, 2], "AAC", id="whoever crosses keeps the better tier"),
        pytest.param([50, 50, 50, 50], "AAAA", id="equals share a tier"),
    ],
)
def test_the_recomputed_ranking_is_the_one_on_paper(amounts: list[int], tiers: str) -> None:
    standings = rank({f"entity {position}": amount for position, amount in enumerate(amounts)}, CUTS)
    assert "".join(standings[f"entity {position}"].tier for position in range(len(amounts))) == tiers


def test_the_recomputed_chains_are_the_ones_on_paper() -> None:
    parents = {"a": None, "b": "a", "c": "b", "x": "y", "y": "x", "below": "x", "orphan": "gone", "child": "orphan"}
    assert {member: walk_up(member, parents) for member in parents} == {
        "a": ("a", "ok"),
        "b": ("a", "ok"),
        "c": ("a", "ok"),
        "x": ("x", "cycle"),
        "y": ("y", "cycle"),
        "below": ("x", "below_cycle"),
        "orphan": ("orphan", "orphan_parent"),
        "child": ("orphan", "below_orphan"),
    }


@pytest.mark.parametrize(
    ("cells", "as_of", "expected"),
    [
        ({}, date(2026, 3, 31), (date(2025, 4, 1), date(2026, 3, 31))),
        ({}, date(2026, 3, 30), (date(2025, 3, 1), date(2026, 2, 28))),
        ({"window_end": "as_of_date", "timespan_months": 6}, date(2026, 3, 17), (date(2025, 9, 18), date(2026, 3, 17))),
        ({"interval": "fixed_year"}, date(2026, 6, 29), (date(2024, 7, 1), date(2025, 6, 30))),
        ({"interval": "fixed_year"}, date(2026, 6, 30), (date(2025, 7, 1), date(2026, 6, 30))),
    ],
)
def test_the_recomputed_window_is_the_one_on_paper(cells: dict, as_of: date, expected: tuple[date, date]) -> None:
    settings = {
        "window_end": "last_complete_month",
        "interval": "rolling",
        "timespan_months": 12,
        "fiscal_year_start_month": 7,
    }
    assert window(settings | cells, as_of) == expected
