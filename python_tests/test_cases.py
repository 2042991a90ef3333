"""Worked examples with known answers, through the whole project: raw folder, configuration folder, one build, marts.

Each example is a world of its own in the one build: an organisation with its source system, customers, products and
segment types. The examples lie in ``../shared/cases`` beside the project; without them the tests are skipped.
Columns of an example that hold another option of a rule (``lower``, ``published_class`` ...) are not compared here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import build, read_rows
from worlds import DBT_TESTS, Cells, Raw, assert_same_values, read_case, segment_type, tiers, write_configuration

# One day serves every example: their sales fall into the twelve months before it, and nobody is new by accident.
AS_OF = "2025-12-31"
INSIDE = "2025-06-16"
BEFORE = "2024-05-15"

HIERARCHY = "contract_hierarchy_11customers"
TYPES = "contract_segment_types_9customers"
DOMINANT = "prop_dominant_customer"
NEGATIVE = "prop_negative_and_zero_net_sales"
ROUNDED = "prop_rounded_percent_accumulation"
GINI = "gini_small_vectors"
SAP = "abc_sap_pal_10items"
PYPI = "abc_pypi_7products"


class Worlds:
    """Raw rows and configuration of all examples together."""

    def __init__(self) -> None:
        self.raw = Raw()
        self.organisations: list[Cells] = []
        self.types: list[Cells] = []
        self.tiers: list[Cells] = []
        self.branches: list[Cells] = []
        self.brands: list[Cells] = []

    def organisation(self, name: str) -> None:
        """An organisation that owns the source system of the same name, with a product to sell."""
        self.organisations.append({"organisation_id": name, "name": name, "source_system": name})
        self.raw.product(name, "P1")

    def type(
        self,
        segment_type_id: str,
        organisation: str,
        default: str | None = None,
        shares: Cells | None = None,
        **cells: Any,
    ) -> None:
        """A segment type of one organisation, with its tiers."""
        self.types.append(segment_type(segment_type_id, organisation_id=organisation, **cells))
        self.tiers += tiers(segment_type_id, default=default, **(shares or {}))


def add_hierarchy(worlds: Worlds) -> None:
    """One customer base ranked three times: by account, by ultimate parent, by VAT number."""
    worlds.organisation("hierarchy")
    worlds.type("hierarchy_account", "hierarchy")
    worlds.type("hierarchy_parent", "hierarchy", hierarchy_level="ultimate_parent")
    worlds.type("hierarchy_vat", "hierarchy", identity_basis="vat")
    for row in read_case(HIERARCHY, "input.csv"):
        worlds.raw.customer(
            "hierarchy",
            row["customer_id"],
            parent_customer_id=row["parent_id"],
            country="DE",
            vat_number=long_vat_number(row["vat_id"]),
        )
        if row["net_sales"] != "0":
            worlds.raw.sale("hierarchy", row["customer_id"], INSIDE, row["net_sales"])


def long_vat_number(number: str) -> str:
    """The example's VAT1 as a number with enough digits to be believed."""
    return number.replace("VAT", "DE10000000")


def add_types(worlds: Worlds) -> None:
    """One set of invoices under four segment types."""
    worlds.organisation("types")
    for row in read_case(TYPES, "segment_types.csv"):
        name = f"types_{row['segment_type']}"
        is_fiscal = row["segment_type"].startswith("fy_")
        worlds.type(
            name,
            "types",
            default="N",
            new_customer_days="90",
            min_net_sales=str(Decimal(row["min_net_sales_cents"]) / 100),
            interval="fixed_year" if is_fiscal else "rolling",
            fiscal_year_start_month="7" if is_fiscal else "",
        )
        worlds.branches += (
            [{"segment_type_id": name, "branch_id": f"types:{row['branches']}"}] if row["branches"] else []
        )
        worlds.brands += [{"segment_type_id": name, "brand": row["brands"]}] if row["brands"] else []
    for branch in ("N", "S"):
        worlds.raw.add("erp.branches", source_system="types", branch_id=branch, name=branch)
    for brand in ("X", "Y"):
        worlds.raw.product("types", f"P{brand}", brand=brand)
    for customer in sorted({row["customer_id"] for row in read_case(TYPES)}):
        worlds.raw.customer("types", customer)
    for row in read_case(TYPES, "input.csv"):
        worlds.raw.sale(
            "types",
            row["customer_id"],
            row["invoice_date"],
            Decimal(row["net_cents"]) / 100,
            product_id=f"P{row['brand']}",
            invoice_id=row["invoice_id"],
            branch_id=row["branch"],
            document_type=row["doc_type"],
        )


def add_customers(name: str, case: str) -> Callable[[Worlds], None]:
    """The plain examples: net sales per customer, tiers 80/15/5."""

    def add(worlds: Worlds) -> None:
        worlds.organisation(name)
        worlds.type(name, name)
        for row in read_case(case, "input.csv"):
            worlds.raw.customer(name, row["customer_id"])
            if Decimal(row["net_sales"]) <= 0:
                # Bought before the window, so not new; a credit note alone makes nobody a customer.
                worlds.raw.sale(name, row["customer_id"], BEFORE, "10")
            if Decimal(row["net_sales"]) != 0:
                worlds.raw.sale(name, row["customer_id"], INSIDE, row["net_sales"])

    return add


def add_gini(worlds: Worlds) -> None:
    """A vector of amounts, one customer each."""
    worlds.organisation("gini")
    worlds.type("gini", "gini")
    for number, row in enumerate(read_case(GINI, "input.csv"), start=1):
        worlds.raw.customer("gini", f"{row['vector']}-{number}")
        worlds.raw.sale("gini", f"{row['vector']}-{number}", INSIDE, row["value"])


def add_items(name: str, case: str, shares: Cells) -> Callable[[Worlds], None]:
    """Items ranked as products, and as the customers of the same names who each buy one of them."""

    def add(worlds: Worlds) -> None:
        worlds.organisation(name)
        worlds.type(f"{name}_product", name, shares=shares, entity="product")
        worlds.type(f"{name}_customer", name, shares=shares)
        for row in read_case(case, "input.csv"):
            worlds.raw.customer(name, row["entity_id"])
            worlds.raw.product(name, row["entity_id"])
            worlds.raw.sale(name, row["entity_id"], INSIDE, row["value"], product_id=row["entity_id"])

    return add


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples in one build."""
    worlds = Worlds()
    for add in (
        add_hierarchy,
        add_types,
        add_customers("dominant", DOMINANT),
        add_customers("negative", NEGATIVE),
        add_customers("rounded", ROUNDED),
        add_gini,
        add_items("sap", SAP, {"A": "0.70", "B": "0.20", "C": "0.10"}),
        add_items("pypi", PYPI, {"A": "0.80", "B": "0.15", "C": "0.05"}),
    ):
        add(worlds)
    folder = tmp_path_factory.mktemp("cases")
    configuration = write_configuration(
        folder / "seeds",
        replace={
            "organisations": worlds.organisations,
            "segment_types": worlds.types,
            "segment_tiers": worlds.tiers,
            "segment_type_branches": worlds.branches,
            "segment_type_brands": worlds.brands,
        },
    )
    variables = {"as_of_date": AS_OF, "absent_tables": worlds.raw.absent_tables()}
    return build(
        worlds.raw.write(folder / "raw"), configuration, folder / "warehouse", vars=variables, exclude=DBT_TESTS
    ).path


def segments(warehouse: Path, segment_type_id: str, entity: str = "customer") -> dict[str, Cells]:
    """The rows of one type by native id."""
    rows = read_rows(
        warehouse,
        f"select * from segmentation.fct_{entity}_segments where segment_type_id = '{segment_type_id}'",
    )
    found = {native(row[f"{entity}_id"]): row for row in rows}
    assert len(found) == len(rows), f"{segment_type_id}: some {entity} stands more than once"
    return found


def native(global_id: str | None) -> str:
    """The native id behind a global one; empty for none."""
    return (global_id or ":").split(":", 1)[1]


def column(rows: dict[str, Cells], name: str) -> Cells:
    """One column of ``segments``."""
    return {key: row[name] for key, row in rows.items()}


def expected_column(case: str, name: str, key: str = "customer_id") -> dict[str, str]:
    """One column of an example's answer."""
    return {row[key]: row[name] for row in read_case(case)}


# ---- R8: hierarchy and VAT identity ----


@pytest.mark.parametrize(
    ("segment_type_id", "answer"),
    [
        ("hierarchy_account", "tier_account"),
        ("hierarchy_parent", "tier_parent_inherited"),
        ("hierarchy_vat", "tier_vat"),
    ],
)
def test_hierarchy_tiers(warehouse: Path, segment_type_id: str, answer: str) -> None:
    found = column(segments(warehouse, segment_type_id), "computed_tier")
    assert_same_values(found, expected_column(HIERARCHY, answer), f"{HIERARCHY}, {answer}")


def test_hierarchy_parents_and_statuses(warehouse: Path) -> None:
    rows = read_rows(warehouse, "select * from core.dim_customers where source_system = 'hierarchy'")
    parents = {row["native_customer_id"]: native(row["ultimate_parent_id"]) for row in rows}
    statuses = {row["native_customer_id"]: row["hierarchy_status"] for row in rows}
    assert_same_values(parents, expected_column(HIERARCHY, "ultimate_parent"), f"{HIERARCHY}, ultimate_parent")
    assert_same_values(statuses, expected_column(HIERARCHY, "hierarchy_status"), f"{HIERARCHY}, hierarchy_status")


def test_hierarchy_amounts_are_those_of_the_group(warehouse: Path) -> None:
    for segment_type_id, answer in (("hierarchy_parent", "rolled_net_sales"), ("hierarchy_vat", "vat_net_sales")):
        found = column(segments(warehouse, segment_type_id), "metric_amount")
        expected = {key: Decimal(value) for key, value in expected_column(HIERARCHY, answer).items()}
        assert_same_values(found, expected, f"{HIERARCHY}, {answer}")


def test_hierarchy_children_name_whom_they_inherit_from(warehouse: Path) -> None:
    inherited = {
        key: native(value) for key, value in column(segments(warehouse, "hierarchy_parent"), "inherited_from").items()
    }
    assert_same_values(inherited, expected_column(HIERARCHY, "inherited_from"), f"{HIERARCHY}, inherited_from")
    # "id:s1" of the example is the customer's own global id.
    keys = {
        key: value.replace("vat:", "").replace("hierarchy:", "id:")
        for key, value in column(segments(warehouse, "hierarchy_vat"), "entity_id").items()
    }
    expected = {key: long_vat_number(value) for key, value in expected_column(HIERARCHY, "vat_key").items()}
    assert_same_values(keys, expected, f"{HIERARCHY}, vat_key")


def test_hierarchy_conserves_net_sales_at_every_level(warehouse: Path) -> None:
    totals = read_rows(
        warehouse,
        """
        select segment_type_id, sum(metric_amount) as total
        from (
            select distinct segment_type_id, entity_id, metric_amount
            from segmentation.fct_customer_segments
            where segment_type_id like 'hierarchy_%'
        )
        group by segment_type_id
        """,
    )
    sales = sum(Decimal(row["net_sales"]) for row in read_case(HIERARCHY, "input.csv"))
    assert {row["total"] for row in totals} == {sales}, f"{HIERARCHY}: {totals} instead of {sales} at every level"
    assert len(totals) == 3


# ---- R5, R6, R7, R11, R12: constraints, windows, credit notes, default tier ----


@pytest.mark.parametrize("segment_type_id", ["sales_performance", "north_branch", "brand_x_min_100", "fy_jul_jun"])
def test_segment_types(warehouse: Path, segment_type_id: str) -> None:
    found = {
        key: (row["metric_amount"], row["computed_tier"], row["reason_code"])
        for key, row in segments(warehouse, f"types_{segment_type_id}").items()
    }
    expected = {
        row["customer_id"]: (Decimal(row["metric_cents"]) / 100, row["computed_tier"], row["reason_code"])
        for row in read_case(TYPES)
        if row["segment_type"] == segment_type_id
    }
    assert_same_values(found, expected, f"{TYPES}, {segment_type_id}")


def test_segment_types_windows(warehouse: Path) -> None:
    found = {
        row["segment_type_id"]: (str(row["window_from"]), str(row["window_to"]))
        for row in read_rows(
            warehouse,
            """
            select distinct segment_type_id, window_from, window_to
            from segmentation.fct_customer_segments
            where segment_type_id like 'types_%'
            """,
        )
    }
    expected = {
        f"types_{row['segment_type']}": (row["window_start"], row["window_end"])
        for row in read_case(TYPES, "segment_types.csv")
    }
    assert_same_values(found, expected, f"{TYPES}, windows")


# ---- R1 to R6: who crosses, who is negative, what is rounded ----


def test_dominant_customer_is_an_a(warehouse: Path) -> None:
    found = column(segments(warehouse, "dominant"), "computed_tier")
    assert_same_values(found, expected_column(DOMINANT, "default_upper"), f"{DOMINANT}, default_upper")


def test_negative_and_zero_net_sales(warehouse: Path) -> None:
    rows = segments(warehouse, "negative")
    assert_same_values(
        column(rows, "computed_tier"), expected_column(NEGATIVE, "default_tier"), f"{NEGATIVE}, default_tier"
    )
    assert_same_values(
        column(rows, "reason_code"), expected_column(NEGATIVE, "reason_code"), f"{NEGATIVE}, reason_code"
    )
    amounts = {row["customer_id"]: Decimal(row["net_sales"]) for row in read_case(NEGATIVE, "input.csv")}
    assert_same_values(column(rows, "metric_amount"), amounts, f"{NEGATIVE}, metric_amount")


def test_negative_net_sales_stay_out_of_the_denominator(warehouse: Path) -> None:
    positive = sum(max(Decimal(row["net_sales"]), Decimal(0)) for row in read_case(NEGATIVE, "input.csv"))
    concentration = read_rows(
        warehouse, "select * from segmentation.fct_segment_concentration where segment_type_id = 'negative'"
    )
    assert [row["eligible_amount"] for row in concentration] == [positive]


def test_running_share_adds_amounts_and_divides_once(warehouse: Path) -> None:
    rows = segments(warehouse, "rounded")
    # Published as a percentage with ten decimals, kept as a share with six.
    expected = {
        key: (Decimal(value) / 100).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        for key, value in expected_column(ROUNDED, "cumulated_exact").items()
    }
    assert_same_values(column(rows, "cumulative_share"), expected, f"{ROUNDED}, cumulated_exact")
    # Eleven equal customers: nobody is left without a tier, and equal amounts get equal tiers (R3).
    assert set(column(rows, "computed_tier").values()) == {"A"}
    assert set(column(rows, "share_before").values()) == {Decimal(0)}


def test_gini_of_a_small_vector(warehouse: Path) -> None:
    found = read_rows(
        warehouse, "select gini from segmentation.fct_segment_concentration where segment_type_id = 'gini'"
    )
    expected = [Decimal(row["gini"]).quantize(Decimal("0.000001"), ROUND_HALF_UP) for row in read_case(GINI)]
    assert [row["gini"] for row in found] == expected


@pytest.mark.parametrize("entity", ["product", "customer"])
@pytest.mark.parametrize(("name", "case"), [("sap", SAP), ("pypi", PYPI)])
def test_published_items_under_the_default_rule(warehouse: Path, name: str, case: str, entity: str) -> None:
    found = column(segments(warehouse, f"{name}_{entity}", entity), "computed_tier")
    # The placeholder every world sells is a product without sales.
    found.pop("P1", None)
    expected = expected_column(case, "default_cutpoint_upper", key="entity_id")
    assert_same_values(found, expected, f"{case}, default_cutpoint_upper, as {entity}s")
