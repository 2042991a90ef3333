"""Bad configuration stops a plain ``dbt build`` before any segment changes, with a sentence naming file, key and mend.

One warehouse lives through the whole module: a good build, builds with a fault of each kind that is found at a place of
its own, a check of every fault there is, and the build after the mend. The raw data changes before the first bad
night, so that a segment that was computed anyway would show. The good configuration holds what looks odd and is legal.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Build, build, read_rows
from worlds import (
    DBT_TESTS,
    SEEDS,
    UNIT_TESTS,
    Cells,
    Contents,
    Raw,
    absolute_tiers,
    assert_same_contents,
    assert_same_values,
    contents,
    errors,
    override,
    read_csv,
    segment_type,
    tiers,
    write_configuration,
    write_csv,
)

AS_OF = {"as_of_date": "2025-12-31"}
# What C6 and C7 of the north are together.
FIRM = "vat:DE123456NORTH77"


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
    """A good type with three tiers, some of whose cells are changed: ``bad_tiers(…, B={"tier_rank": ""})``."""
    rows = [row | changed.get(row["tier"], {}) for row in tiers(name)]
    return Fault("segment_tiers", row, problem, {"segment_types": [segment_type(name)], "segment_tiers": rows})


def bad_absolute(name: str, row: str, problem: str, file: str = "segment_tiers", **minimums: str) -> Fault:
    """A segment type of method absolute whose minimum amounts are wrong."""
    return Fault(
        file,
        row,
        problem,
        {"segment_types": [segment_type(name, method="absolute")], "segment_tiers": absolute_tiers(name, **minimums)},
    )


def bad_filter(name: str, problem: str, seed: str, **filter_cells: str) -> Fault:
    """A segment type by contracts that is narrowed to a branch or a brand."""
    fault = bad_type(name, problem, metric_basis="contract")
    return Fault(fault.file, fault.row, problem, fault.rows | {seed: [{"segment_type_id": name} | filter_cells]})


def bad_row(file: str, row: str, problem: str, *rows: Cells) -> Fault:
    """Rows of any other seed."""
    return Fault(file, row, problem, {file: list(rows)})


def bad_override(override_id: str, problem: str, **cells: str) -> Fault:
    """A good decision about a customer of the default type, changed by the cells."""
    good = override(override_id, "sales_performance", "erp_north:C1", tier="B")
    return bad_row("segment_overrides", f"override {override_id or '(empty)'}", problem, good | cells)


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


RENT = {"driver": "none", "cost_level": "organisation"}


def pool(cost_pool_id: str, **cells: str) -> Cells:
    """A good cost pool, changed by the cells."""
    return {"cost_pool_id": cost_pool_id, "driver": "orders"} | cells


def bad_pool(cost_pool_id: str, problem: str, **cells: str) -> Fault:
    """A cost pool that is wrong in one thing."""
    return bad_row("cost_pools", cost_pool_id or "(empty)", problem, pool(cost_pool_id, **cells))


def graded(metric: str, problem: str, version: str = "3", **cells: str) -> Fault:
    """A good row of stratification_metrics, changed by the cells, in a version of its own that has nothing else."""
    good = {"metric": metric, "dimension": "loyalty", "grading": "share", "version": version}
    return bad_row("stratification_metrics", f"{metric or '(empty)'} of version {version}", problem, good | cells)


def limits(first: str, second: str, third: str) -> Cells:
    """The limits of a row of stratification_metrics."""
    return {"limit_a": first, "limit_b": second, "limit_c": third}


def acceptance(finding_id: str, **cells: str) -> Cells:
    """A good accepted finding, changed by the cells."""
    return {
        "finding_kind": "findings_hierarchy",
        "finding_id": finding_id,
        "reason": "known",
        "approved_by": "ada",
        "expires_on": "2026-12-31",
    } | cells


def fit(product_id: str, **cells: str) -> Cells:
    """A good rating of a product, changed by the cells."""
    return {
        "product_id": product_id,
        "strategic_fit": "2",
        "operational_fit": "4",
        "reason": "overlaps with another",
        "rated_by": "ada",
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
    "ties unknown": bad_type("ties_unknown", "ties 'by_id' is unknown", ties="by_id"),
    "denominator unknown": bad_type("denominator_unknown", "denominator 'some' is unknown", denominator="some"),
    "outlier treatment unknown": bad_type(
        "outlier_unknown", "outlier_treatment 'drop' is unknown", outlier_treatment="drop"
    ),
    "metric basis unknown": bad_type("basis_unknown", "metric_basis 'budget' is unknown", metric_basis="budget"),
    "identity basis unknown": bad_type("identity_unknown", "identity_basis 'name' is unknown", identity_basis="name"),
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
    "version of a family twice": Fault(
        "segment_types",
        "family_twice_1",
        "stands 2 times (family + version)",
        {
            "segment_types": [
                segment_type(f"family_twice_{number}", family="family_twice", version="2") for number in (1, 2)
            ],
            "segment_tiers": tiers("family_twice_1") + tiers("family_twice_2"),
        },
    ),
    "contracts by margin": bad_type(
        "contract_margin",
        "metric_basis contract goes with metric net_sales only",
        metric_basis="contract",
        metric="gross_margin",
    ),
    "contracts of products": bad_type(
        "contract_product", "metric_basis contract goes with customers only", metric_basis="contract", entity="product"
    ),
    "contracts of a branch": bad_filter(
        "contract_branch",
        "metric_basis contract does not go with a branch",
        "segment_type_branches",
        branch_id="erp_north:B1",
    ),
    "contracts of a brand": bad_filter(
        "contract_brand", "metric_basis contract does not go with a brand", "segment_type_brands", brand="X"
    ),
    "contracts capped": bad_type(
        "contract_capped",
        "outlier_treatment cap does not go with metric_basis contract",
        metric_basis="contract",
        outlier_treatment="cap",
    ),
    "contracts without outliers": bad_type(
        "contract_excluded",
        "outlier_treatment exclude does not go with metric_basis contract",
        metric_basis="contract",
        outlier_treatment="exclude",
    ),
    "products capped": bad_type(
        "product_capped", "outlier_treatment cap goes with customers only", entity="product", outlier_treatment="cap"
    ),
    "products without outliers": bad_type(
        "product_excluded",
        "outlier_treatment exclude goes with customers only",
        entity="product",
        outlier_treatment="exclude",
    ),
    "profit of products": bad_type(
        "profit_product",
        "metric net_profit_after_cost_to_serve goes with customers only",
        metric="net_profit_after_cost_to_serve",
        entity="product",
    ),
    "profit to a day": bad_type(
        "profit_day",
        "metric net_profit_after_cost_to_serve goes with window_end last_complete_month",
        metric="net_profit_after_cost_to_serve",
        window_end="as_of_date",
    ),
    # segment_types: values
    "hysteresis negative": bad_type(
        "hysteresis_negative",
        "hysteresis_months '-1' is not a whole number from 0 to 24",
        hysteresis_months="-1",
    ),
    "hysteresis beyond two years": bad_type(
        "hysteresis_long", "hysteresis_months '25' is not a whole number from 0 to 24", hysteresis_months="25"
    ),
    "hysteresis with decimals": bad_type(
        "hysteresis_decimals", "hysteresis_months '1.5' is not a whole number", hysteresis_months="1.5"
    ),
    "x limit in percent": bad_type("xyz_percent", "xyz_x_limit '20%' is not a number", xyz_x_limit="20%"),
    "x limit negative": bad_type(
        "xyz_negative",
        "xyz_x_limit '-0.1' is not a number with a point as decimal mark from 0 to 9",
        xyz_x_limit="-0.1",
    ),
    "y limit out of range": bad_type(
        "xyz_huge", "xyz_y_limit '10' is not a number with a point as decimal mark from 0 to 9", xyz_y_limit="10"
    ),
    "x limit above y limit": bad_type(
        "xyz_crossed", "xyz_x_limit is not below xyz_y_limit", xyz_x_limit="0.5", xyz_y_limit="0.4"
    ),
    "x limit that is the y limit": bad_type(
        "xyz_equal", "xyz_x_limit is not below xyz_y_limit", xyz_x_limit="0.3", xyz_y_limit="0.30"
    ),
    "x limit above the customary y limit": bad_type(
        "xyz_default", "xyz_x_limit is not below xyz_y_limit", xyz_x_limit="0.6"
    ),
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
        "rank_zero", "rank_zero, tier A", "tier_rank '0' is not a whole number from 1 to 999", A={"tier_rank": "0"}
    ),
    "tier boolean in words": bad_tiers(
        "tier_boolean", "tier_boolean, tier C", "is_default 'maybe' is not true or false", C={"is_default": "maybe"}
    ),
    "tier of an unknown type": Fault(
        "segment_tiers", "tier_orphan, tier A", "is not in segment_types.csv", {"segment_tiers": tiers("tier_orphan")}
    ),
    "absolute without any minimum amount": Fault(
        "segment_types",
        "absolute_bare",
        "ranks by method absolute and none of its tiers has a minimum_amount",
        {"segment_types": [segment_type("absolute_bare", method="absolute")], "segment_tiers": tiers("absolute_bare")},
    ),
    "absolute with a tier without minimum amount": bad_absolute(
        "absolute_gap", "absolute_gap, tier B", "has no minimum_amount", A="100", B="", C="0"
    ),
    "absolute with amounts that rise": bad_absolute(
        "absolute_rising", "absolute_rising", "tier A begins at no more than the worse tier B", A="50", B="100", C="0"
    ),
    "absolute with equal amounts": bad_absolute(
        "absolute_equal", "absolute_equal", "tier B begins at no more than the worse tier C", A="100", B="10", C="10.00"
    ),
    "absolute with an amount in words": bad_absolute(
        "absolute_words", "absolute_words, tier A", "minimum_amount '1k' is not a number", A="1k", B="10", C="0"
    ),
    "absolute with a negative amount": bad_absolute(
        "absolute_negative",
        "absolute_negative, tier C",
        "minimum_amount '-1' is not a number with a point as decimal mark of at least 0",
        A="100",
        B="10",
        C="-1",
    ),
    "ten tiers by share": Fault(
        "segment_tiers",
        "ten_tiers",
        "has more than 9 tiers to rank by",
        {
            "segment_types": [segment_type("ten_tiers")],
            "segment_tiers": tiers("ten_tiers", default="N", **{f"T{number}": "0.1" for number in range(10)}),
        },
    ),
    "ten tiers by amount": bad_absolute(
        "ten_amounts",
        "ten_amounts",
        "has more than 9 tiers to rank by",
        **{f"T{number}": str(100 - number) for number in range(10)},
    ),
    # segment_overrides
    "override without id": bad_override("", "override_id is empty"),
    "override without type": bad_override("V_type_missing", "segment_type_id is empty", segment_type_id=""),
    "override without mode": bad_override("V_mode_missing", "mode is empty", mode=""),
    "override without beginning": bad_override("V_from_missing", "valid_from is empty", valid_from=""),
    "override without reason": bad_override("V_reason_missing", "reason is empty", reason=""),
    "override without entity": bad_override("V_entity_missing", "entity_id is empty", entity_id=""),
    "clear without entity": bad_override(
        "V_clear_entity", "entity_id is empty", mode="clear", tier="", entity_id="", valid_from="2026-01-01"
    ),
    "override twice": bad_row(
        "segment_overrides",
        "override V_twice",
        "stands 2 times (override_id)",
        override("V_twice", "sales_performance", "erp_north:C1", tier="B"),
        override("V_twice", "sales_performance", "erp_north:C2", tier="B"),
    ),
    "override of an unknown type": bad_override(
        "V_orphan", "segment_type_id 'nowhere' is not in segment_types.csv", segment_type_id="nowhere"
    ),
    "override mode unknown": bad_override("V_mode", "mode 'raise' is unknown", mode="raise"),
    "override mode in capitals": bad_override("V_mode_capitals", "mode 'Set' is unknown", mode="Set"),
    "override from a foreign date": bad_override(
        "V_from", "valid_from '01.02.2025' is not an ISO date", valid_from="01.02.2025"
    ),
    "override to an impossible date": bad_override(
        "V_to", "valid_to '2025-02-30' is not an ISO date", valid_to="2025-02-30"
    ),
    "override recorded on no date": bad_override(
        "V_recorded", "recorded_on 'yesterday' is not an ISO date", recorded_on="yesterday"
    ),
    "override ends before it begins": bad_override(
        "V_backwards",
        "valid_to 2025-03-31 lies before valid_from 2025-04-01",
        valid_from="2025-04-01",
        valid_to="2025-03-31",
    ),
    "set without tier": bad_override("V_set", "mode set names no tier", tier=""),
    "floor without tier": bad_override("V_floor", "mode floor names no tier", mode="floor", tier=""),
    "override into an unknown tier": bad_override(
        "V_tier", "tier 'Q' is none of the tiers of sales_performance", tier="Q"
    ),
    "override into a tier of another type": bad_override(
        "V_other_tier", "tier 'X' is none of the tiers of product_abc", segment_type_id="product_abc", tier="X"
    ),
    "floor into an excluded tier": bad_override(
        "V_excluded", "mode floor names the excluded tier X", mode="floor", tier="X"
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
    # cost_pools
    "pool without driver": bad_pool("pool_without_driver", "driver is empty", driver=""),
    "pool without id": bad_pool("", "cost_pool_id is empty"),
    "pool twice": bad_row("cost_pools", "twice", "stands 2 times (cost_pool_id)", pool("twice"), pool(" twice ")),
    "cost level unknown": bad_pool("pool_of_a_team", "cost_level 'team' is unknown", cost_level="team"),
    "capacity no number": bad_pool("pool_of_many", "practical_capacity 'many' is not a number", practical_capacity="many"),
    "capacity below nothing": bad_pool(
        "pool_below_nothing", "practical_capacity '-1' is not a number", practical_capacity="-1"
    ),
    "pool named like a charge": bad_pool("direct_sales", "its id begins with direct_"),
    "pool for customers without driver": bad_pool(
        "pool_by_none", "cost_level customer goes with a driver, and it has none", driver="none"
    ),
    "capacity of an organisation": bad_pool(
        "rent_of_six", "practical_capacity 6 does not go with cost_level organisation", **RENT, practical_capacity="6"
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
    # stratification_metrics
    "graded by the unknown": graded("charm", "metric 'charm' is unknown"),
    "grading unknown": graded("net_sales", "grading 'by feel' is unknown", grading="by feel"),
    "grading missing": graded("net_sales", "grading is empty", version="4", grading=""),
    "dimension unknown": graded("gross_margin", "dimension 'beauty' is unknown", dimension="beauty"),
    "dimension missing": graded("gross_margin", "dimension is empty", version="4", dimension=""),
    "dimension without a metric": bad_row(
        "stratification_metrics",
        "version 5",
        "has no metric of dimension profitability",
        {"metric": "net_sales", "dimension": "loyalty", "grading": "share", "version": "5"},
    ),
    "weight of nothing": graded("order_count", "weight '0' is not a number", weight="0"),
    "weight too fine": graded("order_count", "weight 0.33333 has more than four decimals", version="4", weight="0.33333"),
    "direction unclear": graded("product_count", "higher_is_better 'perhaps' is not true or false", higher_is_better="perhaps"),
    "stratification version": bad_row(
        "stratification_metrics",
        "net_sales of version first",
        "version 'first' is not a whole number of at least 1",
        {"metric": "net_sales", "dimension": "loyalty", "grading": "share", "version": "first"},
    ),
    "graded twice": bad_row(
        "stratification_metrics",
        "months_active of version 6",
        "stands 2 times (metric + version)",
        *[{"metric": "months_active", "dimension": name, "grading": "quartile", "version": "6"} for name in ("loyalty", "buying_power")],
    ),
    "limit in words": graded("net_profit", "limit_b 'half' is not a number", **limits("0.2", "half", "0.9")),
    "absolute without limits": graded("net_profit", "needs limit_a, limit_b and limit_c", version="4", grading="absolute"),
    "share with one limit": graded("net_profit", "has some of its limits and not all", version="5", limit_a="0.5"),
    "limits that rise": graded(
        *("net_profit_rate", "limits 0.1, 0.2, 0.3 do not fall from A to C"), grading="absolute", **limits("0.1", "0.2", "0.3")
    ),
    "limits that stand still": graded(
        *("net_profit_rate", "limits 0.3, 0.3, 0.1 do not fall from A to C"),
        version="4",
        grading="absolute",
        **limits("0.3", "0.3", "0.1"),
    ),
    "limits that fall": graded(
        *("days_to_pay", "limits 60, 45, 30 do not rise from A to C"), grading="absolute", **limits("60", "45", "30")
    ),
    "limits of a reversed metric": graded(
        *("order_count", "limits 9, 5, 1 do not rise from A to C"),
        version="5",
        grading="absolute",
        higher_is_better="false",
        **limits("9", "5", "1"),
    ),
    "cuts over 1": graded("cost_to_serve", "limits 0.5, 0.8, 1.1 are no cumulative cuts", **limits("0.5", "0.8", "1.1")),
    "cuts from 0": graded(
        *("cost_to_serve", "limits 0, 0.8, 0.9 are no cumulative cuts"), version="4", **limits("0", "0.8", "0.9")
    ),
    "share of a rate": graded("return_rate", "grading share does not go with a rate"),
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
    # product_fit
    "product without id": bad_row("product_fit", "(empty)", "product_id is empty", fit("")),
    "product rated twice": bad_row(
        "product_fit", "erp_north:F1", "stands 2 times (product_id)", fit("erp_north:F1"), fit("erp_north:F1 ")
    ),
    "product by its native id": bad_row("product_fit", "F2", "product_id 'F2' is not a global id", fit("F2")),
    "product fit beyond five": bad_row(
        "product_fit",
        "erp_north:F3",
        "strategic_fit '6' is not a whole number from 1 to 5",
        fit("erp_north:F3", strategic_fit="6"),
    ),
    "product fit in words": bad_row(
        "product_fit",
        "erp_north:F4",
        "operational_fit 'low' is not a whole number from 1 to 5",
        fit("erp_north:F4", operational_fit="low"),
    ),
    "product fit missing": bad_row(
        "product_fit", "erp_north:F5", "operational_fit is empty", fit("erp_north:F5", operational_fit="")
    ),
    "product rated without reason": bad_row(
        "product_fit", "erp_north:F6", "reason is empty", fit("erp_north:F6", reason="")
    ),
    "product rated by nobody": bad_row(
        "product_fit", "erp_north:F7", "rated_by is empty", fit("erp_north:F7", rated_by="")
    ),
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
    """Two organisations of the default configuration: C5 belongs to C1, C6 and C7 are one firm."""
    raw = Raw()
    for source_system in ("erp_north", "erp_south"):
        raw.product(source_system, "P1", brand="X")
        for number, amount in enumerate((900, 500, 40, 3), start=1):
            raw.customer(source_system, f"C{number}")
            raw.sale(source_system, f"C{number}", "2025-05-05", amount)
        raw.customer(source_system, "C5", parent_customer_id="C1")
        for number in (6, 7):
            raw.customer(source_system, f"C{number}", country="DE", vat_number=f"DE 123 456 {source_system[4:]}77")
    return raw


def decision(override_id: str, native_id: str, tier: str, **cells: str) -> Cells:
    """A good decision about a customer of the north under the default type, changed by the cells."""
    return override(override_id, "sales_performance", f"erp_north:{native_id}", tier=tier, **cells)


# Legal, whatever it looks like; what has no effect is a finding.
LEGAL_OVERRIDES = [
    # They overlap, and the later one counts.
    decision("L_long", "C2", "A"),
    decision("L_later", "C2", "C", valid_from="2025-06-01"),
    # From the same day, the higher id counts: 10 comes after 9.
    decision("L9", "C4", "A", valid_from="2025-03-01"),
    decision("L10", "C4", "B", valid_from="2025-03-01"),
    decision("L_unapproved", "C3", "A", approved_by=""),
    decision("L_self", "C3", "A", requested_by="Ada", approved_by="ada "),
    decision("L_unknown", "C99", "A"),
    # Decisions nobody could act on any more: they have expired.
    decision("L_child", "C5", "A", valid_to="2025-12-30"),
    decision("L_past_unapproved", "C3", "A", approved_by="", valid_to="2025-12-30"),
    override("L_vat", "sales_by_vat_number", "erp_north:C6", tier="A", valid_to="2025-12-30"),
    override("L_all", "sales_performance_per_customer", "", mode="clear_all", valid_from="2025-02-01"),
]
# A driver that is none of ours may land some night; a capacity of nothing is none, and rent is driven by nothing.
LEGAL_POOLS = [
    pool("legal_floor", driver="square_metres", cost_level="customer", practical_capacity="0"),
    pool("legal_rent", **RENT),
    pool("legal_board", cost_level="organisation"),
]
# Whoever is ranked as part of something else: on the day itself, and in the future.
MISPLACED_OVERRIDES = [
    decision("M_child", "C5", "A", valid_to="2025-12-31"),
    decision("M_child_to_come", "C5", "A", mode="floor", valid_from="2026-05-01"),
    override("M_vat", "sales_by_vat_number", "erp_north:C6", tier="A"),
]


@dataclass(frozen=True)
class Nights:
    """What the module's warehouse held after each night, and what the bad nights printed."""

    good: Contents
    inert: dict[str, str]
    single: Build
    after_single: Contents
    many: Build
    lacking: Build
    after_lacking: Contents
    misplaced: Build
    after_misplaced: Contents
    mended: Contents
    configuration_before: dict[str, bytes]
    configuration_after: dict[str, bytes]
    copy_after: dict[str, bytes]


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def without_columns(folder: Path, seed: str, *columns: str) -> Path:
    """A configuration folder, one of whose files lacks columns from now on."""
    path = folder / f"{seed}.csv"
    rows = [{name: cell for name, cell in row.items() if name not in columns} for row in read_csv(path)]
    write_csv(path, rows[0].keys(), rows)
    return folder


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Six nights of one warehouse."""
    folder = tmp_path_factory.mktemp("gate")
    raw = raw_world()
    variables = AS_OF | {"absent_tables": raw.absent_tables()}

    def written(name: str, faults: list[Fault], overrides: list[Cells] = LEGAL_OVERRIDES) -> Path:
        added = appended(faults)
        added["segment_overrides"] = [*overrides, *added.get("segment_overrides", [])]
        added["cost_pools"] = [*LEGAL_POOLS, *added.get("cost_pools", [])]
        return write_configuration(folder / name, append=added)

    def night(configuration: Path, exclude: str = DBT_TESTS, select: str | None = None) -> Build:
        return build(
            folder / "raw",
            configuration,
            folder / "warehouse",
            vars=variables,
            select=select,
            exclude=None if select else exclude,
            expect_success=False,
        )

    def held() -> Contents:
        return contents(folder / "warehouse" / "stratum.duckdb", ["segmentation"])

    good = written("good", [])
    configuration_before = files(good)
    first = build(raw.write(folder / "raw"), good, folder / "warehouse", vars=variables, exclude=DBT_TESTS)
    copy_after = files(folder / "warehouse" / "configuration")
    after_good = held()
    inert = {
        row["override_id"]: row["problem"]
        for row in read_rows(first.path, "select override_id, problem from audit.findings_inert_overrides")
    }

    # The smallest customer becomes the largest: every tier would change.
    raw.sale("erp_north", "C4", "2025-06-06", 50000)
    raw.write(folder / "raw")
    single_night = night(written("single", [SINGLE]), exclude=UNIT_TESTS)
    after_single = held()
    many_night = night(written("many", list(FAULTS.values())), select="+int_configuration_gate")
    lacking_night = night(without_columns(written("lacking", []), "segment_overrides", "ticket", "recorded_on"))
    after_lacking = held()
    misplaced_night = night(written("misplaced", [], LEGAL_OVERRIDES + MISPLACED_OVERRIDES))
    after_misplaced = held()
    build(folder / "raw", good, folder / "warehouse", vars=variables, exclude=DBT_TESTS)
    return Nights(
        good=after_good,
        inert=inert,
        single=single_night,
        after_single=after_single,
        many=many_night,
        lacking=lacking_night,
        after_lacking=after_lacking,
        misplaced=misplaced_night,
        after_misplaced=after_misplaced,
        mended=held(),
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
    # A fault is planted beside product_abc: a row that narrows it to no branch.
    good = {row["segment_type_id"] for row in read_csv(SEEDS / "segment_types.csv")} - {"product_abc"}
    good |= {f"override {row['override_id']}" for row in [*read_csv(SEEDS / "segment_overrides.csv"), *LEGAL_OVERRIDES]}
    good |= {row["cost_pool_id"] for row in [*read_csv(SEEDS / "cost_pools.csv"), *LEGAL_POOLS]}
    accused = [line for line in sentences(nights.many.stdout) if re.split(r"[:,] ", line)[1] in good]
    assert not accused


# ---- Decisions about tiers ----


def test_legal_overrides_without_effect_are_findings(nights: Nights) -> None:
    expected = {
        "L9": "another decision about it begins on the same day; the highest id counts",
        "L10": "another decision about it begins on the same day; the highest id counts",
        "L_unapproved": "not approved",
        "L_self": "approved by whoever requested it",
        "L_unknown": "unknown entity",
    }
    planted = {row["override_id"] for row in LEGAL_OVERRIDES}
    assert_same_values({key: problem for key, problem in nights.inert.items() if key in planted}, expected, "findings")


def test_legal_overrides_have_the_effect_the_rules_give_them(nights: Nights) -> None:
    columns, rows = nights.good["segmentation.fct_customer_segments"]
    segments = [dict(zip(columns, row, strict=True)) for row in rows]
    shown = {f"erp_north:C{number}" for number in range(1, 6)}
    found = {
        row["customer_id"]: (row["computed_tier"], row["tier"], row["tier_source"], row["override_id"])
        for row in segments
        if row["segment_type_id"] == "sales_performance" and row["customer_id"] in shown
    }
    expected = {
        "erp_north:C1": ("A", "A", "computed", None),
        "erp_north:C2": ("A", "C", "override", "L_later"),
        "erp_north:C3": ("C", "C", "computed", None),
        "erp_north:C4": ("C", "B", "override", "L10"),
        "erp_north:C5": ("A", "A", "computed", None),
    }
    assert_same_values(found, expected, "computed tier, tier, source and override")


def test_an_override_of_a_part_names_the_whole(nights: Nights) -> None:
    """A child and a member of a VAT group; whose decision has expired stops nothing."""
    assert nights.misplaced.returncode == 1, errors(nights.misplaced.stdout)
    end = "instead, or use a type that ranks single customers."
    child = f"erp_north:C5 is ranked as part of erp_north:C1 in sales_performance; override erp_north:C1 {end}"
    firm = f"erp_north:C6 is ranked as part of {FIRM} in sales_by_vat_number; override {FIRM} {end}"
    assert set(sentences(nights.misplaced.stdout)) == {
        f"segment_overrides.csv, override M_child: {child}",
        f"segment_overrides.csv, override M_child_to_come: {child}",
        f"segment_overrides.csv, override M_vat: {firm}",
    }
    assert "has 3 faults; no segment has changed" in nights.misplaced.stdout


def test_an_override_of_a_part_leaves_every_relation_of_segmentation_as_it_was(nights: Nights) -> None:
    assert_same_contents(nights.after_misplaced, nights.good, "segmentation after a build with a misplaced override")


def test_a_file_without_some_columns_is_one_sentence(nights: Nights) -> None:
    assert nights.lacking.returncode == 1, errors(nights.lacking.stdout)
    naming = {
        line.strip()
        for line in nights.lacking.stdout.splitlines()
        if line.strip().startswith("segment_overrides.csv has no column")
    }
    assert len(naming) == 2, errors(nights.lacking.stdout)
    for column in ("ticket", "recorded_on"):
        assert any(
            line.startswith(f"segment_overrides.csv has no column {column} (it has: override_id, ")
            and line.endswith("described in models/intermediate/configuration/_configuration__seeds.yml.")
            for line in naming
        ), naming
    assert_same_contents(nights.after_lacking, nights.good, "segmentation after a build with a column missing")


def test_the_mended_configuration_builds_and_the_segments_move(nights: Nights) -> None:
    assert nights.mended.keys() == nights.good.keys()
    assert nights.mended["segmentation.fct_customer_segments"] != nights.good["segmentation.fct_customer_segments"]


def test_a_build_leaves_the_configuration_files_as_they_were(nights: Nights) -> None:
    assert nights.configuration_after == nights.configuration_before
    # dbt reads this folder by its absolute path, as a deployment would set it.
    assert nights.copy_after == nights.configuration_before


# ---- The reference of the configuration cannot drift ----

REFERENCE = PROJECT / "models" / "intermediate" / "configuration" / "_configuration__seeds.yml"


def described_seeds() -> dict[str, Cells]:
    """Every seed of the reference by name."""
    return {seed["name"]: seed for seed in yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))["seeds"]}


def descriptions(seed: str) -> dict[str, str]:
    """What the reference says of the columns of a seed."""
    return {column["name"]: column.get("description", "") for column in described_seeds()[seed]["columns"]}


def returned_by_macro(name: str) -> dict[str, list[str]]:
    """The dictionary a macro of options returns, read from its text."""
    text = (PROJECT / "macros" / "configuration" / "segment_type_options.sql").read_text(encoding="utf-8")
    found = re.search(rf"macro {name}\(\).*?return\((\{{.*?\}})\)", text, re.DOTALL)
    assert found, f"macro {name} does not return a dictionary"
    return ast.literal_eval(found[1])


def checked_options() -> dict[tuple[str, str], list[str]]:
    """Every option of every seed, as the checks name them, by seed and column."""
    options = {("segment_types", column): names for column, names in returned_by_macro("segment_type_options").items()}
    for path in sorted(REFERENCE.parent.glob("*_checked.sql")):
        pattern = r"findings_option\('(\w+)', [^,]+, '(\w+)', (\[[^\]]+\])"
        for seed, column, names in re.findall(pattern, path.read_text(encoding="utf-8")):
            options[seed, column] = ast.literal_eval(names)
    return options


def test_the_reference_describes_the_files_and_columns_there_are() -> None:
    headers = {path.stem: path.read_text(encoding="utf-8").splitlines()[0].split(",") for path in SEEDS.glob("*.csv")}
    described = {name: list(descriptions(name)) for name in described_seeds()}
    assert_same_values(described, headers, "columns described, columns of the files")
    typed = {name: list(seed["config"]["column_types"]) for name, seed in described_seeds().items()}
    assert_same_values(typed, headers, "columns with a type, columns of the files")
    kinds = {kind for seed in described_seeds().values() for kind in seed["config"]["column_types"].values()}
    assert kinds == {"varchar"}, "a cell that does not load as text fails before anybody can say what is wrong with it"


@pytest.mark.parametrize(("seed", "column"), checked_options())
def test_the_reference_describes_every_option(seed: str, column: str) -> None:
    words = set(re.findall(r"\w+", descriptions(seed)[column]))
    missing = set(checked_options()[seed, column]) - words
    assert not missing, f"{REFERENCE.name} does not describe {sorted(missing)} of {seed}.{column}"


def test_the_reference_names_the_default_of_every_option() -> None:
    required = {"entity", "metric"}
    for column, names in returned_by_macro("segment_type_options").items():
        if column not in required:
            assert f"[{names[0]}]" in descriptions("segment_types")[column], column
