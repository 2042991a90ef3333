"""R22: what must not change a tier does not. Shuffled rows, every file landed twice, other ids, ten times the money.

Each variant is made from the raw files of the sample, lands only the tables that tiers and costs need, and is built under
the wide configuration; its tiers must be those of the untouched sample, and its costs but for the cents that ids decide.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLE_RAW, Build, build, read_rows
from proof_data import PROOF_VARS, multiply_money, recomputed, rename, scaled, wide_configuration
from recompute import NET_PROFIT, TABLES, Configuration, read_csv
from worlds import assert_same_values, write_csv

NEEDED = [
    *("erp.customers", "erp.products", "erp.branches", "erp.sales_reps", "erp.exchange_rates"),
    *("erp.invoices", "erp.invoice_lines", "erp.contracts", "crm.accounts"),
    *("erp.orders", "erp.order_lines", "erp.cost_ledger", "erp.driver_quantities", "crm.activities"),
    *("tpl.shipments", "tpl.charges", "tpl.returns"),
]
# The native ids of one kind of thing, wherever a raw table or a seed names them.
ID_COLUMNS = {
    "customer": ("customer_id", "parent_customer_id", "erp_customer_id"),
    "product": ("product_id",),
    "branch": ("branch_id",),
    "sales_rep": ("sales_rep_id", "manager_id"),
    "order": ("order_id",),
    "invoice": ("invoice_id", "original_invoice_id"),
    "contract": ("contract_id",),
    "account": ("account_id", "parent_account_id"),
    "owner": ("owner_id",),
}
KIND_OF_COLUMN = {column: kind for kind, columns in ID_COLUMNS.items() for column in columns}
AMOUNTS = {
    "erp.invoice_lines": ("list_amount", "discount_amount", "net_amount", "cost_amount"),
    "erp.contracts": ("committed_annual_amount",),
    "erp.cost_ledger": ("amount",),
    "tpl.charges": ("amount",),
}

Rows = dict[str, list[dict[str, str | None]]]
Tiers = dict[tuple[str, str], dict[str, Any]]


def sample_rows() -> Rows:
    """The raw rows that tiers and costs follow from."""
    return {table: read_csv(SAMPLE_RAW / f"{table.replace('.', '/')}.csv") for table in NEEDED}


def land(rows: Rows, folder: Path) -> Path:
    """Write a raw folder."""
    for table, table_rows in rows.items():
        write_csv(folder / f"{table.replace('.', '/')}.csv", list(table_rows[0]), table_rows)
    return folder


def build_variant(
    folder: Path,
    rows: Rows,
    change: Callable[[Path], Path] = lambda configuration: configuration,
    **variables: Any,
) -> Build:
    """Land and build a variant of the sample, under the wide configuration or what ``change`` makes of it."""
    absent_tables = [table for table in TABLES if table not in rows]
    return build(
        land(rows, folder / "raw"),
        change(wide_configuration(folder / "variant_configuration")),
        folder / "warehouse",
        vars={**PROOF_VARS, **variables, "absent_tables": absent_tables},
        exclude="resource_type:test resource_type:unit_test",
    )


def tiers(path: Path, *columns: str) -> Tiers:
    """Tier and reason, and other columns, of every customer and product under every segment type."""
    shown = ", ".join(("tier", "computed_tier", "tier_source", "reason_code", "override_id", "hysteresis_status", *columns))
    found: Tiers = {}
    for entity in ("customer", "product"):
        for row in read_rows(path, f"select segment_type_id, {entity}_id, {shown} from segmentation.fct_{entity}_segments"):
            found[row.pop("segment_type_id"), row.pop(f"{entity}_id")] = row
    assert found
    return found


def customer_costs(path: Path) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
    """Charges and shares of pools of every customer in every month."""
    rows = read_rows(path, "select customer_id, cost_month, direct_charges, allocated_cost from cost_to_serve.fct_customer_costs")
    assert rows
    return {(row["customer_id"], row["cost_month"]): (row["direct_charges"], row["allocated_cost"]) for row in rows}


# What customers are graded by, of the metrics that need none of the tables the variants lack (R17).
GRADED = (
    *("net_sales", "average_order_value", "months_active", "months_with_sales", "product_count"),
    *("gross_margin", "gross_margin_rate", "days_to_pay"),
)


def grades(path: Path) -> dict[str, dict[str, Any]]:
    """The grades and the value axis of every customer."""
    shown = ", ".join(f"{metric}_grade" for metric in GRADED)
    query = f"select customer_id, value_axis, {shown} from cost_to_serve.fct_customer_stratification"
    found = {row.pop("customer_id"): row for row in read_rows(path, query)}
    assert {row["net_sales_grade"] for row in found.values()} == {"A", "B", "C", "D", None}
    return found


# ---- Shuffled, and landed twice ----


@pytest.fixture(scope="session")
def landed_twice(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Every raw row twice, in any order."""
    rows = sample_rows()
    shuffle = random.Random(22).shuffle
    for table_rows in rows.values():
        table_rows += [dict(row) for row in table_rows]
        shuffle(table_rows)
    return build_variant(tmp_path_factory.mktemp("landed_twice"), rows)


def test_shuffled_rows_that_landed_twice_give_the_same_tiers_and_numbers(
    wide_warehouse: Build, landed_twice: Build
) -> None:
    numbers = ("net_sales", "metric_amount", "outlier_amount", "entity_id", "sales_rank", "share_before", "cumulative_share")
    assert_same_values(tiers(landed_twice.path, *numbers), tiers(wide_warehouse.path, *numbers), "landed twice")


def test_shuffled_rows_that_landed_twice_cost_the_same(wide_warehouse: Build, landed_twice: Build) -> None:
    assert_same_values(customer_costs(landed_twice.path), customer_costs(wide_warehouse.path), "landed twice")


def test_shuffled_rows_that_landed_twice_give_the_same_grades(wide_warehouse: Build, landed_twice: Build) -> None:
    assert_same_values(grades(landed_twice.path), grades(wide_warehouse.path), "landed twice")


def test_a_second_copy_of_everything_adds_no_staged_row(wide_warehouse: Build, landed_twice: Build) -> None:
    def counts(path: Path, *statuses: str) -> Mapping[Any, int]:
        query = (
            "select source_table, record_status, sum(record_count)::bigint as records"
            " from audit.fct_record_counts group by all"
        )
        return {
            row["source_table"]: row["records"]
            for row in read_rows(path, query)
            if row["source_table"] in NEEDED and row["record_status"] in statuses
        }

    assert counts(landed_twice.path, "staged") == counts(wide_warehouse.path, "staged")
    everything = "select source_table, sum(record_count)::bigint as records from audit.fct_record_counts group by all"
    landed = {row["source_table"]: row["records"] for row in read_rows(landed_twice.path, everything)}
    assert {table: landed[table] for table in NEEDED} == {table: 2 * len(rows) for table, rows in sample_rows().items()}


# ---- Other ids ----


def renaming() -> dict[str, Callable[[str], str]]:
    """Per kind of thing a new name for every native id, in the opposite order, so that no tie is broken as before."""
    names: dict[str, set[str]] = {kind: set() for kind in ID_COLUMNS}
    for table_rows in sample_rows().values():
        for row in table_rows:
            for column, value in row.items():
                if column in KIND_OF_COLUMN and value is not None:
                    names[KIND_OF_COLUMN[column]].add(value)
    new_names = {
        kind: {old: f"{kind}/{len(known) - position:06}" for position, old in enumerate(sorted(known))}
        for kind, known in names.items()
    }
    # What nothing is called (an override for nobody) keeps its name.
    return {kind: lambda old, new=new: new.get(old, old) for kind, new in new_names.items()}


def renamed_global(new_name: Callable[[str], str], global_id: str) -> str:
    """A global id under its new native id; VAT numbers are no ids of ours."""
    system, native = global_id.split(":", 1)
    return global_id if system == "vat" else f"{system}:{new_name(native)}"


@pytest.fixture(scope="session")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample with other ids throughout."""
    new_names = renaming()
    rows = {
        table: [
            {
                column: new_names[KIND_OF_COLUMN[column]](value) if column in KIND_OF_COLUMN and value is not None else value
                for column, value in row.items()
            }
            for row in table_rows
        ]
        for table, table_rows in sample_rows().items()
    }
    return build_variant(
        tmp_path_factory.mktemp("renamed"),
        rows,
        lambda configuration: rename(
            configuration, lambda kind, global_id: renamed_global(new_names[kind], global_id)
        ),
    )


def test_other_ids_give_the_same_tiers_and_numbers(wide_warehouse: Build, renamed: Build) -> None:
    # Ids order the display rank and the running share among equals (R3), so these two are left out.
    columns = ("net_sales", "metric_amount", "outlier_amount", "share_before", "entity_id")
    new_names = renaming()
    types = Configuration.read(wide_warehouse.path.parent / "configuration").segment_types
    # Where a type asks for ties to be split, ids decide between equals: that is what the option means.
    # And they decide who bears a cent of a pool, so that profits move by cents.
    compared = {
        segment_type
        for segment_type, options in types.items()
        if options["ties"] == "together" and options["metric"] != NET_PROFIT
    }
    expected: Tiers = {}
    for (segment_type, member), row in tiers(wide_warehouse.path, *columns).items():
        new_name = new_names[types[segment_type]["entity"]]
        row["entity_id"] = renamed_global(new_name, row["entity_id"])
        if segment_type in compared:
            expected[segment_type, renamed_global(new_name, member)] = row
    found = {key: row for key, row in tiers(renamed.path, *columns).items() if key[0] in compared}
    assert_same_values(found, expected, "renamed")


def test_other_ids_move_a_cent_of_each_pool_at_most(wide_warehouse: Build, renamed: Build) -> None:
    rename_customer = renaming()["customer"]
    pools = [row["cost_pool_id"] for row in read_csv(wide_warehouse.path.parent / "configuration" / "cost_pools.csv")]
    found = customer_costs(renamed.path)
    expected = {
        (renamed_global(rename_customer, customer), month): costs
        for (customer, month), costs in customer_costs(wide_warehouse.path).items()
    }
    assert found.keys() == expected.keys()
    limit = Decimal(len(pools)) / 100
    far = {
        key: (found[key], costs)
        for key, costs in expected.items()
        if found[key][0] != costs[0] or abs(found[key][1] - costs[1]) > limit
    }
    assert not far
    assert sum(costs[1] for costs in found.values()) == sum(costs[1] for costs in expected.values())


def test_other_ids_give_the_same_grades(wide_warehouse: Build, renamed: Build) -> None:
    new_name = renaming()["customer"]
    expected = {renamed_global(new_name, customer): row for customer, row in grades(wide_warehouse.path).items()}
    assert_same_values(grades(renamed.path), expected, "renamed")


# ---- Ten times the money ----


@pytest.fixture(scope="session")
def tenfold(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample with ten times the money on every line and contract, and every limit in money ten times as high."""
    rows = sample_rows()
    for table, columns in AMOUNTS.items():
        for row in rows[table]:
            row.update({column: scaled(row[column], 10) for column in columns})
    return build_variant(
        tmp_path_factory.mktemp("tenfold"),
        rows,
        lambda configuration: multiply_money(configuration, 10),
        outlier_minimum_amount=10 * PROOF_VARS["outlier_minimum_amount"],
    )


def test_ten_times_the_sales_give_the_same_tiers(wide_warehouse: Build, tenfold: Build) -> None:
    assert_same_values(tiers(tenfold.path), tiers(wide_warehouse.path), "tenfold")


def test_ten_times_the_sales_give_the_same_grades(wide_warehouse: Build, tenfold: Build) -> None:
    assert_same_values(grades(tenfold.path), grades(wide_warehouse.path), "tenfold")


def test_ten_times_the_sales_are_ten_times_the_sales(wide_warehouse: Build, tenfold: Build) -> None:
    """To the cent where no currency is converted; a converted line rounds once in either world."""
    query = "select sum(net_sales) as net_sales from core.fct_invoice_lines where currency = 'EUR'"
    [before], [after] = read_rows(wide_warehouse.path, query), read_rows(tenfold.path, query)
    assert after["net_sales"] == 10 * before["net_sales"]


def test_the_recomputation_has_the_same_properties(wide_warehouse: Build, landed_twice: Build) -> None:
    """The second opinion, too, finds nothing new in a second copy of everything."""
    configuration = wide_warehouse.path.parent / "configuration"
    once = recomputed(SAMPLE_RAW, configuration, PROOF_VARS)
    twice = recomputed(landed_twice.path.parents[1] / "raw", configuration, PROOF_VARS)
    for segment_type in once.configuration.segment_types:
        assert twice.members(segment_type) == once.members(segment_type)
