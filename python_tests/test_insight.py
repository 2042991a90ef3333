"""What to do about costs, worked out again in plain Python on the sample: every row of the four marts.

Costs, profits, tiers and quadrants are taken as the marts have them, which have proofs of their own; what is compared
with whom, what would be freed, which price is too low and which product could go follows here with fractions and sets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import read_mart, read_rows
from worlds import SEEDS, assert_same_values, read_csv

Row = dict[str, Any]

# The vars of dbt_project.yml, written out: who changes one there should see that it changes a number here.
PEER_MINIMUM = 5
TARGET_NET_PROFIT_RATE = Fraction(5, 100)
LOW_PRODUCT_FIT = 2
CORE_CUSTOMERS_TOLERATED = 0

# What speaks for a product or against it.
REASONS = ["is_discontinued", "is_launched_in_period", "is_rated", "is_low_strategic_fit", "is_low_operational_fit"]
REASONS += ["is_bought_by_core"]


def rounded(value: Fraction | None, places: int) -> Decimal | None:
    """Half away from zero; of nothing, nothing."""
    if value is None:
        return None
    scaled = abs(value) * 10**places + Fraction(1, 2)
    whole = scaled.numerator // scaled.denominator
    return (Decimal(whole if value >= 0 else -whole) / 10**places).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def rate(part: Fraction, whole: Fraction) -> Decimal | None:
    """part / whole, where the whole is above zero."""
    return rounded(part / whole, 6) if whole > 0 else None


def picked(rows: Iterable[Row], key: list[str], columns: list[str]) -> dict[tuple, tuple]:
    """Some columns of every row, by its key."""
    return {tuple(row[column] for column in key): tuple(row[column] for column in columns) for row in rows}


@dataclass
class Sample:
    """What the marts are made of, as Python has it."""

    path: Path
    customers: dict[str, Row]
    period_from: date
    period_to: date
    as_of_date: date
    # customer → pool → cost
    costs: dict[str, dict[str, Fraction]]
    # pool → driver
    drivers: dict[str, str]
    lines: list[Row]


@pytest.fixture(scope="module")
def sample(sample_warehouse: Path) -> Sample:
    profits = read_mart(sample_warehouse, "cost_to_serve.fct_customer_profitability")
    customers = {row["customer_id"]: row for row in profits}
    anybody = next(iter(customers.values()))
    period_from, period_to = anybody["period_from"], anybody["period_to"]
    costs: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    drivers = {}
    for row in read_mart(sample_warehouse, "cost_to_serve.fct_cost_allocations"):
        if row["customer_id"] and period_from <= row["cost_month"] <= period_to:
            costs[row["customer_id"]][row["cost_pool_id"]] += Fraction(row["amount"])
            drivers[row["cost_pool_id"]] = row["driver"]
    lines = [
        row
        for row in read_rows(
            sample_warehouse,
            "select customer_id, product_id, order_key, invoice_date, document_type, net_sales"
            " from core.fct_invoice_lines",
        )
        if period_from <= row["invoice_date"] <= period_to
    ]
    return Sample(sample_warehouse, customers, period_from, period_to, anybody["as_of_date"], costs, drivers, lines)


def driver_units(sample: Sample) -> dict[tuple[str, str], Decimal]:
    """Units of every driver a customer used in the period."""
    units: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in read_mart(sample.path, "intermediate.int_cost_drivers_counted"):
        if row["customer_id"] and sample.period_from <= row["driver_month"] <= sample.period_to:
            units[row["customer_id"], row["driver"]] += row["quantity"]
    return units


def peers_of(sample: Sample, customer: Row) -> tuple[str | None, list[Row]]:
    """Whom a customer is compared with: itself left out by looking at everybody else, one by one."""
    others = [
        other
        for other in sample.customers.values()
        if other["customer_id"] != customer["customer_id"]
        and other["customer_kind"] == "trade"
        and other["net_sales"] > 0
        and other["organisation_id"] == customer["organisation_id"]
        and other["default_tier"] == customer["default_tier"]
    ]
    alike = [other for other in others if customer["industry"] and other["industry"] == customer["industry"]]
    if len(alike) >= PEER_MINIMUM:
        return "industry_and_tier", alike
    if len(others) >= PEER_MINIMUM:
        return "tier", others
    return None, []


def test_cost_drivers_are_the_three_largest_beside_those_of_peers(sample: Sample) -> None:
    units = driver_units(sample)
    expected = {}
    for customer_id, costs in sample.costs.items():
        customer = sample.customers[customer_id]
        net_sales, total = Fraction(customer["net_sales"]), sum(costs.values())
        largest = sorted((pool for pool in costs if costs[pool] > 0), key=lambda pool: (-costs[pool], pool))[:3]
        level, peers = peers_of(sample, customer)
        for place, pool in enumerate(largest, start=1):
            compared: tuple = (None, None, None, None, None)
            if level:
                peer_cost = sum((sample.costs[peer["customer_id"]][pool] for peer in peers), Fraction(0))
                peer_sales = sum((Fraction(peer["net_sales"]) for peer in peers), Fraction(0))
                usual = rounded(peer_cost / peer_sales * max(net_sales, Fraction(0)), 2)
                compared = (level, len(peers), rate(peer_cost, peer_sales), usual, rounded(costs[pool], 2) - usual)
            expected[customer_id, place] = (
                pool,
                units.get((customer_id, sample.drivers[pool])),
                rounded(costs[pool], 2),
                rate(costs[pool], total),
                rate(costs[pool], net_sales),
                *compared,
            )
    columns = ["cost_pool_id", "driver_quantity", "amount", "share_of_cost_to_serve", "cost_rate"]
    columns += ["peer_level", "peer_count", "peer_cost_rate", "expected_amount", "excess_amount"]
    rows = read_mart(sample.path, "cost_to_serve.fct_customer_cost_drivers")
    found = picked(rows, ["customer_id", "cost_rank"], columns)
    levels = {values[5] for values in expected.values()}
    assert levels == {"industry_and_tier", "tier", None}, "the sample shows every kind of comparison"
    assert_same_values(found, expected, "cost_to_serve.fct_customer_cost_drivers")


def test_savings_advice_frees_what_orders_and_returns_cost(sample: Sample) -> None:
    placed: dict[str, list[date]] = defaultdict(list)
    for row in read_rows(sample.path, "select * from staging.stg_erp__orders where record_status = 'staged'"):
        if row["order_date"] and sample.period_from <= row["order_date"] <= sample.period_to:
            placed[f"{row['source_system']}:{row['customer_id']}"].append(row["order_date"])
    units = driver_units(sample)
    expected = {}
    for customer_id, costs in sample.costs.items():
        days = placed[customer_id]
        weeks = {day.isocalendar()[:2] for day in days}
        of_orders = sum((cost for pool, cost in costs.items() if sample.drivers[pool] == "orders"), Fraction(0))
        freed = rounded(of_orders * (len(days) - len(weeks)) / len(days), 2) if days else Decimal(0)
        if freed > 0:
            expected[customer_id, "consolidate_orders"] = (len(days), len(weeks), rounded(of_orders, 2), freed)
        of_returns = sum(
            (cost for pool, cost in costs.items() if sample.drivers[pool] == "returns" or pool == "direct_return"),
            Fraction(0),
        )
        freed = rounded(of_returns / 2, 2)
        if freed > 0:
            returned = units.get((customer_id, "returns"), Decimal(0))
            expected[customer_id, "halve_returns"] = (returned, returned / 2, rounded(of_returns, 2), freed)
    kinds = Counter(advice for _, advice in expected)
    assert min(kinds["consolidate_orders"], kinds["halve_returns"]) >= 10, "the sample has cases of both"
    found = picked(
        read_mart(sample.path, "cost_to_serve.fct_savings_advice"),
        ["customer_id", "advice"],
        ["quantity", "advised_quantity", "affected_cost", "cost_freed"],
    )
    assert_same_values(found, expected, "cost_to_serve.fct_savings_advice")


def test_price_floors_pay_goods_service_and_profit(sample: Sample) -> None:
    orders: dict[str, set[str]] = defaultdict(set)
    for line in sample.lines:
        if line["document_type"] == "invoice":
            orders[line["customer_id"]].add(line["order_key"])
    expected = {}
    for customer_id, customer in sample.customers.items():
        count, net_sales = len(orders[customer_id]), Fraction(customer["net_sales"])
        full_cost = Fraction(customer["cost"]) + Fraction(customer["cost_to_serve"])
        unknown = abs(Fraction(customer["net_sales_of_unknown_cost"]))
        floor = full_cost / (1 - TARGET_NET_PROFIT_RATE)
        if not count or net_sales <= 0:
            status = "no_sales"
        elif unknown > floor * TARGET_NET_PROFIT_RATE:
            status = "cost_unknown"
        else:
            status = "computed"
        average = rounded(net_sales / count, 2) if count else None
        judged: tuple = (None, None, None, None)
        if status == "computed":
            at_least = rounded(floor / count, 2)
            judged = (at_least, average - at_least, rounded(floor / net_sales - 1, 6), net_sales < floor)
        expected[(customer_id,)] = (count, average, *judged, status)
    assert len({values[-1] for values in expected.values()}) == 3, "the sample has cases of every status"
    columns = ["order_count", "average_order_value", "price_floor_per_order", "gap_per_order"]
    columns += ["needed_price_change_rate", "is_below_floor", "price_floor_status"]
    found = picked(read_mart(sample.path, "cost_to_serve.fct_price_floors"), ["customer_id"], columns)
    assert_same_values(found, expected, "cost_to_serve.fct_price_floors")


def test_products_to_take_out_are_those_nothing_speaks_for(sample: Sample) -> None:
    fits = {row["product_id"]: row for row in read_csv(SEEDS / "product_fit.csv")}
    products = {row["product_id"]: row for row in read_mart(sample.path, "core.dim_products")}
    quadrants = read_mart(sample.path, "cost_to_serve.fct_customer_stratification")
    core = {row["customer_id"] for row in quadrants if row["quadrant"] == "Core"}
    assert core
    buyers: dict[str, set[str]] = defaultdict(set)
    core_sales: dict[str, Decimal] = defaultdict(Decimal)
    for line in sample.lines:
        if line["document_type"] == "invoice":
            buyers[line["product_id"]].add(line["customer_id"])
        if line["customer_id"] in core:
            core_sales[line["product_id"]] += line["net_sales"]
    expected = {}
    for segment in read_mart(sample.path, "segmentation.fct_product_segments"):
        product_id = segment["product_id"]
        # The only active product type of the sample that ranks by gross margin.
        if segment["segment_type_id"] != "product_margin" or segment["tier"] != "C":
            continue
        product, fit = products[product_id], fits.get(product_id)
        launched = product["launched_on"] or segment["first_invoice_date"]
        reasons = {
            "is_discontinued": bool(product["discontinued_on"] and product["discontinued_on"] <= sample.as_of_date),
            "is_launched_in_period": bool(launched and launched >= sample.period_from),
            "is_rated": fit is not None,
            "is_low_strategic_fit": int(fit["strategic_fit"]) <= LOW_PRODUCT_FIT if fit else None,
            "is_low_operational_fit": int(fit["operational_fit"]) <= LOW_PRODUCT_FIT if fit else None,
            "is_bought_by_core": len(buyers[product_id] & core) > CORE_CUSTOMERS_TOLERATED,
        }
        assert list(reasons) == REASONS
        fits_badly = bool(reasons["is_low_strategic_fit"] and reasons["is_low_operational_fit"])
        speaks_for_it = reasons["is_bought_by_core"] or reasons["is_discontinued"] or reasons["is_launched_in_period"]
        numbers = (len(buyers[product_id]), len(buyers[product_id] & core), core_sales[product_id])
        expected[(product_id,)] = (*numbers, *reasons.values(), fits_badly and not speaks_for_it)
    assert len(expected) >= 10
    assert any(all(values[6:8]) for values in expected.values()), "the sample has a product of low fit in both ways"
    columns = ["customer_count", "core_customer_count", "core_net_sales", *REASONS, "is_candidate"]
    found = picked(read_mart(sample.path, "cost_to_serve.fct_product_rationalisation"), ["product_id"], columns)
    assert_same_values(found, expected, "cost_to_serve.fct_product_rationalisation")
