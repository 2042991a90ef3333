"""Worked examples with known answers, through the whole project: raw folder, configuration folder, a build, marts.

Each example is a world of its own: an organisation with its source system, customers, products and segment types. One
build serves all examples of one day; two of them need other days. An example with answers under more than one option
has a segment type for each. The examples lie in ``../shared/cases`` beside the project; without them the tests are
skipped.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import build, read_rows
from worlds import (
    DBT_TESTS,
    Cells,
    Raw,
    absolute_tiers,
    assert_same_values,
    read_case,
    segment_type,
    tiers,
    write_configuration,
)

# One day serves nearly every example: their sales fall into the twelve months before it, and nobody is new by accident.
AS_OF = "2025-12-31"
FIRST_MONTH_END = "2025-01-31"
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
COUNT = "abc_count_based_10items"
OCA = "abc_oca_fixed_thresholds_window"
XYZ = "abcxyz_supplychainpy_39skus"
OVERRIDES = "contract_override_precedence"
HYSTERESIS = "contract_hysteresis_n2"
MIGRATION = "migration_matrix_4x4"

# The options an example has answers for, by the column that holds them: what the segment type says besides its shares.
ITEM_OPTIONS: dict[str, dict[str, Cells]] = {
    SAP: {
        "default_cutpoint_upper": {},
        "published_class": {"method": "sequential_quota"},
        "cutpoint_lower": {"boundary": "lower"},
    },
    PYPI: {"default_cutpoint_upper": {}, "published_class_lower": {"boundary": "lower"}},
    COUNT: {"published_class": {"method": "count"}},
}
ITEM_SHARES: dict[str, Cells] = {
    SAP: {"A": "0.70", "B": "0.20", "C": "0.10"},
    PYPI: {"A": "0.80", "B": "0.15", "C": "0.05"},
    COUNT: {"A": "0.20", "B": "0.30", "C": "0.50"},
}


class Worlds:
    """Raw rows and configuration of some examples together."""

    def __init__(self) -> None:
        self.raw = Raw()
        self.organisations: list[Cells] = []
        self.types: list[Cells] = []
        self.tiers: list[Cells] = []
        self.branches: list[Cells] = []
        self.brands: list[Cells] = []
        self.overrides: list[Cells] = []

    def organisation(self, name: str) -> None:
        """An organisation that owns the source system of the same name, with a product to sell."""
        self.organisations.append({"organisation_id": name, "name": name, "source_system": name})
        self.raw.product(name, "P1")

    def type(
        self,
        segment_type_id: str,
        organisation: str,
        default: str | None = None,
        excluded: str | None = None,
        shares: Cells | None = None,
        minimums: Cells | None = None,
        **cells: Any,
    ) -> None:
        """A segment type of one organisation with its tiers; minimum amounts make it one of method absolute."""
        if minimums:
            cells["method"] = "absolute"
            self.tiers += absolute_tiers(segment_type_id, default=default, excluded=excluded, **minimums)
        else:
            self.tiers += tiers(segment_type_id, default=default, excluded=excluded, **(shares or {}))
        self.types.append(segment_type(segment_type_id, organisation_id=organisation, **cells))

    def build(self, folder: Path, as_of: str, first_month_end: str) -> Path:
        """A build of these worlds into ``<folder>/warehouse``; returns the file. Another day is the next night."""
        configuration = folder / f"seeds_{as_of}"
        write_configuration(
            configuration,
            replace={
                "organisations": self.organisations,
                "segment_types": self.types,
                "segment_tiers": self.tiers,
                "segment_type_branches": self.branches,
                "segment_type_brands": self.brands,
                "segment_overrides": self.overrides,
            },
        )
        variables = {
            "as_of_date": as_of,
            "first_month_end": first_month_end,
            "absent_tables": self.raw.absent_tables(),
        }
        raw = self.raw.write(folder / "raw")
        return build(raw, configuration, folder / "warehouse", vars=variables, exclude=DBT_TESTS).path


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


def add_customers(name: str, case: str, options: dict[str, Cells] | None = None) -> Callable[[Worlds], None]:
    """The plain examples: net sales per customer, tiers 80/15/5; and the same under the options of other types."""

    def add(worlds: Worlds) -> None:
        worlds.organisation(name)
        worlds.type(name, name)
        for segment_type_id, cells in (options or {}).items():
            worlds.type(segment_type_id, name, **cells)
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


def items_of(case: str) -> dict[str, Decimal]:
    """The items of an example and what each is worth."""
    if case == COUNT:
        return {
            row["item_id"]: Decimal(row["annual_demand"]) * Decimal(row["unit_cost"])
            for row in read_case(case, "input.csv")
        }
    return {row["entity_id"]: Decimal(row["value"]) for row in read_case(case, "input.csv")}


def add_items(case: str) -> Callable[[Worlds], None]:
    """Items ranked as products, and as the customers of the same names who each buy one of them, under every option."""

    def add(worlds: Worlds) -> None:
        worlds.organisation(case)
        for option, cells in ITEM_OPTIONS[case].items():
            for entity in ("product", "customer"):
                worlds.type(f"{case}_{option}_{entity}", case, shares=ITEM_SHARES[case], entity=entity, **cells)
        for item, value in items_of(case).items():
            worlds.raw.customer(case, item)
            worlds.raw.product(case, item)
            worlds.raw.sale(case, item, INSIDE, value, product_id=item)

    return add


def add_xyz(worlds: Worlds) -> None:
    """A year of monthly demand, sold to one customer."""
    worlds.organisation("xyz")
    worlds.type(
        "xyz",
        "xyz",
        shares={"A": "0.80", "B": "0.10", "C": "0.10"},
        entity="product",
        boundary="lower",
        xyz_x_limit="0.20",
        xyz_y_limit="0.60",
    )
    worlds.raw.customer("xyz", "everybody")
    rows = read_case(XYZ, "input.csv")
    for sku in sorted({row["sku"] for row in rows}):
        worlds.raw.product("xyz", sku)
    for row in rows:
        month = MONTHS.index(row["month"]) + 1
        worlds.raw.sale(
            "xyz",
            "everybody",
            f"2025-{month:02}-15",
            Decimal(row["demand"]) * Decimal(row["retail_price"]),
            product_id=row["sku"],
            line_cells={"quantity": row["demand"]},
        )


MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def add_hysteresis(worlds: Worlds) -> None:
    """Each month's sales alone decide the candidate of its end; all months after the example's are without sales."""
    worlds.organisation("hysteresis")
    worlds.type(
        "hysteresis",
        "hysteresis",
        minimums={"A": "100", "B": "50", "C": "0"},
        timespan_months="1",
        new_customer_days="0",
        hysteresis_months="2",
    )
    amounts = {"A": "100", "B": "99.99", "C": "0.01"}
    rows = read_case(HYSTERESIS, "input.csv")
    for customer in sorted({row["customer_id"] for row in rows}):
        worlds.raw.customer("hysteresis", customer)
    for row in rows:
        worlds.raw.sale("hysteresis", row["customer_id"], row["run_date"], amounts[row["computed_tier"]])


def month_end(day: str) -> date:
    """The last day of a day's month."""
    found = date.fromisoformat(day)
    return found.replace(day=monthrange(found.year, found.month)[1])


MIGRATION_MONTHS = ("2025-10-31", "2025-11-30")


def add_migration(worlds: Worlds) -> None:
    """Five hundred customers who buy in two months; each month's sales decide the tier at its end."""
    worlds.organisation("migration")
    worlds.type(
        "migration",
        "migration",
        minimums={"A": "1000", "B": "500", "C": "100", "D": "0"},
        timespan_months="1",
        new_customer_days="0",
    )
    amounts = {"A": "2500", "B": "500", "C": "100.01", "D": "99.99"}
    for row in read_case(MIGRATION, "input.csv"):
        for number in range(int(row["customers"])):
            customer = f"{row['from_class']}{row['to_class']}{number}"
            worlds.raw.customer("migration", customer)
            for day, tier in zip(MIGRATION_MONTHS, (row["from_class"], row["to_class"]), strict=True):
                worlds.raw.sale("migration", customer, day, amounts[tier])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples of one day in one build."""
    worlds = Worlds()
    for add in (
        add_hierarchy,
        add_types,
        add_customers("dominant", DOMINANT, {"dominant_lower": {"boundary": "lower"}}),
        add_customers("negative", NEGATIVE),
        add_customers("rounded", ROUNDED),
        add_gini,
        *(add_items(case) for case in ITEM_OPTIONS),
        add_xyz,
        add_hysteresis,
        add_migration,
    ):
        add(worlds)
    return worlds.build(tmp_path_factory.mktemp("cases"), AS_OF, FIRST_MONTH_END)


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


@pytest.mark.parametrize(
    ("segment_type_id", "answer"), [("dominant", "default_upper"), ("dominant_lower", "lower")]
)
def test_dominant_customer_is_an_a_unless_the_boundary_is_the_lower(
    warehouse: Path, segment_type_id: str, answer: str
) -> None:
    found = column(segments(warehouse, segment_type_id), "computed_tier")
    assert_same_values(found, expected_column(DOMINANT, answer), f"{DOMINANT}, {answer}")


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
        warehouse,
        f"""
        select * from segmentation.fct_segment_concentration
        where segment_type_id = 'negative' and as_of_date = date '{AS_OF}'
        """,
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
        warehouse,
        f"""
        select gini from segmentation.fct_segment_concentration
        where segment_type_id = 'gini' and as_of_date = date '{AS_OF}'
        """,
    )
    expected = [Decimal(row["gini"]).quantize(Decimal("0.000001"), ROUND_HALF_UP) for row in read_case(GINI)]
    assert [row["gini"] for row in found] == expected


# ---- R1, R2: published answers under other methods and boundaries ----


@pytest.mark.parametrize("entity", ["product", "customer"])
@pytest.mark.parametrize(
    ("case", "answer"), [(case, answer) for case, options in ITEM_OPTIONS.items() for answer in options]
)
def test_published_items(warehouse: Path, case: str, answer: str, entity: str) -> None:
    rows = segments(warehouse, f"{case}_{answer}_{entity}", entity)
    # The placeholder every world sells is a product without sales.
    rows.pop("P1", None)
    expected = expected_column(case, answer, key="item_id" if case == COUNT else "entity_id")
    assert_same_values(column(rows, "computed_tier"), expected, f"{case}, {answer}, as {entity}s")
    assert_same_values(column(rows, "metric_amount"), items_of(case), f"{case}, amounts as {entity}s")


@pytest.mark.parametrize("answer", ITEM_OPTIONS[PYPI])
def test_the_totals_of_the_tiers_are_the_sums_of_their_rows(warehouse: Path, answer: str) -> None:
    """The page that published the example prints a summary that its own table contradicts."""
    summary = {
        row["tier"]: row["net_sales"]
        for row in read_rows(
            warehouse,
            f"""
            select tier, net_sales from segmentation.fct_segment_summary
            where segment_type_id = '{PYPI}_{answer}_customer' and as_of_date = date '{AS_OF}'
            """,
        )
    }
    expected: dict[str, Decimal] = defaultdict(Decimal)
    values = items_of(PYPI)
    for item, tier in expected_column(PYPI, answer, key="entity_id").items():
        expected[tier] += values[item]
    assert_same_values(summary, expected, f"{PYPI}, {answer}, totals")
    if answer == "published_class_lower":
        # By the published table; the published summary says 16000 for B.
        assert (summary["A"], summary["B"]) == (69000, 22000)


# ---- R2, R11: fixed amounts, and windows that end on the day itself ----

OCA_AS_OF = "2021-04-01"
# Rolling windows that end on the first of April; all but the longest begin on the second of a month.
OCA_TIMESPANS = {"2021-01-01": "12", "2021-02-01": "3", "2021-03-01": "2", "2021-04-01": "1"}


@pytest.fixture(scope="module")
def fixed_thresholds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's own day; and the same sales once more with its final assertion, 20,000 sold on that day."""
    worlds = Worlds()
    for name in ("oca", "lifted"):
        worlds.organisation(name)
        for timespan in OCA_TIMESPANS.values():
            for entity in ("product", "customer"):
                worlds.type(
                    f"{name}_{timespan}_{entity}",
                    name,
                    minimums={"A": "10000", "B": "5000", "C": "2500", "D": "0"},
                    entity=entity,
                    timespan_months=timespan,
                    window_end="as_of_date",
                    new_customer_days="0",
                )
        rows = read_case(OCA, "input.csv")
        for item in sorted({row["product_id"] for row in rows}):
            worlds.raw.customer(name, item)
            worlds.raw.product(name, item)
        for row in rows:
            item = row["product_id"]
            worlds.raw.sale(name, item, row["order_date"], row["delivered_value"], product_id=item)
    worlds.raw.sale("lifted", "p1", OCA_AS_OF, "20000", product_id="p1")
    return worlds.build(tmp_path_factory.mktemp("oca"), OCA_AS_OF, OCA_AS_OF)


@pytest.mark.parametrize("entity", ["product", "customer"])
@pytest.mark.parametrize("from_date", OCA_TIMESPANS)
def test_fixed_thresholds(fixed_thresholds: Path, from_date: str, entity: str) -> None:
    rows = segments(fixed_thresholds, f"oca_{OCA_TIMESPANS[from_date]}_{entity}", entity)
    rows.pop("P1", None)
    found = {item: (row["metric_amount"], row["computed_tier"]) for item, row in rows.items()}
    answers = [row for row in read_case(OCA) if row["from_date"] == from_date]
    for source in ("recomputed", "published"):
        expected = {
            row["product_id"]: (Decimal(row[f"{source}_amount"]), row[f"{source}_class"])
            for row in answers
            # The published comment forgets here that the calendar in the same file has no such sale.
            if source == "recomputed" or (row["from_date"], row["product_id"]) != ("2021-04-01", "p4")
        }
        compared = {item: values for item, values in found.items() if item in expected}
        assert_same_values(compared, expected, f"{OCA}, {source}, {from_date}, as {entity}s")


@pytest.mark.parametrize("timespan", OCA_TIMESPANS.values())
def test_a_sale_on_the_last_day_of_the_window_counts(fixed_thresholds: Path, timespan: str) -> None:
    before = segments(fixed_thresholds, f"oca_{timespan}_product", "product")
    after = segments(fixed_thresholds, f"lifted_{timespan}_product", "product")
    assert after["p1"]["computed_tier"] == "A"
    assert after["p1"]["metric_amount"] == before["p1"]["metric_amount"] + 20000
    others = [item for item in before if item != "p1"]
    # Fixed amounts: who becomes larger takes nobody's place.
    assert [after[item]["computed_tier"] for item in others] == [before[item]["computed_tier"] for item in others]


# ---- R23: XYZ ----


def test_abc_xyz_cells(warehouse: Path) -> None:
    rows = segments(warehouse, "xyz", "product")
    found = {sku: row["abc_xyz"] for sku, row in rows.items() if row["abc_xyz"] == "AY"}
    assert_same_values(found, expected_column(XYZ, "published_abc_xyz", key="sku"), f"{XYZ}, AY")
    assert all(row["abc_xyz"] == row["tier"] + row["xyz_class"] for row in rows.values())


def test_abc_xyz_numbers(warehouse: Path) -> None:
    rows = segments(warehouse, "xyz", "product")
    answers = read_case(XYZ)
    found = {
        row["sku"]: (
            rows[row["sku"]]["monthly_quantity_mean"],
            rows[row["sku"]]["squared_variation"].sqrt().quantize(Decimal("0.001"), ROUND_HALF_UP),
            rows[row["sku"]]["net_sales"],
        )
        for row in answers
    }
    expected = {
        row["sku"]: (
            (Decimal(row["total_orders"]) / 12).quantize(Decimal("0.0001"), ROUND_HALF_UP),
            Decimal(row["demand_variability"]),
            Decimal(row["revenue"]),
        )
        for row in answers
    }
    assert_same_values(found, expected, f"{XYZ}, mean, variation and revenue")


# ---- R10: who decides ----

OVERRIDE_TIERS = {"A": "1000", "B": "500", "C": "0"}
# The day in the middle of a month and the last one are days a build is asked for; the other two are month-ends.
OVERRIDE_AS_OFS = ("2025-04-15", "2026-01-31")


def override_world() -> Worlds:
    """The example's customers with sales that give them its tiers by computation in every window; c8 never bought."""
    worlds = Worlds()
    worlds.organisation("overrides")
    worlds.type("overrides", "overrides", default="N", excluded="VIP", minimums=OVERRIDE_TIERS, new_customer_days="0")
    amounts = {"A": "1000", "B": "999.99", "C": "20"}
    for row in read_case(OVERRIDES, "auto.csv"):
        worlds.raw.customer("overrides", row["customer_id"], created_on="2024-06-01")
        if row["computed_tier"] != "N":
            for day in ("2024-10-10", "2025-10-10"):
                worlds.raw.sale("overrides", row["customer_id"], day, amounts[row["computed_tier"]])
    for row in read_case(OVERRIDES, "input.csv"):
        cells = {name: cell for name, cell in row.items() if name != "customer_id"}
        worlds.overrides.append(
            cells | {"segment_type_id": "overrides", "entity_id": f"overrides:{row['customer_id']}"}
        )
    return worlds


@pytest.fixture(scope="module")
def overridden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Cells]]:
    """What marts and findings say on the example's four days, by day and customer: two nights, and the months."""
    folder = tmp_path_factory.mktemp("overrides")
    worlds = override_world()
    found: dict[str, dict[str, Cells]] = {}
    for as_of in OVERRIDE_AS_OFS:
        path = worlds.build(folder, as_of, FIRST_MONTH_END)
        rejected = {
            native(row["entity_id"]): f"{row['override_id']}:{row['problem']}"
            for row in read_rows(path, "select * from audit.findings_inert_overrides")
        }
        found[as_of] = {
            customer: row | {"rejected": rejected.get(customer, "")}
            for customer, row in segments(path, "overrides").items()
        }
    for row in read_rows(path, "select * from segmentation.fct_customer_segments_monthly"):
        if str(row["month_end"]) not in OVERRIDE_AS_OFS:
            found.setdefault(str(row["month_end"]), {})[native(row["customer_id"])] = row
    return found


OVERRIDE_COLUMNS = ("computed_tier", "tier", "tier_source", "override_id")


@pytest.mark.parametrize("day", ["2025-01-31", "2025-04-15", "2025-05-31", "2026-01-31"])
def test_override_precedence(overridden: dict[str, dict[str, Cells]], day: str) -> None:
    found = {
        customer: tuple(row[name] or "" for name in OVERRIDE_COLUMNS) for customer, row in overridden[day].items()
    }
    expected = {
        row["customer_id"]: tuple(row[name] for name in OVERRIDE_COLUMNS)
        for row in read_case(OVERRIDES)
        if row["as_of"] == day
    }
    assert_same_values(found, expected, f"{OVERRIDES}, {day}")
    automatic = {row["customer_id"]: row["computed_tier"] for row in read_case(OVERRIDES, "auto.csv")}
    assert_same_values(column(overridden[day], "computed_tier"), automatic, f"{OVERRIDES}, computed_tier on {day}")


@pytest.mark.parametrize("day", OVERRIDE_AS_OFS)
def test_an_override_nobody_approved_is_listed_until_it_has_run_out(
    overridden: dict[str, dict[str, Cells]], day: str
) -> None:
    found = column(overridden[day], "rejected")
    expected = {
        row["customer_id"]: row["rejected"].replace("unapproved", "not approved")
        for row in read_case(OVERRIDES)
        if row["as_of"] == day
    }
    assert_same_values(found, expected, f"{OVERRIDES}, rejected on {day}")


def test_the_reason_stands_beside_the_tier_and_exclusion_beside_both(overridden: dict[str, dict[str, Cells]]) -> None:
    reasons = {row["override_id"]: row["reason"] for row in read_case(OVERRIDES, "input.csv")}
    for day in OVERRIDE_AS_OFS:
        for customer, row in overridden[day].items():
            assert row["override_reason"] == reasons.get(row["override_id"]), f"{customer} on {day}"
    for day, customers in overridden.items():
        excluded = {customer for customer, row in customers.items() if row["reason_code"] == "excluded"}
        assert excluded == {"c7"}, f"{day}: an override into an excluded tier takes its customer out, and no other"


# ---- R20: hysteresis ----


def test_hysteresis(warehouse: Path) -> None:
    answers = {(month_end(row["run_date"]), row["customer_id"]): row for row in read_case(HYSTERESIS)}
    rows = read_rows(
        warehouse,
        "select * from segmentation.fct_customer_segments_monthly where segment_type_id = 'hysteresis'",
    )
    found = {
        (row["month_end"], native(row["customer_id"])): (
            row["computed_tier"],
            row["tier"],
            row["pending_tier"] or "",
            row["pending_months"],
            row["hysteresis_status"],
            row["tier_source"],
        )
        for row in rows
        if row["month_end"] <= max(day for day, _ in answers)
    }
    expected = {
        key: (
            row["computed_tier"],
            row["applied_tier"],
            row["pending_tier"],
            int(row["pending_months"]),
            row["status"],
            "computed" if row["computed_tier"] == row["applied_tier"] else "hysteresis",
        )
        for key, row in answers.items()
    }
    assert_same_values(found, expected, HYSTERESIS)


# ---- Migration ----


def test_migration_matrix(warehouse: Path) -> None:
    rows = read_rows(
        warehouse,
        f"""
        select * from segmentation.fct_segment_migration
        where segment_type_id = 'migration' and month_end = date '{MIGRATION_MONTHS[1]}'
        """,
    )
    assert {str(row["previous_month_end"]) for row in rows} == {MIGRATION_MONTHS[0]}
    found = {(row["from_tier"], row["to_tier"]): (row["member_count"], row["from_share"]) for row in rows}
    expected = {
        (row["from_class"], row["to_class"]): (int(row["customers"]), Decimal(row["row_share"]))
        for row in read_case(MIGRATION)
    }
    assert_same_values(found, expected, MIGRATION)
    movements: Counter[str] = Counter()
    for row in rows:
        movements[row["movement"]] += row["member_count"]
    # A report that only counts customers per tier shows no change, although more than half of them have moved.
    stayed = sum(count for (before, after), (count, _) in expected.items() if before == after)
    better = sum(count for (before, after), (count, _) in expected.items() if before > after)
    assert movements == {"same": stayed, "better": better, "worse": 500 - stayed - better}
    assert stayed == 248


def test_migration_margins_are_the_counts_of_the_summary(warehouse: Path) -> None:
    counts = {
        (str(row["as_of_date"]), row["tier"]): row["member_count"]
        for row in read_rows(
            warehouse, "select * from segmentation.fct_segment_summary where segment_type_id = 'migration'"
        )
    }
    margins: Counter[tuple[str, str]] = Counter()
    for row in read_case(MIGRATION):
        margins[MIGRATION_MONTHS[0], row["from_class"]] += int(row["customers"])
        margins[MIGRATION_MONTHS[1], row["to_class"]] += int(row["customers"])
    found = {key: count for key, count in counts.items() if key[0] in MIGRATION_MONTHS}
    assert_same_values(found, margins, f"{MIGRATION}, members per tier")
