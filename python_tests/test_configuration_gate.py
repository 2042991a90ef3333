"""Bad configuration stops a plain ``dbt build`` before any segment changes, with a sentence naming file, key and mend.

One warehouse lives through the whole module: a good build, a plain build with one fault, a check of every fault there
is, and the build after the mend. The raw data changes before the first bad night, so that a segment that was computed
anyway would show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import Build, build
from worlds import (
    DBT_TESTS,
    UNIT_TESTS,
    Cells,
    Contents,
    Raw,
    assert_same_contents,
    contents,
    errors,
    segment_type,
    tiers,
    write_configuration,
)

AS_OF = {"as_of_date": "2025-12-31"}


@dataclass(frozen=True)
class Fault:
    """Rows appended to the good seeds, and what the sentence has to say."""

    file: str
    row: str
    problem: str
    rows: dict[str, list[Cells]] = field(default_factory=dict)


def bad_type(name: str, problem: str, **cells: str) -> Fault:
    """A segment type with one bad cell and good tiers."""
    return Fault(
        "segment_types", name, problem, {"segment_types": [segment_type(name, **cells)], "segment_tiers": tiers(name)}
    )


def bad_tiers(name: str, row: str, problem: str, **changed: Cells) -> Fault:
    """A good segment type with three tiers, some of whose cells are changed: ``bad_tiers(…, B={"tier_rank": ""})``."""
    rows = [row | changed.get(row["tier"], {}) for row in tiers(name)]
    return Fault("segment_tiers", row, problem, {"segment_types": [segment_type(name)], "segment_tiers": rows})


def bad_row(file: str, row: str, problem: str, *rows: Cells) -> Fault:
    """Rows of any other seed."""
    return Fault(file, row, problem, {file: list(rows)})


def parent(customer_id: str, **cells: str) -> Cells:
    """A good hierarchy override, changed by the cells."""
    return {
        "customer_id": customer_id,
        "parent_customer_id": "erp_north:C2",
        "valid_from": "2025-01-01",
        "reason": "bought by C2",
        "approved_by": "ada",
    } | cells


def match(customer_id: str, **cells: str) -> Cells:
    """A good match override, changed by the cells."""
    return {
        "customer_id": customer_id,
        "party_kind": "crm_account",
        "party_id": "crm:A1",
        "action": "match",
        "reason": "asked them",
        "approved_by": "ada",
    } | cells


def acceptance(finding_id: str, **cells: str) -> Cells:
    """A good accepted finding, changed by the cells."""
    return {
        "finding_kind": "findings_hierarchy",
        "finding_id": finding_id,
        "reason": "known",
        "approved_by": "ada",
        "expires_on": "2026-12-31",
    } | cells


FAULTS: dict[str, Fault] = {
    # segment_types: options
    "entity unknown": bad_type("entity_unknown", "entity 'supplier' is unknown", entity="supplier"),
    "entity missing": bad_type("entity_missing", "entity is empty", entity=""),
    "metric unknown": bad_type("metric_unknown", "metric 'turnover' is unknown", metric="turnover"),
    "metric missing": bad_type("metric_missing", "metric is empty", metric=""),
    "metric in capitals": bad_type("metric_capitals", "metric 'Net_Sales' is unknown", metric="Net_Sales"),
    "method unknown": bad_type("method_unknown", "method 'guess' is unknown", method="guess"),
    "boundary unknown": bad_type("boundary_unknown", "boundary 'middle' is unknown", boundary="middle"),
    "window end unknown": bad_type("window_end_unknown", "window_end 'today' is unknown", window_end="today"),
    "interval unknown": bad_type("interval_unknown", "interval 'weekly' is unknown", interval="weekly"),
    "status unknown": bad_type("status_unknown", "status 'draft' is unknown", status="draft"),
    "level unknown": bad_type("level_unknown", "hierarchy_level 'group' is unknown", hierarchy_level="group"),
    # segment_types: combinations
    "organisation unknown": bad_type(
        "organisation_unknown", "organisation_id 'west' is not in organisations.csv", organisation_id="west"
    ),
    "vat with ultimate parent": bad_type(
        "vat_with_parent",
        "identity_basis vat goes with hierarchy_level customer only",
        identity_basis="vat",
        hierarchy_level="ultimate_parent",
    ),
    "product with vat": bad_type(
        "product_with_vat",
        "a product type has neither a VAT number nor a parent",
        entity="product",
        identity_basis="vat",
    ),
    "product with parent": bad_type(
        "product_with_parent",
        "a product type has neither a VAT number nor a parent",
        entity="product",
        hierarchy_level="ultimate_parent",
    ),
    "two default types": Fault(
        "segment_types",
        "default_type_1",
        "is one of 2 default customer types of organisation north",
        {
            "segment_types": [
                segment_type(f"default_type_{number}", organisation_id="north", is_default="true") for number in (1, 2)
            ],
            "segment_tiers": tiers("default_type_1") + tiers("default_type_2"),
        },
    ),
    "type twice": Fault(
        "segment_types",
        "type_twice",
        "stands 2 times (segment_type_id)",
        {
            "segment_types": [segment_type("type_twice"), segment_type("type_twice", version="2")],
            "segment_tiers": tiers("type_twice"),
        },
    ),
    "type twice but for a blank": Fault(
        "segment_types",
        "type_padded",
        "stands 2 times (segment_type_id)",
        {
            "segment_types": [segment_type("type_padded"), segment_type("type_padded ")],
            "segment_tiers": tiers("type_padded"),
        },
    ),
    "type without id": Fault(
        "segment_types", "(empty)", "segment_type_id is empty", {"segment_types": [segment_type("", name="Nameless")]}
    ),
    "type without tiers": Fault(
        "segment_types", "no_tiers", "has no tiers", {"segment_types": [segment_type("no_tiers")]}
    ),
    # segment_types: values
    "timespan in words": bad_type(
        "timespan_words", "timespan_months 'twelve' is not a whole number from 1 to 120", timespan_months="twelve"
    ),
    "timespan zero": bad_type(
        "timespan_zero", "timespan_months '0' is not a whole number from 1 to 120", timespan_months="0"
    ),
    "timespan with decimals": bad_type(
        "timespan_decimals", "timespan_months '12.0' is not a whole number", timespan_months="12.0"
    ),
    "timespan beyond integers": bad_type(
        "timespan_huge", "timespan_months '99999999999' is not a whole number", timespan_months="99999999999"
    ),
    "version zero": bad_type("version_zero", "version '0' is not a whole number of at least 1", version="0"),
    "fiscal month 13": bad_type(
        "fiscal_13", "fiscal_year_start_month '13' is not a whole number from 1 to 12", fiscal_year_start_month="13"
    ),
    "new days negative": bad_type(
        "new_days_negative", "new_customer_days '-1' is not a whole number of at least 0", new_customer_days="-1"
    ),
    "minimum with a comma": bad_type(
        "minimum_comma", "min_net_sales '1,000.00' is not a number", min_net_sales="1,000.00"
    ),
    "boolean in words": bad_type("boolean_words", "is_default 'yes' is not true or false", is_default="yes"),
    # segment_type_branches, segment_type_brands
    "branch of an unknown type": bad_row(
        "segment_type_branches",
        "branch_orphan",
        "is not in segment_types.csv",
        {"segment_type_id": "branch_orphan", "branch_id": "erp_north:B1"},
    ),
    "branch missing": bad_row(
        "segment_type_branches", "product_abc", "branch_id is empty", {"segment_type_id": "product_abc"}
    ),
    "brand of an unknown type": bad_row(
        "segment_type_brands",
        "brand_orphan",
        "is not in segment_types.csv",
        {"segment_type_id": "brand_orphan", "brand": "X"},
    ),
    # segment_tiers
    "shares over 1": bad_tiers("shares_over", "shares_over", "its tiers sum to 1.05", C={"sales_share": "0.10"}),
    "shares under 1": bad_tiers("shares_under", "shares_under", "its tiers sum to 0.999", C={"sales_share": "0.049"}),
    "share in percent": bad_tiers(
        "share_percent", "share_percent, tier A", "sales_share '80%' is not a number", A={"sales_share": "80%"}
    ),
    "share negative": bad_tiers(
        "share_negative",
        "share_negative, tier C",
        "sales_share '-0.05' is not a number",
        B={"sales_share": "0.25"},
        C={"sales_share": "-0.05"},
    ),
    "tier without share": bad_tiers(
        "share_missing",
        "share_missing, tier B",
        "has no sales_share and is neither",
        A={"sales_share": "0.95"},
        B={"sales_share": ""},
    ),
    "excluded tier with share": bad_tiers(
        "excluded_share", "excluded_share, tier C", "is an excluded tier with a sales_share", C={"is_excluded": "true"}
    ),
    "two default tiers": bad_tiers(
        "default_tiers", "default_tiers", "has two default tiers", B={"is_default": "true"}, C={"is_default": "true"}
    ),
    "tier twice": bad_tiers(
        "tier_twice", "tier_twice, tier B", "stands 2 times (segment_type_id + tier)", C={"tier": "B"}
    ),
    "tier twice but for a blank": bad_tiers(
        "tier_padded", "tier_padded, tier B", "stands 2 times (segment_type_id + tier)", C={"tier": "B "}
    ),
    "rank twice": bad_tiers(
        "rank_twice", "rank_twice, tier B", "stands 2 times (segment_type_id + tier_rank)", C={"tier_rank": "2"}
    ),
    "rank missing": bad_tiers("rank_missing", "rank_missing, tier C", "tier_rank is empty", C={"tier_rank": ""}),
    "rank zero": bad_tiers(
        "rank_zero", "rank_zero, tier A", "tier_rank '0' is not a whole number of at least 1", A={"tier_rank": "0"}
    ),
    "tier boolean in words": bad_tiers(
        "tier_boolean", "tier_boolean, tier C", "is_default 'maybe' is not true or false", C={"is_default": "maybe"}
    ),
    "tier of an unknown type": Fault(
        "segment_tiers", "tier_orphan, tier A", "is not in segment_types.csv", {"segment_tiers": tiers("tier_orphan")}
    ),
    # organisations
    "source system twice": bad_row(
        "organisations",
        "erp_north",
        "stands 2 times (source_system)",
        {"organisation_id": "other", "name": "Other", "source_system": "erp_north"},
    ),
    "source system twice but for capitals": bad_row(
        "organisations",
        "ERP_SOUTH",
        "stands 2 times (source_system)",
        {"organisation_id": "loud", "name": "Loud", "source_system": "ERP_SOUTH"},
    ),
    "source system missing": bad_row(
        "organisations", "homeless", "source_system is empty", {"organisation_id": "homeless", "name": "Homeless"}
    ),
    # hierarchy_overrides
    "parent ends before it begins": bad_row(
        "hierarchy_overrides",
        "erp_north:H1",
        "valid_to 2024-12-31 lies before valid_from 2025-01-01",
        parent("erp_north:H1", valid_to="2024-12-31"),
    ),
    "parent is itself": bad_row(
        "hierarchy_overrides",
        "erp_north:H2",
        "is its own parent",
        parent("erp_north:H2", parent_customer_id="erp_north:H2"),
    ),
    "parent from a foreign date": bad_row(
        "hierarchy_overrides",
        "erp_north:H3",
        "valid_from '01.02.2025' is not an ISO date",
        parent("erp_north:H3", valid_from="01.02.2025"),
    ),
    "parent to an impossible date": bad_row(
        "hierarchy_overrides",
        "erp_north:H4",
        "valid_to '2025-02-30' is not an ISO date",
        parent("erp_north:H4", valid_to="2025-02-30"),
    ),
    "parent without reason": bad_row(
        "hierarchy_overrides", "erp_north:H5", "reason is empty", parent("erp_north:H5", reason="")
    ),
    "parent without beginning": bad_row(
        "hierarchy_overrides", "erp_north:H6", "valid_from is empty", parent("erp_north:H6", valid_from="")
    ),
    # account_match_overrides
    "match action unknown": bad_row(
        "account_match_overrides", "erp_north:M1", "action 'maybe' is unknown", match("erp_north:M1", action="maybe")
    ),
    "match party kind unknown": bad_row(
        "account_match_overrides",
        "erp_north:M2",
        "party_kind 'supplier' is unknown",
        match("erp_north:M2", party_kind="supplier"),
    ),
    "match without reason": bad_row(
        "account_match_overrides", "erp_north:M3", "reason is empty", match("erp_north:M3", reason="")
    ),
    # attribute_registry
    "attribute unknown": bad_row(
        "attribute_registry",
        "shoe_size",
        "attribute 'shoe_size' is unknown",
        {"attribute": "shoe_size", "table": "customers", "kind": "static", "history": "keep", "owner": "sales"},
    ),
    "attribute history unknown": bad_row(
        "attribute_registry",
        "city",
        "history 'forget' is unknown",
        {"attribute": "city", "table": "customers", "kind": "static", "history": "forget", "owner": "sales"},
    ),
    # accepted_findings
    "acceptance without end": bad_row(
        "accepted_findings", "F1", "expires_on is empty", acceptance("F1", expires_on="")
    ),
    "acceptance to a bad date": bad_row(
        "accepted_findings", "F2", "expires_on 'never' is not an ISO date", acceptance("F2", expires_on="never")
    ),
    "acceptance by nobody": bad_row(
        "accepted_findings", "F3", "approved_by is empty", acceptance("F3", approved_by="")
    ),
}

# Options of the contract that a release has not brought yet; take one off this list when it arrives.
NOT_AVAILABLE_YET = {
    "metric": "net_profit_after_cost_to_serve",
    "method": "absolute",
    "boundary": "nearest",
    "ties": "split",
    "denominator": "all",
    "outlier_treatment": "cap",
    "metric_basis": "contract",
    "status": "challenger",
}
FAULTS |= {
    f"{name} {option} not yet": bad_type(f"not_yet_{name}", f"{name} '{option}' is not available yet", **{name: option})
    for name, option in NOT_AVAILABLE_YET.items()
}

# The fault of the single bad night.
SINGLE = FAULTS["shares over 1"]


def appended(faults: list[Fault]) -> dict[str, list[Cells]]:
    """All rows of some faults by seed."""
    rows: dict[str, list[Cells]] = {}
    for fault in faults:
        for seed, added in fault.rows.items():
            rows.setdefault(seed, []).extend(added)
    return rows


def sentences(printed: str) -> list[str]:
    """What the gate printed, one sentence per fault."""
    return [line.strip() for line in printed.splitlines() if re.match(r"\s+\w+\.csv, ", line)]


def raw_world() -> Raw:
    """Two organisations of the default configuration with a few customers each."""
    raw = Raw()
    for source_system in ("erp_north", "erp_south"):
        raw.product(source_system, "P1", brand="X")
        for number, amount in enumerate((900, 500, 40, 3), start=1):
            raw.customer(source_system, f"C{number}")
            raw.sale(source_system, f"C{number}", "2025-05-05", amount)
    return raw


@dataclass(frozen=True)
class Nights:
    """What the module's warehouse held after each night, and what the bad nights printed."""

    good: Contents
    single: Build
    after_single: Contents
    many: Build
    mended: Contents
    configuration_before: dict[str, bytes]
    configuration_after: dict[str, bytes]
    copy_after: dict[str, bytes]


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Four nights of one warehouse."""
    folder = tmp_path_factory.mktemp("gate")
    raw = raw_world()
    variables = AS_OF | {"absent_tables": raw.absent_tables()}
    good = write_configuration(folder / "good")
    single = write_configuration(folder / "single", append=appended([SINGLE]))
    many = write_configuration(folder / "many", append=appended(list(FAULTS.values())))
    configuration_before = files(good)

    first = build(raw.write(folder / "raw"), good, folder / "warehouse", vars=variables, exclude=DBT_TESTS)
    copy_after = files(folder / "warehouse" / "configuration")
    after_good = contents(first.path, ["segmentation"])

    # The smallest customer becomes the largest: every tier would change.
    raw.sale("erp_north", "C4", "2025-06-06", 50000)
    raw.write(folder / "raw")
    single_night = build(
        folder / "raw", single, folder / "warehouse", vars=variables, exclude=UNIT_TESTS, expect_success=False
    )
    after_single = contents(first.path, ["segmentation"])
    many_night = build(
        folder / "raw",
        many,
        folder / "warehouse",
        vars=variables,
        select="+int_configuration_gate",
        expect_success=False,
    )
    build(folder / "raw", good, folder / "warehouse", vars=variables, exclude=DBT_TESTS)
    return Nights(
        good=after_good,
        single=single_night,
        after_single=after_single,
        many=many_night,
        mended=contents(first.path, ["segmentation"]),
        configuration_before=configuration_before,
        configuration_after=files(good),
        copy_after=copy_after,
    )


def test_one_fault_stops_the_build_with_one_sentence(nights: Nights) -> None:
    assert nights.single.returncode == 1, errors(nights.single.stdout)
    found = sentences(nights.single.stdout)
    assert found, f"no sentence in\n{errors(nights.single.stdout)}"
    # dbt prints an error where it happens and once more at the end.
    assert set(found) == {
        "segment_tiers.csv, shares_over: the sales_share of its tiers sum to 1.05; let them sum to 1; "
        "only default-only and excluded tiers have none."
    }


def test_one_fault_leaves_every_relation_of_segmentation_as_it_was(nights: Nights) -> None:
    assert_same_contents(nights.after_single, nights.good, "segmentation after a build with one fault")


def test_every_fault_is_counted(nights: Nights) -> None:
    """A fault may have a second one for company, so there are at least as many as were made."""
    assert nights.many.returncode == 1, errors(nights.many.stdout)
    counted = re.search(r"has (\d+) faults; no segment has changed", nights.many.stdout)
    assert counted, errors(nights.many.stdout)
    assert int(counted[1]) == len(set(sentences(nights.many.stdout))) >= len(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_a_sentence_with_file_row_and_mend(nights: Nights, name: str) -> None:
    fault = FAULTS[name]
    of_row = [line for line in sentences(nights.many.stdout) if line.startswith(f"{fault.file}.csv, {fault.row}: ")]
    assert of_row, f"no sentence on {fault.file}.csv, {fault.row}"
    matching = [line for line in of_row if fault.problem in line]
    assert matching, f"no sentence says '{fault.problem}': {of_row}"
    mend = matching[0].rpartition("; ")[2]
    assert re.fullmatch(r".{10,}\.", mend), f"no mend in: {matching[0]}"


def test_good_rows_get_no_sentence(nights: Nights) -> None:
    good_types = {"sales_performance", "sales_performance_per_customer"}
    accused = [line for line in sentences(nights.many.stdout) if re.split(r"[:,] ", line)[1] in good_types]
    assert not accused


def test_the_mended_configuration_builds_and_the_segments_move(nights: Nights) -> None:
    assert nights.mended.keys() == nights.good.keys()
    assert nights.mended["segmentation.fct_customer_segments"] != nights.good["segmentation.fct_customer_segments"]


def test_a_build_leaves_the_configuration_files_as_they_were(nights: Nights) -> None:
    assert nights.configuration_after == nights.configuration_before
    # dbt reads this folder by its absolute path, as a deployment would set it.
    assert nights.copy_after == nights.configuration_before
