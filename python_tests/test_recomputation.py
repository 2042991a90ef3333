"""The independent proof: every row of the marts against plain Python over the same raw files (``recompute.py``).

Four worlds, each built once: the sample as it is; the sample under a wide configuration in the middle of a month
(every option of a segment type, every kind of decision of people); a small torn set of tables with every fault, tie and
contradiction the contract speaks of (``proof_data.py``); and small firms that rank by profit (``cost_worlds.py``).
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SAMPLE_CONFIGURATION, SAMPLE_RAW, Build, build
from cost_worlds import PROFIT_TYPES, recomputed_firms
from proof_data import (
    PROOF_VARS,
    RETIRED,
    TORN_TYPES,
    TORN_VARS,
    WIDE_TYPES,
    recomputed,
    torn_configuration,
    torn_data,
)
from recompute import (
    QUARANTINED,
    STAGED,
    SUPERSEDED,
    TABLES,
    UNKNOWN,
    Configuration,
    Edge,
    Ladder,
    Line,
    Member,
    Override,
    Sales,
    Tier,
    World,
    amount_lost,
    cents,
    damp,
    gini,
    global_id,
    month_end,
    outliers,
    rank,
    reach_minimums,
    round_half_up,
    rule,
    tier_in_force,
    variation,
    walk_up,
    window,
)
from recompute_causes import Causes, found_changes, recomputed_changes
from worlds import assert_same_values, read_case

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
    world = recomputed(SAMPLE_RAW, wide_warehouse.path.parent / "configuration", PROOF_VARS)
    yield from _proof(world, wide_warehouse.path)


@pytest.fixture(scope="session")
def torn_proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """The torn tables under the wide configuration."""
    folder = tmp_path_factory.mktemp("torn")
    raw, absent_tables = torn_data(folder / "raw")
    configuration = torn_configuration(folder / "torn_configuration")
    variables = TORN_VARS | {"absent_tables": absent_tables}
    built = build(raw, configuration, folder / "warehouse", vars=variables, exclude=WITHOUT_TESTS)
    yield from _proof(recomputed(raw, configuration, TORN_VARS), built.path)


@pytest.fixture(scope="session")
def firms_proof(firms_warehouse: Path) -> Iterator[Proof]:
    """Small firms with costs."""
    yield from _proof(recomputed_firms(firms_warehouse), firms_warehouse)


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


def in_ten_thousandths(quantity: Decimal | None) -> int | None:
    """A quantity of a mart as whole ten-thousandths."""
    return None if quantity is None else int(quantity.scaleb(4).to_integral_exact())


SHIPPED_TYPES = Configuration.read(SAMPLE_CONFIGURATION).segment_types
SAMPLE_TYPES = list(SHIPPED_TYPES)
PROOF_TYPES = [*SAMPLE_TYPES, *(identifier for identifier in WIDE_TYPES if identifier not in RETIRED)]
WORLDS_AND_TYPES = [
    *(("sample", identifier) for identifier in SAMPLE_TYPES),
    *(("wide", identifier) for identifier in PROOF_TYPES),
    *(("torn", identifier) for identifier in [*PROOF_TYPES, *TORN_TYPES]),
    *(("firms", identifier) for identifier in PROFIT_TYPES),
]
PRODUCT_TYPES = {
    identifier for identifier, cells in {**SHIPPED_TYPES, **WIDE_TYPES}.items() if cells.get("entity") == "product"
}
in_worlds_and_types = pytest.mark.parametrize(("proof", "segment_type_id"), WORLDS_AND_TYPES, indirect=["proof"])
in_worlds_and_product_types = pytest.mark.parametrize(
    ("proof", "segment_type_id"), [pair for pair in WORLDS_AND_TYPES if pair[1] in PRODUCT_TYPES], indirect=["proof"]
)


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


# ---- 5. Tiers as of the run (R1 to R14, R20, R23) ----

Columns = dict[str, Callable[[Any], Any] | None]

# How a value of a mart becomes the one the recomputation has; most are the same.
NUMBERS: Columns = {
    **dict.fromkeys(["net_sales", "cost", "gross_margin", "metric_amount", "metric_amount_untreated"], in_cents),
    **dict.fromkeys(["outlier_amount", "eligible_amount", "distance_to_better_tier", "distance_to_worse_tier"], in_cents),
    **dict.fromkeys(["share_before", "cumulative_share"], in_millionths),
}
MONTHLY_COLUMNS = [
    *("entity_id", "inherited_from", "net_sales", "cost", "gross_margin", "metric_amount", "computed_tier"),
    *("reason_code", "override_id", "tier", "tier_source", "hysteresis_status", "pending_tier", "pending_months"),
]
SEGMENT_COLUMNS = [
    *MONTHLY_COLUMNS,
    *("window_from", "window_to", "first_invoice_date", "metric_amount_untreated", "outlier_amount"),
    *("outlier_order_count", "eligible_amount", "sales_rank", "share_before", "cumulative_share", "override_reason"),
    *("distance_to_better_tier", "distance_to_worse_tier"),
]
TYPE_COLUMNS = ["family", "version", "status"]
PATTERN_COLUMNS: Columns = {
    "xyz_class": None,
    "monthly_quantity_mean": in_ten_thousandths,
    "squared_variation": in_millionths,
}
SUMMARY_COLUMNS: Columns = {
    **dict.fromkeys(["tier_rank", "member_count", "excluded_member_count", "entity_count", "ranked_entity_count"]),
    **dict.fromkeys(["net_sales", "cost", "gross_margin", "cost_to_serve", "net_profit"], in_cents),
    **dict.fromkeys(["member_share", "net_sales_share"], in_millionths),
}
CONCENTRATION_COLUMNS: Columns = {
    **dict.fromkeys(["entity_count", "ranked_entity_count", "best_tier_entity_count"]),
    **dict.fromkeys(["eligible_amount", "excluded_amount", "new_amount"], in_cents),
    **dict.fromkeys(["below_minimum_amount", "non_positive_amount"], in_cents),
    **dict.fromkeys(["gini", "top_fifth_share", "largest_share"], in_millionths),
    **dict.fromkeys(["best_tier_share", "best_tier_share_without_largest"], in_millionths),
}
MIGRATION_COLUMNS: Columns = {
    **dict.fromkeys(["previous_month_end", "movement", "member_count"]),
    "net_sales": in_cents,
    "from_share": in_millionths,
}


def converted(columns: Columns, values: tuple) -> dict[str, Any]:
    """A row of a mart in the terms of the recomputation."""
    return {
        column: convert(value) if convert else value
        for (column, convert), value in zip(columns.items(), values, strict=True)
    }


def named(columns: list[str]) -> Columns:
    """Columns of a member with their conversions."""
    return {column: NUMBERS.get(column) for column in columns}


def entity_of(proof: Proof, segment_type_id: str) -> str:
    """Whom a type is about: customer or product."""
    return proof.world.configuration.segment_types[segment_type_id]["entity"]


def values_of(member: Member, columns: list[str]) -> dict[str, Any]:
    """What the recomputation says in the columns of a mart."""
    return {column: getattr(member, column) for column in columns}


@in_worlds_and_types
def test_every_member_has_the_tier_the_reason_and_the_numbers_we_find(proof: Proof, segment_type_id: str) -> None:
    segment_type = proof.world.configuration.segment_types[segment_type_id]
    common = {column: segment_type[column] for column in TYPE_COLUMNS} | {"as_of_date": proof.world.as_of}
    expected = {
        member.member_id: common | values_of(member, SEGMENT_COLUMNS)
        for member in proof.world.members(segment_type_id).values()
    }
    columns = dict.fromkeys(common) | named(SEGMENT_COLUMNS)
    entity = segment_type["entity"]
    rows = proof.rows(
        f"select {entity}_id, {', '.join(columns)} from segmentation.fct_{entity}_segments where segment_type_id = ?",
        segment_type_id,
    )
    assert len(rows) == len(expected), "exactly one row for every member"
    assert_same_values({row[0]: converted(columns, row[1:]) for row in rows}, expected, segment_type_id)


@in_worlds_and_product_types
def test_every_product_has_the_monthly_pattern_we_find(proof: Proof, segment_type_id: str) -> None:
    members = proof.world.members(segment_type_id)
    expected = {
        product: vars(pattern) | {"abc_xyz": members[product].tier + pattern.xyz_class}
        for product, pattern in proof.world.monthly_patterns(segment_type_id).items()
    }
    columns = PATTERN_COLUMNS | {"abc_xyz": None}
    rows = proof.rows(
        f"select product_id, {', '.join(columns)} from segmentation.fct_product_segments where segment_type_id = ?",
        segment_type_id,
    )
    assert_same_values({row[0]: converted(columns, row[1:]) for row in rows}, expected, segment_type_id)


@in_worlds_and_types
def test_the_edges_are_those_who_move_with_the_least(proof: Proof, segment_type_id: str) -> None:
    columns: Columns = {
        **dict.fromkeys(["direction", "computed_tier", "neighbouring_tier", "edge_rank", "entity_id"]),
        **dict.fromkeys(["metric_amount", "distance"], in_cents),
    }
    rows = proof.rows(
        f"select {', '.join(columns)} from segmentation.fct_segment_edges where segment_type_id = ? and as_of_date = ?",
        segment_type_id,
        proof.world.as_of,
    )
    found = Counter(Edge(**converted(columns, row)) for row in rows)
    assert_same_values(found, Counter(proof.world.edges(segment_type_id)), segment_type_id)


@in_worlds(*WORLDS)
def test_an_edge_bears_the_name_of_its_entity_or_of_one_of_its_members(proof: Proof) -> None:
    names = {
        global_id(*row.key): row.values["name"]
        for table in ("erp.customers", "erp.products")
        for row in proof.world.staged(table)
    }
    for identifier in proof.world.configuration.segment_types:
        allowed: dict[str, set[str | None]] = defaultdict(set)
        for member in proof.world.members(identifier).values():
            allowed[member.entity_id].add(names[member.member_id])
        for entity_id, name in proof.rows(
            "select distinct entity_id, entity_name from segmentation.fct_segment_edges where segment_type_id = ?",
            identifier,
        ):
            assert name in ({names[entity_id]} if entity_id in names else allowed[entity_id]), (identifier, entity_id)


@in_worlds(*WORLDS)
def test_no_other_segment_type_is_evaluated(proof: Proof) -> None:
    marts = ["customer_segments", "product_segments", "customer_segments_monthly", "product_segments_monthly"]
    found = proof.rows(
        " union ".join(f"select distinct segment_type_id from segmentation.fct_{mart}" for mart in marts)
    )
    assert {identifier for (identifier,) in found} == set(proof.world.configuration.segment_types)


@in_worlds("sample")
@pytest.mark.parametrize(
    ("mart", "columns"),
    [
        ("customer_segments", {*SEGMENT_COLUMNS, *TYPE_COLUMNS, "customer_id", "as_of_date"}),
        ("product_segments", {*SEGMENT_COLUMNS, *TYPE_COLUMNS, *PATTERN_COLUMNS, "product_id", "as_of_date", "abc_xyz"}),
        ("customer_segments_monthly", {*MONTHLY_COLUMNS, "customer_id", "month_end"}),
        ("product_segments_monthly", {*MONTHLY_COLUMNS, "product_id", "month_end"}),
        (
            "segment_edges",
            {*("direction", "computed_tier", "neighbouring_tier", "edge_rank", "entity_id", "entity_name", "metric_amount")}
            | {"distance", "as_of_date"},
        ),
        # The fingerprint tells a run whether a closed month has to be computed again; it is about no member.
        ("segment_migration", {*MIGRATION_COLUMNS, "month_end", "from_tier", "to_tier", "input_fingerprint"}),
        ("segment_summary", {*SUMMARY_COLUMNS, "as_of_date", "month_end", "tier", "input_fingerprint"}),
        ("segment_concentration", {*CONCENTRATION_COLUMNS, "as_of_date", "month_end", "input_fingerprint"}),
    ],
)
def test_no_column_is_left_uncompared(proof: Proof, mart: str, columns: set[str]) -> None:
    found = {row[0] for row in proof.rows(f"describe segmentation.fct_{mart}")}
    assert found == columns | {"segment_type_id"}


# ---- 6. What the month-ends say (R18, R20) ----


@in_worlds_and_types
def test_every_month_end_has_the_members_and_tiers_we_find(proof: Proof, segment_type_id: str) -> None:
    expected = {
        (day, member.member_id): values_of(member, MONTHLY_COLUMNS)
        for day, members in proof.world.monthly(segment_type_id).items()
        for member in members.values()
    }
    entity, columns = entity_of(proof, segment_type_id), named(MONTHLY_COLUMNS)
    rows = proof.rows(
        f"select month_end, {entity}_id, {', '.join(columns)} from segmentation.fct_{entity}_segments_monthly"
        " where segment_type_id = ?",
        segment_type_id,
    )
    assert len(rows) == len(expected), "one row for every member and month-end"
    assert_same_values({row[:2]: converted(columns, row[2:]) for row in rows}, expected, segment_type_id)


@in_worlds_and_types
def test_members_migrate_from_month_to_month_as_we_find(proof: Proof, segment_type_id: str) -> None:
    expected = {key: vars(movement) for key, movement in proof.world.migration(segment_type_id).items()}
    rows = proof.rows(
        f"select month_end, from_tier, to_tier, {', '.join(MIGRATION_COLUMNS)} from segmentation.fct_segment_migration"
        " where segment_type_id = ?",
        segment_type_id,
    )
    assert len({row[:3] for row in rows}) == len(rows)
    assert_same_values({row[:3]: converted(MIGRATION_COLUMNS, row[3:]) for row in rows}, expected, segment_type_id)


@in_worlds_and_types
def test_the_summary_adds_up_the_members_of_every_date(proof: Proof, segment_type_id: str) -> None:
    expected = {
        (day, month_end(day), tier): vars(summary)
        for day in proof.world.evaluation_dates
        for tier, summary in proof.world.summary(segment_type_id, day).items()
    }
    rows = proof.rows(
        f"select as_of_date, month_end, tier, {', '.join(SUMMARY_COLUMNS)}"
        " from segmentation.fct_segment_summary where segment_type_id = ? and member_count > 0",
        segment_type_id,
    )
    assert len({row[:3] for row in rows}) == len(rows)
    assert_same_values({row[:3]: converted(SUMMARY_COLUMNS, row[3:]) for row in rows}, expected, segment_type_id)


@in_worlds_and_types
def test_the_concentration_is_that_of_the_ranked_entities_of_every_date(proof: Proof, segment_type_id: str) -> None:
    expected = {
        (day, month_end(day)): vars(concentration)
        for day in proof.world.evaluation_dates
        if (concentration := proof.world.concentration(segment_type_id, day))
    }
    rows = proof.rows(
        f"select as_of_date, month_end, {', '.join(CONCENTRATION_COLUMNS)}"
        " from segmentation.fct_segment_concentration where segment_type_id = ?",
        segment_type_id,
    )
    assert len({row[:2] for row in rows}) == len(rows)
    assert_same_values({row[:2]: converted(CONCENTRATION_COLUMNS, row[2:]) for row in rows}, expected, segment_type_id)


# ---- 7. What is reported ----


@in_worlds(*WORLDS)
def test_every_change_has_the_causes_we_find(proof: Proof) -> None:
    """R21: under every type on the last two pairs of dates; to rank everybody for everybody on all of them would take long."""
    causes = Causes()
    causes.see(proof.world)
    pairs = list(pairwise(proof.world.evaluation_dates))[-2:]
    expected = {}
    for from_date, to_date in pairs:
        for segment_type_id in causes.rules_on(to_date):
            expected |= recomputed_changes(causes, segment_type_id, from_date, to_date)
    cursor = proof.warehouse.execute("select * from audit.fct_tier_changes where to_date >= ?", [pairs[0][1]])
    names = [column[0] for column in cursor.description]
    found = found_changes(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    assert_same_values(found, expected, "audit.fct_tier_changes")
    assert expected


@in_worlds(*WORLDS)
def test_decisions_that_change_nothing_are_reported(proof: Proof) -> None:
    wording = {
        "not approved": "not approved",
        "approved by whoever requested it": "approved by its author",
        "unknown entity": "unknown entity",
        "another decision about it begins on the same day; the highest id counts": "another one begins on that day",
    }
    rows = proof.rows(
        "select override_id, problem from audit.findings_inert_overrides where file_name = 'segment_overrides.csv'"
    )
    assert len({row[0] for row in rows}) == len(rows)
    found = {override_id: wording.get(problem, problem) for override_id, problem in rows}
    assert_same_values(found, proof.world.inert_overrides(), "audit.findings_inert_overrides")


@in_worlds(*WORLDS)
def test_contracts_that_cannot_be_counted_are_reported(proof: Proof) -> None:
    found = {contract_id for (contract_id,) in proof.rows("select contract_id from audit.findings_contracts")}
    assert found == proof.world.uncounted_contracts()


@in_worlds(*WORLDS)
def test_outliers_are_reported_with_the_types_that_see_them(proof: Proof) -> None:
    world = proof.world
    flagged: Counter[tuple[str, str]] = Counter()
    amounts = set()
    for identifier in world.configuration.segment_types:
        members = world.members(identifier)
        for customer, orders in world.outliers(identifier, world.as_of).items():
            if customer in members:
                flagged[customer, identifier] = len(orders)
                amounts |= {(customer, order.net_sales, limit / world.outlier_multiple) for order, limit in orders}
    rows = proof.rows(
        "select finding_id, customer_id, net_sales, median_of_others, segment_type_ids from audit.findings_order_outliers"
    )
    assert len({row[0] for row in rows}) == len(rows)
    assert {(customer, in_cents(amount), Fraction(median) * 100) for _, customer, amount, median, _ in rows} <= amounts
    found = Counter((row[1], identifier) for row in rows for identifier in row[-1].split(", "))
    assert_same_values(found, flagged, "audit.findings_order_outliers")


# ---- 8. Conservation ----


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
        and organisation in (None, proof.world.configuration.organisation_of.get(line.invoice_id.split(":")[0]))
        and (branches is None or line.branch_id in branches)
        and (brands is None or brand_of.get(line.product_id) in brands)
    )
    mart = f"segmentation.fct_{entity}_segments"
    [(total,)] = proof.rows(f"select sum(net_sales) from {mart} where segment_type_id = ?", segment_type_id)
    assert in_cents(total) == in_scope

    differing = proof.rows(
        f"select entity_id, is_internal, sum(net_sales), any_value(metric_amount_untreated)"
        f" from (select *, list_contains(?, {entity}_id) as is_internal from {mart} where segment_type_id = ?)"
        " group by entity_id, is_internal having sum(net_sales) <> any_value(metric_amount_untreated)"
        " or count(distinct metric_amount_untreated) > 1",
        [customer for customer in proof.world.customers if proof.world.customers[customer].kind in ("internal", "test")],
        segment_type_id,
    )
    if (segment_type["metric"], segment_type["metric_basis"]) == ("net_sales", "actual"):
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
    assert any(member.is_ranked and member.inherited_from for member in world.members("sales_performance").values())


def test_the_worlds_meet_every_outcome_of_the_rules(wide_proof: Proof, torn_proof: Proof) -> None:
    """Whatever a rule can say is said about somebody on some day."""
    reasons, sources, statuses, consulted, movements, patterns = (Counter[Any]() for _ in range(6))
    treated, put_away = set(), set()
    for world in (wide_proof.world, torn_proof.world):
        for identifier, segment_type in world.configuration.segment_types.items():
            for day in world.evaluation_dates:
                for entity, row in world.evaluations(identifier, day).items():
                    reasons[row.reason] += 1
                    sources[row.tier_source] += 1
                    statuses[row.damped.status if row.damped else None] += 1
                    consulted[row.ruling.consulted.mode if row.ruling.consulted else None] += 1
                    if row.metric != row.untreated:
                        treated.add((segment_type["metric"], segment_type["outlier_treatment"]))
                    if row.reason == "excluded" and not entity.is_internal:
                        put_away.add((segment_type["method"], row.computed_tier))
            movements.update(movement.movement for movement in world.migration(identifier).values())
            if segment_type["entity"] == "product":
                patterns.update(pattern.xyz_class for pattern in world.monthly_patterns(identifier).values())
    assert set(reasons) == {
        *("excluded", "default_new", "no_sales_in_scope", "non_positive_net_sales", "below_min_net_sales", "ranked")
    }
    assert set(sources) == {"override", "floor", "hysteresis", "computed", "default"}
    assert set(statuses) == {None, "initial", "stable", "pending", "changed"}
    assert set(consulted) == {None, "set", "floor", "clear", "clear_all"}
    # Nobody is ever gone: who has appeared once is there at every later month-end.
    assert set(movements) == {"better", "worse", "same", "new", "excluded"}
    assert set(patterns) == {"X", "Y", "Z"}
    assert treated == {
        *((metric, "exclude") for metric in ("net_sales", "gross_margin", "order_count")),
        *((metric, "cap") for metric in ("net_sales", "gross_margin", "quantity")),
    }
    assert put_away >= {
        (method, tier) for method in ("cut_point", "sequential_quota", "absolute", "count") for tier in ("A", "B", "C")
    }


# ---- The recomputation itself, on answers others published or anyone can count ----


def test_the_recomputed_gini_is_the_published_one() -> None:
    """The example of CRAN phylotools::gini."""
    assert round(float(gini([1, 3, 2, 1, 1, 1, 4])), 7) == 0.3076923


def ladder(method: str = "cut_point", boundary: str = "upper", ties: str = "together", **shares: str) -> Ladder:
    """Tiers by share, best first: 80/15/5 unless the shares say otherwise."""
    shares = shares or {"A": "0.80", "B": "0.15", "C": "0.05"}
    return Ladder(tuple(Tier(tier, share=Fraction(share)) for tier, share in shares.items()), method, boundary, ties)


def ranked(amounts: list[int], ladder_: Ladder) -> str:
    """The tiers of some amounts, in their order."""
    standings = rank(dict(enumerate(amounts)), ladder_)
    return "".join(standings[position].tier for position in range(len(amounts)))


@pytest.mark.parametrize(
    ("amounts", "tiers", "reading"),
    [
        pytest.param([900, 60, 40], "ABC", {}, id="one holds more than the whole band"),
        pytest.param([60, 20, 15, 5], "AABC", {}, id="whoever starts exactly at a cut is below it"),
        pytest.param([79, 19, 2], "AAC", {}, id="whoever crosses keeps the better tier"),
        pytest.param([50, 50, 50, 50], "AAAA", {}, id="equals share a tier"),
        pytest.param([50, 50, 50, 50], "AAAB", {"ties": "split", "boundary": "nearest"}, id="equals split nearest"),
        pytest.param([79, 19, 2], "ACC", {"boundary": "lower"}, id="whoever crosses gets the worse tier"),
        pytest.param([80, 15, 5], "ABC", {"boundary": "lower"}, id="whoever ends exactly at a cut is above it"),
        pytest.param([70, 20, 10], "ABC", {"boundary": "nearest"}, id="half of it lies on the cut"),
        pytest.param([70, 19, 11], "AAB", {"boundary": "nearest"}, id="more than half of it lies above the cut"),
        # B is filled to 95 + 15 only where the overshoot of A is not taken from it.
        pytest.param([79, 16, 3, 2], "AABB", {"method": "sequential_quota"}, id="an overshoot is not given back"),
        pytest.param([9, 5, 1, 1], "AABB", {"method": "count", "A": "0.5", "B": "0.5"}, id="half of the entities"),
        pytest.param([9, 1, 1, 1], "AAAA", {"method": "count", "A": "0.5", "B": "0.5"}, id="equals count together"),
    ],
)
def test_the_recomputed_ranking_is_the_one_on_paper(amounts: list[int], tiers: str, reading: dict[str, str]) -> None:
    assert ranked(amounts, ladder(**reading)) == tiers


@pytest.mark.parametrize(
    ("case", "value", "answer", "key", "reading"),
    [
        (
            "abc_sap_pal_10items",
            "value",
            "published_class",
            "entity_id",
            {"method": "sequential_quota", "A": "0.70", "B": "0.20", "C": "0.10"},
        ),
        ("abc_pypi_7products", "value", "published_class_lower", "entity_id", {"boundary": "lower"}),
        (
            "abc_count_based_10items",
            "annual_value",
            "published_class",
            "item_id",
            {"method": "count", "A": "0.20", "B": "0.30", "C": "0.50"},
        ),
    ],
)
def test_the_recomputed_tiers_are_the_published_ones(
    case: str, value: str, answer: str, key: str, reading: dict[str, str]
) -> None:
    expected = {row[key]: row[answer] for row in read_case(case)}
    rows = read_case(case) if value == "annual_value" else read_case(case, "input.csv")
    standings = rank({row[key]: Fraction(row[value]) for row in rows}, ladder(**reading))
    assert_same_values({item: standing.tier for item, standing in standings.items()}, expected, case)


def test_the_recomputed_minimums_are_the_published_ones() -> None:
    rows = read_case("abc_oca_fixed_thresholds_window")
    minimums = {"A": 10_000, "B": 5_000, "C": 2_500, "D": 0}
    steps = Ladder(tuple(Tier(tier, minimum=minimum) for tier, minimum in minimums.items()), "absolute")
    found = reach_minimums([int(row["recomputed_amount"]) for row in rows], steps)
    assert found == [row["recomputed_class"] for row in rows]


def test_the_recomputed_hysteresis_is_the_one_of_the_example() -> None:
    case = "contract_hysteresis_n2"
    sequences: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in sorted(read_case(case), key=lambda row: row["run_date"]):
        sequences[row["customer_id"]].append(row)
    for customer, rows in sequences.items():
        damped = damp([(row["computed_tier"], True, True) for row in rows], months=2)
        found = [(step.applied, step.pending_tier or "", str(step.pending_months), step.status) for step in damped]
        assert found == [
            (row["applied_tier"], row["pending_tier"], row["pending_months"], row["status"]) for row in rows
        ], customer


def test_the_recomputed_hysteresis_begins_anew_after_an_evaluation_without_rank() -> None:
    steps = [("A", True, True), ("B", True, True), ("C", False, True), ("B", True, True), ("A", True, True)]
    # In the middle of a month nothing is counted: what waits goes on waiting.
    steps += [("A", True, False)]
    assert [(step.applied, step.status, step.pending_months) for step in damp(steps, months=2)] == [
        ("A", "initial", 0),
        ("A", "pending", 1),
        ("C", "changed", 0),
        ("B", "changed", 0),
        ("B", "pending", 1),
        ("B", "pending", 1),
    ]


def test_the_recomputed_overrides_are_those_of_the_example() -> None:
    case = "contract_override_precedence"
    rows = [
        Override.read(row | {"segment_type_id": "the type", "entity_id": row["customer_id"]})
        for row in read_case(case, "input.csv")
    ]
    ranks = {tier: position for position, tier in enumerate(["A", "B", "C", "N", "VIP"])}
    for row in read_case(case):
        ruling = rule(rows, row["customer_id"], date.fromisoformat(row["as_of"]))
        computed = row["computed_tier"]
        reason = "default_new" if computed == "N" else "ranked"
        override_id = ruling.consulted.override_id if ruling.consulted else ""
        found = (*tier_in_force(ruling, computed, reason, computed, ranks), override_id)
        assert found == (row["tier"], row["tier_source"], row["override_id"]), row


def test_the_recomputed_patterns_are_the_published_ones() -> None:
    case = "abcxyz_supplychainpy_39skus"
    demand: dict[str, list[Fraction]] = defaultdict(list)
    revenue: dict[str, int] = defaultdict(int)
    for row in read_case(case, "input.csv"):
        demand[row["sku"]].append(Fraction(row["demand"]))
        revenue[row["sku"]] += int(row["demand"]) * int(row["retail_price"])
    standings = rank(revenue, ladder(boundary="lower", A="0.80", B="0.10", C="0.10"))
    limits = Fraction("0.20"), Fraction("0.60")
    steady = {sku for sku, quantities in demand.items() if limits[0] ** 2 < variation(quantities) <= limits[1] ** 2}
    found = {sku for sku in steady if standings[sku].tier == "A"}
    assert found == {row["sku"] for row in read_case(case) if row["published_abc_xyz"] == "AY"}


@pytest.mark.parametrize(
    ("orders", "flagged"),
    [
        pytest.param([10, 20, 30, 61], [61], id="above three times the median of the others"),
        pytest.param([10, 20, 30, 60], [], id="exactly three times the median"),
        pytest.param([10, 20, 1000], [], id="two others are too few"),
        pytest.param([10, 20, 30, 40, 76], [76], id="the median lies between two orders"),
        pytest.param([1, 1, 1, 50], [], id="not above the floor"),
        pytest.param([10, 10, 10, 10, 99, 99], [99, 99], id="two at once, each judged by the others"),
        pytest.param([-5, -5, -5, 51], [51], id="the others were all given back"),
    ],
)
def test_the_recomputed_outliers_are_those_on_paper(orders: list[int], flagged: list[int]) -> None:
    found = outliers([Sales(amount) for amount in orders], Fraction(3), 50)
    assert [order.net_sales for order, _ in found] == flagged


@pytest.mark.parametrize(
    ("metric", "capped", "excluded"),
    [("net_sales", 1000 - 63, 1000), ("gross_margin", 101 - 6, 101), ("order_count", 0, 100)],
)
def test_a_recomputed_outlier_takes_away_what_it_does_on_paper(metric: str, capped: int, excluded: int) -> None:
    order, limit = Sales(net_sales=1000, gross_margin=101, quantity=Fraction(7)), Fraction(125, 2)
    assert amount_lost(order, limit, metric, "flag") == 0
    assert amount_lost(order, limit, metric, "cap") == capped
    assert amount_lost(order, limit, metric, "exclude") == excluded


def test_a_recomputed_order_is_all_that_was_invoiced_for_it() -> None:
    def line(key: str, document_type: str, net_sales: int) -> Line:
        names = dict.fromkeys(["invoice_id", "customer_id", "product_id", "branch_id", "sales_rep_id"], "any")
        return Line(
            **names,
            line_number=1,
            document_type=document_type,
            invoice_date=date(2026, 1, 1),
            order_id=None,
            order_key=key,
            net_sales=net_sales,
            cost=None,
            quantity=Fraction(1),
        )

    lines = [("one", "invoice", 50), ("one", "credit_note", -20), ("two", "invoice", 7), ("three", "credit_note", -1)]
    sales = Sales.by_order([line(*cells) for cells in lines])
    assert [order.net_sales for order in sales.orders] == [30, 7]
    assert (sales.net_sales, sales.gross_margin, sales.amount("order_count"), sales.amount("quantity")) == (36, 0, 200, 400)


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


def test_the_recomputed_variation_is_the_one_on_paper() -> None:
    assert variation([Fraction(8), Fraction(12)]) == Fraction(1, 25)
    assert variation([Fraction(1), Fraction(-1)]) is None
    assert round_half_up(variation([Fraction(1), Fraction(2), Fraction(0)]) * 1_000_000) == 666_667
