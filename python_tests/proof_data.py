"""What the independent proof runs on besides the sample: a wide configuration and a torn set of raw tables.

The sample is a tidy firm with planted faults and three segment types. The wide configuration asks for what these
three do not: every option of a segment type, and people who decide otherwise. The torn tables are small and wild: few
distinct amounts (ties everywhere), every currency, rates from two systems in both directions, cycles and gaps in every
chain, copies, corrections and contradictions of every kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from recompute import World
from worlds import Cells, Raw, read_csv, segment_type, write_configuration, write_csv

# The middle of a month: neither that month nor the fiscal year is complete.
AS_OF = date(2026, 3, 17)
# The vars of a build under the wide configuration: limits so low that the sample has outliers.
PROOF_VARS: Cells = {"as_of_date": AS_OF.isoformat(), "outlier_multiple": 3, "outlier_minimum_amount": 500}
TORN_VARS: Cells = {
    "as_of_date": AS_OF.isoformat(),
    "outlier_multiple": 2.5,
    "outlier_minimum_amount": 120.5,
    "first_month_end": "2025-03-10",
    # Later than anything lands; some decisions were written down later still.
    "known_on": "2027-01-01",
}
RECORDED_LATE = {f"o{number}" for number in range(100, 260, 7)}

GROUPS = {"hierarchy_level": "ultimate_parent"}
WIDE_TYPES: dict[str, Cells] = {
    "by_vat_number": {"identity_basis": "vat", "hierarchy_level": "customer"},
    "two_branches": {**GROUPS, "min_net_sales": "150"},
    "two_brands": {"new_customer_days": "30"},
    "fiscal_year": {**GROUPS, "interval": "fixed_year", "fiscal_year_start_month": "7"},
    "fiscal_year_just_over": {"interval": "fixed_year", "fiscal_year_start_month": "3"},
    "half_a_year_to_date": {"timespan_months": "6", "window_end": "as_of_date"},
    "north_groups": {"organisation_id": "north", **GROUPS},
    "south_customers": {"organisation_id": "south", "timespan_months": "3"},
    "margin": {"metric": "gross_margin"},
    "products_of_a_branch": {"entity": "product", "new_customer_days": "0"},
    # Methods, boundaries, ties, denominators.
    "quotas": {"method": "sequential_quota"},
    "quotas_of_groups": {"method": "sequential_quota", "boundary": "nearest", "denominator": "all", **GROUPS},
    "fixed_amounts": {"method": "absolute", **GROUPS},
    "fixed_order_counts": {"method": "absolute", "metric": "order_count"},
    "by_count": {"method": "count"},
    "by_count_of_groups": {"method": "count", "boundary": "lower", "ties": "split", **GROUPS},
    "lower": {"boundary": "lower"},
    "nearest": {"boundary": "nearest", "ties": "split"},
    "everybody_counts": {"denominator": "all", "min_net_sales": "2000"},
    # Metrics and outliers.
    "orders": {"metric": "order_count"},
    "orders_without_outliers": {"metric": "order_count", "outlier_treatment": "exclude", "ties": "split"},
    "orders_with_outliers_capped": {"metric": "order_count", "outlier_treatment": "cap"},
    "pieces": {"metric": "quantity", "boundary": "nearest"},
    "pieces_capped": {"metric": "quantity", "outlier_treatment": "cap"},
    "capped": {"outlier_treatment": "cap", "min_net_sales": "500"},
    "capped_in_two_branches": {"outlier_treatment": "cap", "timespan_months": "18", **GROUPS},
    "without_outliers": {"outlier_treatment": "exclude"},
    "margin_capped": {"metric": "gross_margin", "outlier_treatment": "cap", **GROUPS},
    "margin_without_outliers": {"metric": "gross_margin", "outlier_treatment": "exclude", "identity_basis": "vat"},
    "committed": {"metric_basis": "contract", "timespan_months": "7"},
    "committed_groups": {"metric_basis": "contract", "interval": "fixed_year", "min_net_sales": "1000", **GROUPS},
    # People's decisions, and hysteresis.
    "decided": {},
    "decided_and_cleared": {"timespan_months": "6"},
    "decided_by_vat_number": {"identity_basis": "vat"},
    "decided_groups": GROUPS,
    "steady": {"hysteresis_months": "2"},
    "steady_and_decided": {"hysteresis_months": "2", "timespan_months": "3"},
    "steady_groups": {"hysteresis_months": "3", "timespan_months": "3", **GROUPS},
    # Versions.
    "loyalty_1": {"family": "loyalty", "version": "1", "status": "retired", "timespan_months": "24"},
    "loyalty_2": {"family": "loyalty", "version": "2", "timespan_months": "24"},
    "loyalty_3": {"family": "loyalty", "version": "3", "status": "challenger", "hysteresis_months": "2"},
    "loyalty_4": {"family": "loyalty", "version": "4", "status": "scenario", "method": "count"},
    # Products.
    "product_pieces": {
        "entity": "product",
        "metric": "quantity",
        "ties": "split",
        "xyz_x_limit": "0.8",
        "xyz_y_limit": "1",
    },
    "product_orders": {"entity": "product", "metric": "order_count", "method": "count", "timespan_months": "6"},
    "product_quotas": {"entity": "product", "method": "sequential_quota", "denominator": "all", "min_net_sales": "9000"},
    "product_to_date": {"entity": "product", "window_end": "as_of_date", "timespan_months": "4", "xyz_y_limit": "0.95"},
    "product_of_a_month": {"entity": "product", "window_end": "as_of_date", "timespan_months": "1"},
    "product_steady": {
        "entity": "product",
        "hysteresis_months": "2",
        "new_customer_days": "120",
        "timespan_months": "3",
    },
}
# The pools of the sample's ledger once more, by the drivers its own seed does not ask for.
WIDE_POOLS: list[Cells] = [
    {"cost_pool_id": "order_processing", "driver": "order_lines", "activity": "orders", "practical_capacity": "300.5"},
    {"cost_pool_id": "warehouse", "driver": "shipment_weight", "activity": "handling"},
    {"cost_pool_id": "customer_service", "driver": "calls", "practical_capacity": "1"},
    {"cost_pool_id": "sales_visits", "driver": "units"},
    {"cost_pool_id": "returns_handling", "driver": "packages", "activity": "handling", "practical_capacity": "100000"},
    {"cost_pool_id": "credit_management", "driver": "net_sales"},
    {"cost_pool_id": "rent", "driver": "expedited_shipments", "cost_level": "customer"},
]
RETIRED = {identifier for identifier, cells in WIDE_TYPES.items() if cells.get("status") == "retired"}
# These have no tier for members that nobody ranks, so theirs is the lowest one.
WITHOUT_DEFAULT_TIER = {
    *(identifier for identifier, cells in WIDE_TYPES.items() if "entity" in cells and identifier != "product_steady"),
    *("fiscal_year", "by_count"),
}
WITHOUT_EXCLUDED_TIER = {*list(WIDE_TYPES)[:10], "orders", "product_orders", "on_the_limits"}
BRANCHES = {
    "two_branches": ["erp_north:B01", "erp_south:B02"],
    "capped_in_two_branches": ["erp_north:B01", "erp_south:B02"],
    "products_of_a_branch": ["erp_north:B02"],
    "product_to_date": ["erp_north:B01", "erp_north:B02", "erp_north:B03"],
}
BRANDS = {"two_brands": ["Karovane", "Vindelmo"], "product_to_date": ["Karovane", "Vindelmo"]}
# The minimum amounts of A, B and C where the method is absolute.
MINIMUMS = {
    "fixed_amounts": ("20000", "4000", "500.5"),
    "fixed_order_counts": ("12", "6", "2"),
    "edge_absolute": ("190", "20", "10"),
}

# Only in the torn tables: a firm of its own in which every amount and every day lies on a limit, once per reading.
READINGS = [
    (method, boundary, ties)
    for method in ("cut_point", "sequential_quota", "count")
    for boundary in ("upper", "lower", "nearest")
    for ties in ("together", "split")
]
EDGE = {"organisation_id": "edge"}
TORN_TYPES: dict[str, Cells] = {
    "on_the_limits": {**EDGE, "min_net_sales": "10"},
    "edge_absolute": {**EDGE, "method": "absolute"},
    "edge_groups": {**EDGE, **GROUPS, "ties": "split", "boundary": "lower"},
    **{
        f"edge_{method}_{boundary}_{ties}": {
            **EDGE,
            "method": method,
            "boundary": boundary,
            "ties": ties,
            # Both, in turn, so that every option meets both.
            "denominator": "all" if number % 4 in (1, 2) else "eligible",
            "min_net_sales": "10",
        }
        for number, (method, boundary, ties) in enumerate(READINGS)
    },
}

# override_id, segment_type_id, entity_id, mode, tier, valid_from, valid_to, approved_by; all of them asked for by ann.
OverrideCells = tuple[str, str, str, str, str, str, str, str]
DECIDED: list[OverrideCells] = [
    # Over at a month's end, and interrupted before; then an A again.
    ("o1", "decided", "erp_north:C00031", "set", "A", "2025-01-01", "2025-06-30", "bob"),
    ("o2", "decided", "erp_north:C00031", "set", "B", "2025-04-10", "2025-05-30", "bob"),
    ("o3", "decided", "erp_north:C00031", "set", "A", "2026-03-17", "2026-03-17", "bob"),
    # Ended for good by a clear whose own end does not matter.
    ("o4", "decided", "erp_south:C00112", "set", "C", "2025-02-01", "", "bob"),
    ("o5", "decided", "erp_south:C00112", "clear", "", "2025-08-15", "2025-08-16", "bob"),
    # A floor that raises, one that changes nothing, one that raises whom nobody ranks.
    ("o6", "decided", "erp_north:C00135", "floor", "B", "2024-10-01", "", "bob"),
    ("o7", "decided", "erp_south:C00047", "floor", "C", "2024-10-01", "", "bob"),
    ("o8", "decided", "erp_north:C00006", "floor", "C", "2025-05-05", "2026-06-30", "bob"),
    # Into the excluded tier: for a while, for good, without sales, without positive sales.
    ("o11", "decided", "erp_south:C00041", "set", "X", "2025-06-01", "2026-01-31", "bob"),
    ("o12", "decided", "erp_north:C00158", "set", "X", "2025-01-01", "", "bob"),
    ("o13", "decided", "erp_south:C00010", "set", "X", "2025-01-01", "", "bob"),
    ("o14", "decided", "erp_north:C00175", "set", "X", "2025-01-01", "", "bob"),
    ("o15", "decided", "erp_north:C00004", "set", "X", "2025-01-01", "", "bob"),
    # The same day twice: the higher id.
    ("o9", "decided", "erp_north:C00062", "set", "A", "2025-03-01", "", "bob"),
    ("o10", "decided", "erp_north:C00062", "set", "C", "2025-03-01", "", "bob"),
    # Nobody approved it, its author approved it, nobody knows the entity.
    ("o16", "decided", "erp_south:C00035", "set", "A", "2025-01-01", "", ""),
    ("o17", "decided", "erp_north:C00162", "set", "A", "2025-01-01", "", " Ann "),
    ("o18", "decided", "erp_north:C99999", "set", "A", "2025-01-01", "", "bob"),
    # Internal customers stay excluded, wherever they are put.
    ("o19", "decided", "erp_north:C00005", "set", "A", "2025-01-01", "", "bob"),
    ("o20", "decided", "erp_south:C00078", "floor", "B", "2025-01-01", "", "bob"),
    # A new customer; a set over a floor; not yet.
    ("o21", "decided", "erp_south:C00008", "set", "B", "2024-01-01", "", "bob"),
    ("o22", "decided", "erp_south:C00063", "set", "A", "2025-09-01", "2025-12-30", "bob"),
    ("o23", "decided", "erp_south:C00063", "floor", "B", "2025-07-01", "", "bob"),
    ("o24", "decided", "erp_south:C00114", "set", "A", "2026-03-18", "", "bob"),
    # Clears that end nothing: without approval, on the same day, with nothing to end, or only what is over anyway.
    ("o25", "decided", "erp_south:C00023", "set", "B", "2025-01-15", "", "bob"),
    ("o26", "decided", "erp_south:C00023", "clear", "", "2025-06-15", "", ""),
    ("o27", "decided", "erp_north:C00125", "set", "B", "2025-01-15", "", "bob"),
    ("o28", "decided", "erp_north:C00125", "clear", "", "2025-01-15", "", "bob"),
    ("o29", "decided", "erp_north:C00015", "clear", "", "2025-01-15", "", "bob"),
    ("o30", "decided", "erp_north:C00145", "set", "A", "2025-01-01", "2025-10-15", "bob"),
    ("o31", "decided", "erp_north:C00145", "clear", "", "2025-08-01", "", "bob"),
    ("o32", "decided", "erp_north:C00145", "clear", "", "2025-09-01", "", "bob"),
    # A clear of a floor leaves the later set.
    ("o33", "decided", "erp_north:C00104", "floor", "A", "2025-01-01", "", "bob"),
    ("o34", "decided", "erp_north:C00104", "clear", "", "2025-06-01", "", "bob"),
    ("o35", "decided", "erp_north:C00104", "set", "B", "2025-11-01", "2026-02-15", "bob"),
]
CLEARED: list[OverrideCells] = [
    ("o1", "decided_and_cleared", "erp_north:C00031", "set", "A", "2024-12-01", "", "bob"),
    ("o2", "decided_and_cleared", "erp_south:C00041", "set", "X", "2025-01-01", "", "bob"),
    ("o3", "decided_and_cleared", "erp_north:C00168", "floor", "A", "2025-01-01", "", "bob"),
    ("o4", "decided_and_cleared", "", "clear_all", "", "2025-06-10", "2025-06-10", "bob"),
    ("o5", "decided_and_cleared", "erp_south:C00041", "set", "X", "2025-08-01", "", "bob"),
    ("o6", "decided_and_cleared", "erp_north:C00168", "clear", "", "2025-09-30", "", "bob"),
    ("o7", "decided_and_cleared", "", "clear_all", "", "2025-12-01", "", "ANN"),
    ("o8", "decided_and_cleared", "erp_south:C00112", "set", "B", "2025-06-10", "", "bob"),
]
OTHERS_DECIDED: list[OverrideCells] = [
    ("o1", "decided_by_vat_number", "vat:DE183886818", "set", "A", "2025-02-01", "", "bob"),
    ("o2", "decided_by_vat_number", "vat:NL415687660B01", "set", "X", "2025-02-01", "2026-03-16", "bob"),
    ("o3", "decided_by_vat_number", "erp_south:C00047", "set", "X", "2025-02-01", "", "bob"),
    ("o4", "decided_by_vat_number", "vat:XX999888777", "set", "C", "2025-02-01", "", "bob"),
    ("o5", "decided_groups", "erp_south:C00108", "set", "X", "2025-03-01", "", "bob"),
    ("o6", "decided_groups", "erp_north:C00045", "set", "A", "2025-03-01", "2025-11-30", "bob"),
    ("o7", "decided_groups", "erp_north:C00078", "floor", "B", "2025-03-01", "", "bob"),
    ("o8", "decided_groups", "erp_north:C00156", "set", "X", "2025-03-01", "", "bob"),
    ("o9", "steady_groups", "erp_north:C00128", "set", "X", "2025-04-01", "2025-06-30", "bob"),
    ("o10", "steady_groups", "erp_south:C00029", "floor", "B", "2025-04-01", "", "bob"),
    ("o11", "steady_groups", "erp_north:C00045", "set", "B", "2025-04-01", "2025-10-31", "bob"),
    ("o12", "steady_and_decided", "erp_north:C00044", "floor", "B", "2024-04-01", "", "bob"),
    ("o13", "steady_and_decided", "erp_south:C00056", "floor", "B", "2024-04-01", "", "bob"),
    ("o14", "steady_and_decided", "erp_north:C00021", "floor", "C", "2024-04-01", "", "bob"),
    ("o15", "steady_and_decided", "erp_north:C00168", "set", "X", "2025-08-01", "2025-10-30", "bob"),
    ("o16", "steady_and_decided", "erp_north:C00063", "set", "A", "2025-08-01", "", "bob"),
    ("o17", "product_steady", "erp_south:P0051", "set", "X", "2025-03-01", "2025-09-30", "bob"),
    ("o18", "product_steady", "erp_north:P0076", "floor", "B", "2025-03-01", "", "bob"),
    ("o19", "product_pieces", "erp_north:P0078", "set", "C", "2025-03-01", "", "bob"),
    ("o20", "product_quotas", "erp_south:P0089", "set", "X", "2025-03-01", "", "bob"),
    ("o21", "product_quotas", "erp_south:P0010", "set", "X", "2025-05-01", "", "bob"),
]
# Under every method some of the ranked are put away: each is to be told where it would stand if it alone came back.
PUT_AWAY: list[OverrideCells] = [
    (f"o{number}", identifier, entity, "set", "X", valid_from, valid_to, "bob")
    for identifier in [
        *("quotas", "quotas_of_groups", "fixed_amounts", "fixed_order_counts", "by_count", "by_count_of_groups"),
        *("lower", "nearest", "everybody_counts", "orders_without_outliers", "pieces", "capped", "committed"),
    ]
    for number, (entity, valid_from, valid_to) in enumerate(
        [
            ("erp_south:C00112", "2025-01-01", "2025-09-29"),
            ("erp_south:C00041", "2024-09-15", ""),
            ("erp_north:C00168", "2025-06-30", "2026-03-17"),
            ("erp_north:C00031", "2025-02-01", ""),
            ("erp_north:C00104", "2025-10-31", ""),
        ],
        start=1,
    )
]
OVERRIDES = [*DECIDED, *CLEARED, *OTHERS_DECIDED, *PUT_AWAY]
TORN_OVERRIDES: list[OverrideCells] = [
    (f"o{number}", identifier, f"erp_edge:{customer}", "set", "X", valid_from, valid_to, "bob")
    for identifier in TORN_TYPES
    if identifier not in WITHOUT_EXCLUDED_TIER
    for number, (customer, valid_from, valid_to) in enumerate(
        [
            ("L02", "2025-10-01", ""),
            ("L04", "2026-01-01", ""),
            ("L08", "2025-10-01", ""),
            ("L11", "2026-03-17", "2026-03-17"),
            ("below the minimum", "2025-12-01", ""),
            ("only ever credited", "2025-12-01", ""),
        ],
        start=1,
    )
]
TORN_OVERRIDES += [
    ("o11", "decided_by_vat_number", "vat:DE528456781", "set", "X", "2025-05-31", "", "bob"),
    ("o12", "decided_by_vat_number", "vat:NL998877665B01", "floor", "A", "2025-05-31", "2026-01-31", "bob"),
]

# Dated parents in the sample: over by the as-of date, and still in force.
WIDE_PARENTS = [
    ("erp_north:C00054", "erp_north:C00128", "2025-06-15", "2025-12-30", "ann"),
    ("erp_south:C00106", "erp_south:C00072", "2025-09-30", "", "ann"),
]
TORN_PARENTS = [
    # In force from the day itself, until the day itself; over; not yet; not approved; to nobody; to each other.
    ("erp_north:C01", "erp_north:C02", "2026-03-17", "", "ann"),
    ("erp_north:C03", "erp_south:C04", "2026-01-01", "2026-03-17", "ann"),
    ("erp_north:C05", "erp_north:C06", "2026-01-01", "2026-03-16", "ann"),
    ("erp_north:C07", "erp_north:C08", "2026-03-18", "", "ann"),
    ("erp_north:C09", "erp_north:C10", "2026-01-01", "", ""),
    ("erp_north:C11", "erp_north:C99", "2026-01-01", "", "ann"),
    ("erp_south:C12", "erp_south:C13", "2026-01-01", "", "ann"),
    ("erp_south:C13", "erp_south:C12", "2026-01-01", "", "ann"),
    # For some months only: somebody's own entity, somebody else's, and its own again.
    ("erp_north:C14", "erp_north:C15", "2025-06-01", "2025-09-30", "ann"),
    ("erp_south:C16", "erp_south:C17", "2025-07-31", "2025-08-31", "ann"),
    ("erp_south:C05", "", "2025-05-01", "2025-12-30", "ann"),
]


def tier_rows(identifier: str) -> list[Cells]:
    """A, B and C, earned as the method wants it; then N for new members and X for excluded ones, where they have one."""
    shares = dict(zip("ABC", ("0.70", "0.20", "0.10"), strict=True))
    minimums = dict(zip("ABC", MINIMUMS.get(identifier, ()), strict=False))
    names = ["A", "B", "C"]
    names += [] if identifier in WITHOUT_DEFAULT_TIER else ["N"]
    names += [] if identifier in WITHOUT_EXCLUDED_TIER else ["X"]
    return [
        {
            "segment_type_id": identifier,
            "tier": tier,
            "sales_share": "" if minimums else shares.get(tier, ""),
            "minimum_amount": minimums.get(tier, ""),
            "tier_rank": rank,
            "is_default": "true" if tier == "N" else "",
            "is_excluded": "true" if tier == "X" else "",
        }
        for rank, tier in enumerate(names, start=1)
    ]


def override_row(
    override_id: str,
    segment_type_id: str,
    entity_id: str,
    mode: str,
    tier: str,
    valid_from: str,
    valid_to: str,
    approved_by: str,
) -> Cells:
    """A row of segment_overrides; its id names its type, since an id stands for one row only."""
    return {
        "override_id": f"{segment_type_id}-{override_id}",
        "segment_type_id": segment_type_id,
        "entity_id": entity_id,
        "mode": mode,
        "tier": tier,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "reason": f"{mode} by way of proof",
        "requested_by": "ann",
        "approved_by": approved_by,
        "recorded_on": "2027-01-02" if override_id in RECORDED_LATE else valid_from,
    }


def parent_row(customer: str, parent: str, valid_from: str, valid_to: str, approved_by: str) -> Cells:
    """A row of hierarchy_overrides."""
    return {
        "customer_id": customer,
        "parent_customer_id": parent,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "reason": "proof",
        "approved_by": approved_by,
    }


def wide_configuration(
    folder: Path,
    types: dict[str, Cells] | None = None,
    overrides: list[OverrideCells] | None = None,
    append: dict[str, list[Cells]] | None = None,
) -> Path:
    """The project's seeds with one more segment type per thing they do not ask for, and their pools by other drivers."""
    wanted = types or WIDE_TYPES
    return write_configuration(
        folder,
        replace={"cost_pools": WIDE_POOLS},
        append={
            "segment_types": [segment_type(identifier, name=identifier, **cells) for identifier, cells in wanted.items()],
            "segment_tiers": [tier for identifier in wanted for tier in tier_rows(identifier)],
            "segment_type_branches": [
                {"segment_type_id": identifier, "branch_id": branch}
                for identifier, branches in BRANCHES.items()
                for branch in branches
            ],
            "segment_type_brands": [
                {"segment_type_id": identifier, "brand": brand}
                for identifier, brands in BRANDS.items()
                for brand in brands
            ],
            "segment_overrides": [override_row(*cells) for cells in overrides or OVERRIDES],
            "hierarchy_overrides": [parent_row(*cells) for cells in WIDE_PARENTS],
        }
        | (append or {}),
    )


def multiply_money(configuration: Path, factor: int) -> Path:
    """Every limit in money so many times as high; what is compared with orders or pieces is no money."""
    types = {row["segment_type_id"]: row for row in read_csv(configuration / "segment_types.csv")}

    def multiplied(row: Cells, column: str) -> Cells:
        is_money = types[row["segment_type_id"]]["metric"] in ("", "net_sales", "gross_margin")
        is_limit = is_money or column == "min_net_sales"
        return row | {column: scaled(row[column], factor)} if is_limit else row

    for seed, column in (("segment_types", "min_net_sales"), ("segment_tiers", "minimum_amount")):
        revise(configuration, seed, lambda row, column=column: multiplied(row, column))
    return configuration


def rename(configuration: Path, renamed: Callable[[str, str], str]) -> Path:
    """Every global id under its new name: ``renamed(kind, global_id)``."""
    entity = {row["segment_type_id"]: row["entity"] for row in read_csv(configuration / "segment_types.csv")}

    def named(row: Cells, kind: str, *columns: str) -> Cells:
        return row | {column: renamed(kind, row[column]) for column in columns if row[column]}

    revise(configuration, "segment_type_branches", lambda row: named(row, "branch", "branch_id"))
    revise(configuration, "segment_overrides", lambda row: named(row, entity[row["segment_type_id"]], "entity_id"))
    revise(configuration, "hierarchy_overrides", lambda row: named(row, "customer", "customer_id", "parent_customer_id"))
    return configuration


def revise(configuration: Path, seed: str, change: Callable[[Cells], Cells]) -> None:
    """Change every row of a seed."""
    path = configuration / f"{seed}.csv"
    columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    write_csv(path, columns, [change(row) for row in read_csv(path)])


def torn_configuration(folder: Path) -> Path:
    """The wide configuration with people's decisions about parents and matches in the torn tables."""
    matches = [
        {"customer_id": "erp_north:C01", "party_kind": "crm_account", "party_id": "crm:A01", "action": "match"},
        {"customer_id": "erp_south:C03", "party_kind": "crm_account", "party_id": "crm:A05", "action": "never_match"},
    ]
    matches += [
        {
            "customer_id": f"erp_north:C0{1 + number % 4}",
            "party_kind": "tpl_consignee",
            "party_id": f"tpl:K{number}",
            "action": "match",
        }
        for number in range(1, 9)
    ]
    matches += [
        {
            "customer_id": f"{system}:C0{customer}",
            "party_kind": "crm_account",
            "party_id": f"crm_2:A{account:02}",
            "action": "never_match",
        }
        for system in ("erp_north", "erp_south")
        for customer in range(1, 8)
        for account in (3, 4, 6, 7, 8, 9, 10)
    ]
    # Nobody approved this one.
    undecided = {"customer_id": "erp_north:C02", "party_kind": "crm_account", "party_id": "crm:A02", "action": "match"}
    return wide_configuration(
        folder,
        types=WIDE_TYPES | TORN_TYPES,
        overrides=[*OVERRIDES, *TORN_OVERRIDES, *random_overrides(random.Random(10))],
        append={
            "organisations": [
                {"organisation_id": "edge", "name": "On the limits", "source_system": "erp_edge"},
                {"organisation_id": "even", "name": "Month by month", "source_system": "erp_even_edge"},
            ],
            "hierarchy_overrides": [parent_row(*cells) for cells in TORN_PARENTS],
            "account_match_overrides": [match | {"reason": "torn", "approved_by": "ann"} for match in matches]
            + [undecided | {"reason": "torn"}],
        },
    )


def random_overrides(source: random.Random) -> list[OverrideCells]:
    """Decisions of every kind about the torn customers, over one another and over again."""
    result: list[OverrideCells] = []
    identifiers = ("decided", "decided_and_cleared", "steady_and_decided", "everybody_counts", "orders_without_outliers")
    for number in range(100, 260):
        mode = source.choice(("set", "set", "set", "floor", "floor", "clear"))
        day = date(2024, 12, 15) + timedelta(days=source.randrange(480))
        result.append(
            (
                f"o{number}",
                source.choice(identifiers),
                f"erp_{source.choice(('north', 'south'))}:{source.choice([*TornData.CUSTOMERS, 'C99'])}",
                mode,
                {"set": source.choice("ABCNX"), "floor": source.choice("ABC")}.get(mode, ""),
                day.isoformat(),
                source.choice(("", "", str(day), str(day + timedelta(days=90)), str(day + timedelta(days=200)))),
                source.choice(("bob", "bob", "bob", "bob", "", "ann")),
            )
        )
    return result


class TornData:
    """Raw tables in which everything happens that the contract speaks of. The same seed makes the same tables."""

    VAT_NUMBERS = [
        *("DE528456781", "de 528.456.781", "528456781", "NL998877665B01", "nl 998877665 b01", "GB555666777"),
        *("FR11722333444", "11722333444", "DE52841", "99999", "000000000", "n/a", "DE1234", "", "", ""),
    ]
    NAMES = [
        *("Acme Ltd", "ACME LTD", "Acme, Ltd.", "Bolt GmbH", "Cog SA", "Dyn B.V."),
        *("Müller AG", "MÜLLER A.G.", "---", "?"),
    ]
    AMOUNTS = ["100.00", "100", "100", "50", "200.00", "300", "0.5", "0.05", "10.01", "1000", "33.335", "0", "49.975"]
    COSTS = ["", "10", "0.01", "20.5", "33.335"]
    RATES = ["1.163340", "0.85", "1.1", "1.250000", "3", "0.123457"]
    # Each system has what the other lacks, and for some currencies both have rates that differ.
    CURRENCY_PAIRS = {
        "erp_north": [("GBP", "EUR"), ("EUR", "GBP"), ("EUR", "USD")],
        "erp_south": [("USD", "EUR"), ("EUR", "USD"), ("GBP", "EUR"), ("PLN", "EUR")],
    }
    CUSTOMERS = [f"C{number:02}" for number in range(1, 26)]
    PRODUCTS = [f"P{number}" for number in range(1, 13)]
    INVOICES = [f"I{number:03}" for number in range(1, 140)]
    # A column that may change between two versions of a row without breaking it.
    LOOSE_COLUMNS = {
        "erp.customers": "name",
        "erp.products": "name",
        "erp.invoices": "sales_rep_id",
        "erp.invoice_lines": "product_id",
        "crm.accounts": "name",
    }

    def __init__(self, seed: int) -> None:
        """Make all rows."""
        self.random = random.Random(seed)
        self.raw = Raw()
        for system in ("erp_north", "erp_south"):
            self._master_data(system)
            self._rates(system)
            self._orders(system)
            self._invoices(system)
            self._invoice_lines(system)
            self._contracts(system)
        self._accounts()
        self._shipments()
        self._limits()
        self._even_sellers()
        for table in (*self.LOOSE_COLUMNS, "erp.exchange_rates"):
            self._tear(table)

    def _one_of(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def _day(self) -> date:
        return date(2025, 1, 1) + timedelta(days=self.random.randrange(560))

    def _master_data(self, system: str) -> None:
        for customer in self.CUSTOMERS:
            if self._happens(0.92):
                self.raw.customer(
                    system,
                    customer,
                    name=self._one_of(*self.NAMES),
                    vat_number=self._one_of(*self.VAT_NUMBERS),
                    country=self._one_of("DE", "NL", "FR", "GB", ""),
                    postal_code=self._one_of("10", "20", ""),
                    parent_customer_id=self._one_of(*self.CUSTOMERS, "C99") if self._happens(0.35) else "",
                    customer_kind=self._one_of("trade", "", "trade", "trade", "trade", "internal", "test"),
                    created_on=self._one_of("", "2020-02-29", self._day(), self._day()),
                )
        for product in self.PRODUCTS:
            if self._happens(0.9):
                self.raw.product(
                    system,
                    product,
                    brand=self._one_of("Karovane", "Vindelmo", "Bruntaal", ""),
                    launched_on=self._one_of("", "2020-02-29", self._day()),
                )
        for branch in ("B01", "B02", "B03"):
            if self._happens(0.8):
                self.raw.add("erp.branches", source_system=system, branch_id=branch)
        for sales_rep in ("R1", "R2"):
            self.raw.add("erp.sales_reps", source_system=system, sales_rep_id=sales_rep)

    def _rates(self, system: str) -> None:
        for from_currency, to_currency in self.CURRENCY_PAIRS[system]:
            for day in sorted({self._day() for _ in range(self.random.randrange(3, 9))}):
                self.raw.add(
                    "erp.exchange_rates",
                    source_system=system,
                    rate_date=day,
                    from_currency=from_currency,
                    to_currency=to_currency,
                    rate=self._one_of(*self.RATES),
                    loaded_at=f"{day} 18:00:00",
                )

    def _orders(self, system: str) -> None:
        for number in range(1, 40):
            self.raw.add(
                "erp.orders",
                source_system=system,
                order_id=f"O{number}",
                customer_id=self._one_of(*self.CUSTOMERS, "C99", ""),
            )
            if self._happens(0.5):
                order_id = f"O{number + self._one_of(0, 0, 0, 60)}"
                self.raw.add("erp.order_lines", source_system=system, order_id=order_id, line_number=1)

    def _invoices(self, system: str) -> None:
        for invoice in self.INVOICES:
            if self._happens(0.03):
                continue
            day = self._day()
            is_credit_note = self._happens(0.15)
            cells: Cells = {
                "invoice_id": invoice,
                "customer_id": self._one_of(*self.CUSTOMERS) if self._happens(0.97) else self._one_of("C99", ""),
                "invoice_date": day,
                "document_type": "credit_note" if is_credit_note else "invoice",
                "order_id": self._order_id(0.3 if is_credit_note else 0.6),
                "original_invoice_id": self._one_of(*self.INVOICES, "") if is_credit_note else "",
                "branch_id": self._one_of("B01", "B02", "B03", "", "B99"),
                "sales_rep_id": self._one_of("R1", "R2", "", "R99"),
                "currency": self._one_of("EUR", "EUR", "EUR", "EUR", "GBP", "GBP", "USD", "USD", "PLN", "CHF"),
                "loaded_at": f"{day + timedelta(days=1)} 02:00:00",
            }
            fault: Cells = {}
            if self._happens(0.12):
                early = f"{day - timedelta(days=self._one_of(1, 2, 3))} 0{self._one_of(0, 2)}:00:00"
                fault = self._one_of(
                    {"invoice_date": ""},
                    {"invoice_date": self._one_of("12/05/2025", "2025-02-30", "20250101")},
                    {"currency": ""},
                    {"document_type": self._one_of("INV", "Invoice", "")},
                    {"loaded_at": early},
                    {"invoice_id": ""},
                    {"due_on": "soon"},
                )
            self.raw.add("erp.invoices", source_system=system, **(cells | fault))

    def _order_id(self, probability: float) -> str:
        """One of few orders, so that invoices share them; some are named like an invoice."""
        if not self._happens(probability):
            return ""
        return self._one_of(*(f"O{self.random.randrange(1, 40)}" for _ in range(4)), "I007")

    def _contracts(self, system: str) -> None:
        """Open and closed ones, also over, not yet in force, without amount, without rate and with nobody."""
        for number in range(1, 30):
            start = self._day()
            self.raw.add(
                "erp.contracts",
                source_system=system,
                contract_id=f"V{number}",
                customer_id=self._one_of(*self.CUSTOMERS, "C99", ""),
                valid_from=self._one_of("", start, start, "2024-12-31"),
                valid_to=self._one_of("", "2026-02-28", "2026-03-01", start + timedelta(days=self._one_of(0, 200, 400))),
                committed_annual_amount=self._one_of(*self.AMOUNTS, "7000.01", "0.01", ""),
                currency=self._one_of("EUR", "EUR", "GBP", "USD", "PLN", "CHF", ""),
            )

    def _invoice_lines(self, system: str) -> None:
        for invoice in self.INVOICES:
            for number in range(1, self.random.randrange(2, 5)):
                cells: Cells = {
                    "invoice_id": invoice,
                    "line_number": number,
                    "product_id": self._one_of(*self.PRODUCTS, "", "P99"),
                    "quantity": self._one_of("1", "2.5", ""),
                    "net_amount": self._one_of("", "", "", "", "-") + self._one_of(*self.AMOUNTS),
                    "cost_amount": self._one_of(*self.COSTS),
                    "loaded_at": f"{self._day()} 02:00:00",
                }
                fault: Cells = {}
                if self._happens(0.04):
                    fault = self._one_of(
                        {"net_amount": ""},
                        {"net_amount": self._one_of("n/a", "1,000.00", "1.000,5", "1e3", "12 EUR")},
                        {"cost_amount": "?"},
                        {"line_number": ""},
                    )
                self.raw.add("erp.invoice_lines", source_system=system, **(cells | fault))

    def _accounts(self) -> None:
        for number in range(1, 30):
            self.raw.add(
                "crm.accounts",
                source_system=self._one_of("crm", "crm_2"),
                account_id=f"A{number:02}",
                name=self._one_of(*self.NAMES),
                vat_number=self._one_of(*self.VAT_NUMBERS),
                country=self._one_of("DE", "NL", "FR", "GB", ""),
                postal_code=self._one_of("10", "20", ""),
                parent_account_id=f"A{self.random.randrange(1, 32):02}" if self._happens(0.5) else "",
                erp_source_system=self._one_of("erp_north", "erp_south", ""),
                erp_customer_id=self._one_of(*self.CUSTOMERS, "C99") if self._happens(0.6) else "",
            )

    def _shipments(self) -> None:
        for number in range(1, 60):
            self.raw.add(
                "tpl.shipments",
                source_system=self._one_of("tpl", "tpl_2"),
                shipment_id=f"T{number}",
                erp_source_system=self._one_of("erp_north", "erp_south", ""),
                order_id=f"O{self.random.randrange(1, 45)}" if self._happens(0.85) else "",
                consignee_code=f"K{self.random.randrange(1, 40)}",
            )
            self.raw.add(
                "tpl.shipment_lines",
                source_system="tpl",
                shipment_id=f"T{number + self._one_of(0, 0, 70)}",
                order_id="O1",
                line_number=self._one_of("1", ""),
            )

    def _limits(self) -> None:
        """Of 1000 the first holds 700, so 190 starts at a cut; two of 20 lie across the next one; 10 is the minimum."""
        system = "erp_edge"
        self.raw.product(system, "P1")
        amounts = [700, 190, 20, 20, *[10] * 7]
        for position, amount in enumerate(amounts, start=1):
            customer = f"L{position:02}"
            self.raw.customer(system, customer, name=customer, vat_number="DE887766554" if position == 3 else "")
            # The earliest an invoice may land: exactly one day before the midnight its date begins with.
            self.raw.sale(system, customer, "2025-06-10", amount, loaded_at="2025-06-09 00:00:00")
        for customer, day, amount in (
            ("below the minimum", "2025-06-10", "9.99"),
            ("90 days ago", "2025-12-17", "3"),
            ("89 days ago", "2025-12-18", "500"),
            ("first day", "2025-03-01", "1"),
            ("last day", "2026-02-28", "2"),
            ("a day early", "2025-02-28", "77"),
            ("a day late", "2026-03-01", "88"),
            ("only ever credited", "2025-06-10", "-5"),
        ):
            self.raw.customer(system, customer)
            self.raw.sale(system, customer, day, amount)
        # The parent account stands for two customers, one of them by name of its number: that one is the parent.
        account = {"source_system": "crm_edge", "erp_source_system": system}
        self.raw.add("crm.accounts", **account, account_id="B1", erp_customer_id="L01", parent_account_id="B2")
        self.raw.add("crm.accounts", **account, account_id="B2", erp_customer_id="L02", vat_number="DE 887 766 554")

    def _even_sellers(self) -> None:
        """Products whose months vary by exactly 20 % and 60 %, by a little more, and not at all."""
        system = "erp_even_edge"
        self.raw.customer(system, "C1", created_on="2026-01-31")
        for month in range(12):
            year, past = divmod(month + 2, 12)
            for product, quantity in {
                "P1": ("8", "12"),
                "P2": ("4", "16"),
                "P3": ("8", "12.0001"),
                "P4": ("3.9999", "16"),
                "P5": ("2.5", "2.5"),
            }.items():
                self.raw.sale(
                    system,
                    "C1",
                    f"{2025 + year}-{past + 1:02}-{10 + month}",
                    "3.33",
                    product_id=product,
                    line_cells={"quantity": quantity[month % 2]},
                )
        for product in ("P1", "P2", "P3", "P4", "P5"):
            self.raw.product(system, product)
        # An invoice without an order, and another one of an order of that very number: two orders, not one.
        self.raw.customer(system, "C2")
        for invoice_id, order_id in (("7", ""), ("8", "7"), ("9", "7")):
            self.raw.sale(system, "C2", "2025-11-11", "44", invoice_id=invoice_id, order_id=order_id)

    def _tear(self, table: str) -> None:
        """Deliver some rows again: as they are, corrected, contradicted, or broken."""
        rows = self.raw.rows[table]
        column = self.LOOSE_COLUMNS.get(table)
        for row in list(rows):
            if row["source_system"].endswith("_edge") or not self._happens(0.12):
                continue
            landed = datetime.fromisoformat(str(row["loaded_at"]))
            later = {"loaded_at": str(landed + timedelta(days=1))}
            copies: list[Cells] = [{}, {"loaded_at": str(landed - timedelta(hours=5))}, later]
            if column:
                copies += [{column: "another"}, {column: "another"} | later]
            if table == "erp.invoice_lines":
                copies += [{"net_amount": ""} | later, {"net_amount": "x"}]
            for changes in self.random.sample(copies, self._one_of(1, 1, 2)):
                rows.append(row | changes)
        self.random.shuffle(rows)


def torn_data(folder: Path, seed: int = 33) -> tuple[Path, list[str]]:
    """Write the torn tables; returns their folder and the tables they do without."""
    raw = TornData(seed).raw
    return raw.write(folder), raw.absent_tables()


def recomputed(raw: Path, configuration: Path, variables: dict[str, Any]) -> World:
    """The world a build with these vars is to find."""
    options: dict[str, Any] = {}
    for name, read in (
        ("outlier_multiple", lambda value: Fraction(str(value))),
        ("outlier_minimum_amount", lambda value: Fraction(str(value))),
        ("first_month_end", date.fromisoformat),
        ("known_on", date.fromisoformat),
    ):
        if name in variables:
            options[name] = read(variables[name])
    return World.read(raw, configuration, as_of=date.fromisoformat(variables["as_of_date"]), **options)


def scaled(amount: str | None, factor: int) -> str | None:
    """An amount as a raw cell, so many times as large; what is no number stays as it is."""
    try:
        return str(Decimal(amount) * factor) if amount else amount
    except ArithmeticError:
        return amount
