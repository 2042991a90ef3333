"""The core results as an analyst would compute them with pandas: ``python -m benchmarks.analyst RAW OUT``.

The same configuration, date and faultless raw data as ``handwritten.sql``, everything in memory, whole columns at a time. Amounts
are whole cents, for floats would not add up to the same decimals. Writes one Parquet file per result.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# segment_type_id, entity, level, metric, fixed year?, minimum in cents, days a customer is new, boundary, cuts in hundredths,
# default tier, excluded tier
TYPES: list[tuple[Any, ...]] = [
    ("sales_performance", "customer", "ultimate_parent_id", "net_sales", False, None, 90, "upper", 80, 95, "N", "X"),
    ("sales_performance_per_customer", "customer", "member_id", "net_sales", False, None, 90, "upper", 80, 95, "N", "C"),
    ("sales_by_vat_number", "customer", "vat_group_id", "net_sales", False, None, 90, "nearest", 80, 95, "C", "C"),
    ("north_margin", "customer", "ultimate_parent_id", "gross_margin", True, 50_000, 90, "upper", 70, 90, "C", "X"),
    ("customer_profit", "customer", "ultimate_parent_id", "profit", False, None, 90, "upper", 80, 95, "C", "C"),
    ("house_brands", "customer", "member_id", "house_quantity", False, 10_000, 90, "upper", 50, 80, "C", "C"),
    ("product_abc", "product", "member_id", "net_sales", False, None, 0, "upper", 80, 95, "C", "C"),
    ("product_margin", "product", "member_id", "gross_margin", False, None, 0, "upper", 80, 95, "C", "C"),
]
NOT_YET = pd.Timestamp("2200-01-01")


def read(raw: Path, table: str, columns: list[str], scales: dict[str, int] | None = None) -> pd.DataFrame:
    """Columns of a raw table; decimals as whole numbers of so many decimals, text as categories where it repeats."""
    data = pq.read_table(raw / f"{table}.parquet", columns=columns)
    for name, scale in (scales or {}).items():
        place = data.column_names.index(name)
        # Exact: no amount comes near 2^53 of its smallest unit.
        scaled = pc.round(pc.multiply(data[name].cast(pa.float64()), float(10**scale)))
        data = data.set_column(place, name, scaled.cast(pa.int64()))
    return data.to_pandas(date_as_object=False, coerce_temporal_nanoseconds=True)


def global_id(source_system: pd.Series, native_id: pd.Series) -> pd.Series:
    """<source system>:<native id>."""
    return source_system + ":" + native_id


def half_up(numerator: pd.Series, denominator: Any) -> pd.Series:
    """Whole quotient, rounded half away from zero."""
    return np.sign(numerator) * ((2 * numerator.abs() + denominator) // (2 * denominator))


def in_euro_cents(cents: pd.Series, rate: pd.Series, is_inverse: pd.Series) -> pd.Series:
    """Rates in millionths; an inverse rate divides. Null stays null."""
    known = cents.notna()
    whole = cents.fillna(0).astype("int64")
    converted = np.where(is_inverse, half_up(whole * 1_000_000, rate), half_up(whole * rate, 1_000_000))
    return pd.Series(converted, index=cents.index).where(known)


class Rates:
    """The latest rate on or before a date."""

    def __init__(self, raw: Path) -> None:
        """Direct rates of pounds, inverse ones of dollars."""
        rates = read(raw, "erp/exchange_rates", ["rate_date", "from_currency", "to_currency", "rate"], {"rate": 6})
        rates["is_inverse"] = rates.from_currency == "EUR"
        rates["currency"] = rates.from_currency.where(~rates.is_inverse, rates.to_currency)
        self.rates = rates[["currency", "rate_date", "rate", "is_inverse"]].sort_values("rate_date")

    def on(self, frame: pd.DataFrame, date_column: str) -> pd.DataFrame:
        """The frame with rate and is_inverse; euros have a rate of one."""
        days = frame[["currency", date_column]].drop_duplicates().sort_values(date_column)
        days = pd.merge_asof(days, self.rates, left_on=date_column, right_on="rate_date", by="currency").drop(columns="rate_date")
        days["rate"] = days.rate.fillna(1_000_000).astype("int64")
        days["is_inverse"] = days.is_inverse.eq(True)
        return frame.merge(days, on=["currency", date_column], how="left")


def customers_of(raw: Path) -> pd.DataFrame:
    """Customers with ultimate parent and VAT group."""
    customers = read(raw, "erp/customers", ["source_system", "customer_id", "parent_customer_id", "vat_number", "country", "customer_kind"])
    customers["member_id"] = global_id(customers.source_system, customers.customer_id)
    customers["organisation_id"] = customers.source_system.str.removeprefix("erp_")
    customers["stands_apart"] = customers.customer_kind.isin(["internal", "test"])
    parents = pd.Series(global_id(customers.source_system, customers.parent_customer_id).values, index=customers.member_id)
    top = customers.member_id.copy()
    for _ in range(64):
        above = top.map(parents)
        climbs = above.isin(parents.index)
        if not climbs.any():
            break
        top = top.where(~climbs, above)
    customers["ultimate_parent_id"] = top
    number = customers.vat_number.str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)
    number = number.where(number.str.match(r"^[A-Z][A-Z]", na=False), customers.country.str.upper() + number)
    counts = customers.vat_number.str.count(r"[0-9]").fillna(0) >= 5
    customers["vat_group_id"] = ("vat:" + number).where(counts, customers.member_id)
    return customers


def invoice_lines_of(raw: Path, rates: Rates) -> pd.DataFrame:
    """Lines with header, product and amounts in cents of euros."""
    invoices = read(
        raw, "erp/invoices",
        ["source_system", "invoice_id", "customer_id", "invoice_date", "document_type", "original_invoice_id", "branch_id", "currency"],
    )  # fmt: skip
    originals = invoices[["source_system", "invoice_id", "customer_id"]].rename(
        columns={"invoice_id": "original_invoice_id", "customer_id": "original_customer_id"}
    )
    invoices = invoices.merge(originals, on=["source_system", "original_invoice_id"], how="left")
    invoices["customer_id"] = global_id(invoices.source_system, invoices.original_customer_id.fillna(invoices.customer_id))
    invoices["branch_id"] = global_id(invoices.source_system, invoices.branch_id)
    invoices = rates.on(invoices, "invoice_date").drop(columns=["original_customer_id", "original_invoice_id", "currency"])
    lines = read(
        raw, "erp/invoice_lines",
        ["source_system", "invoice_id", "line_number", "product_id", "quantity", "net_amount", "cost_amount"],
        {"quantity": 4, "net_amount": 2, "cost_amount": 2},
    )  # fmt: skip
    lines = lines.merge(invoices, on=["source_system", "invoice_id"])
    products = read(raw, "erp/products", ["source_system", "product_id", "brand"])
    lines = lines.merge(products.assign(known_product_id=global_id(products.source_system, products.product_id)), on=["source_system", "product_id"], how="left")
    lines["product_id"] = lines.known_product_id.fillna("unknown")
    lines["net_sales"] = in_euro_cents(lines.net_amount, lines.rate, lines.is_inverse).astype("int64")
    lines["cost"] = in_euro_cents(lines.cost_amount, lines.rate, lines.is_inverse).astype("Int64")
    lines["gross_margin"] = lines.net_sales - lines.cost
    lines["invoice_id"] = global_id(lines.source_system, lines.invoice_id)
    kept = ["invoice_id", "line_number", "invoice_date", "document_type", "customer_id", "product_id", "branch_id", "brand", "quantity", "net_sales", "cost", "gross_margin"]
    return lines[kept]


def month_of(dates: pd.Series) -> pd.Series:
    """First day of the month."""
    return dates.dt.to_period("M").dt.to_timestamp()


def costs_of(raw: Path, rates: Rates, customers: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Pools shared out by their drivers: whole cents, largest remainders first."""
    orders = read(raw, "erp/orders", ["source_system", "order_id", "customer_id", "order_date"])
    orders["member_id"] = global_id(orders.source_system, orders.customer_id)
    orders["month"] = month_of(orders.order_date)
    order_lines = read(raw, "erp/order_lines", ["source_system", "order_id"]).merge(orders, on=["source_system", "order_id"])
    invoices = read(raw, "erp/invoices", ["source_system", "customer_id", "invoice_date", "document_type"])
    invoices = invoices[invoices.document_type == "invoice"]
    invoices = pd.DataFrame({"member_id": global_id(invoices.source_system, invoices.customer_id), "month": month_of(invoices.invoice_date)})
    landed = read(raw, "erp/driver_quantities", ["source_system", "driver", "customer_id", "driver_month", "quantity"], {"quantity": 4})
    landed = landed[landed.driver == "handling_minutes"]
    landed["member_id"] = global_id(landed.source_system, landed.customer_id)
    landed["month"] = month_of(landed.driver_month)
    sales = lines.rename(columns={"customer_id": "member_id"}).assign(month=month_of(lines.invoice_date)).groupby(["member_id", "month"])
    by = ["member_id", "month"]
    drivers = {
        "order_processing": orders.groupby(by).size() * 10_000,
        "customer_service": order_lines.groupby(by).size() * 10_000,
        "credit_management": invoices.groupby(by).size() * 10_000,
        "sales_visits": sales.net_sales.sum() * 100,
        "returns_handling": sales.quantity.sum(),
        "warehouse": landed.groupby(by).quantity.sum(),
    }
    used = pd.concat([units.rename("units").reset_index().assign(cost_pool_id=pool) for pool, units in drivers.items()])
    used = used[used.units > 0].merge(customers[["member_id", "organisation_id"]], on="member_id")
    ledger = read(raw, "erp/cost_ledger", ["cost_pool_id", "ledger_month", "organisation_id", "amount", "currency"], {"amount": 2})
    ledger["month"] = month_of(ledger.ledger_month)
    ledger["month_end"] = ledger.month + pd.offsets.MonthEnd(0)
    ledger = rates.on(ledger, "month_end")
    ledger["cents"] = in_euro_cents(ledger.amount, ledger.rate, ledger.is_inverse).astype("int64")
    key = ["cost_pool_id", "month", "organisation_id"]
    ledger = ledger.groupby(key, as_index=False).cents.sum()
    volumes = ledger.merge(used.groupby(key, as_index=False).units.sum(), on=key)
    capacity = np.where(volumes.cost_pool_id == "credit_management", 1_000_000 * 10_000, 0)
    volumes["divisor"] = np.maximum(volumes.units, capacity)
    # Negative pools by their absolute value.
    volumes["direction"] = np.sign(volumes.cents)
    volumes["cents"] = volumes.cents.abs()
    idle = volumes[volumes.divisor > volumes.units]
    idle = idle.assign(units=idle.divisor - idle.units, member_id=None)
    claims = pd.concat([used.merge(volumes.drop(columns="units"), on=key), idle])
    # Whole cents times units do not fit 64 bits: the quotient is taken apart.
    whole, remainder = exact_quotient(claims.cents.to_numpy(), claims.units.to_numpy(), claims.divisor.to_numpy())
    claims["whole"], claims["remainder"] = whole, remainder
    claims = claims.sort_values(["remainder", "units", "member_id"], ascending=[False, False, True], na_position="last", kind="stable")
    grouped = claims.groupby(key)
    left = claims.cents - grouped.whole.transform("sum")
    claims["amount"] = (claims.whole + (grouped.cumcount() < left)) * claims.direction
    claims["unallocated_reason"] = np.where(claims.member_id.isna(), "unused_capacity", None)
    rent = ledger[ledger.cost_pool_id == "rent"].assign(member_id=None, unallocated_reason="organisation_level")
    rent["amount"] = rent.cents
    shares = pd.concat([claims, rent])
    return shares.rename(columns={"month": "cost_month", "member_id": "customer_id"})[
        ["cost_pool_id", "cost_month", "organisation_id", "customer_id", "unallocated_reason", "amount"]
    ]


def exact_quotient(cents: np.ndarray, units: np.ndarray, divisor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quotient and remainder of cents x units / divisor: guessed as a float, put right in wrapping 64-bit arithmetic."""
    guess = np.floor(cents.astype("float64") * units / divisor).astype("int64")
    # The true remainder is small beside 2^63, so that it survives the wrapping.
    rest = cents * units - guess * divisor
    down = rest < 0
    guess, rest = guess - down, rest + down * divisor
    up = rest >= divisor
    return guess + up, rest - up * divisor


def segments_of(raw: Path, customers: pd.DataFrame, lines: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Tiers of every type."""
    as_of = lines.invoice_date.max()
    next_day = as_of + pd.Timedelta(days=1)
    next_month, next_year = next_day.replace(day=1), next_day.replace(day=1, month=1)
    is_house = lines.branch_id.isin(["erp_north:B01", "erp_south:B01"]) & lines.brand.isin(["Karovane", "Vindelmo"])
    products = read(raw, "erp/products", ["source_system", "product_id"])
    members = {"customer": customers, "product": pd.DataFrame({"member_id": global_id(products.source_system, products.product_id), "stands_apart": False})}
    first = {
        entity: lines[lines.document_type == "invoice"].groupby(f"{entity}_id").invoice_date.min() for entity in members
    }
    results = []
    for name, entity, level, metric, is_fixed_year, minimum, new_days, boundary, cut_a, cut_b, default_tier, excluded_tier in TYPES:
        end = next_year if is_fixed_year else next_month
        begin = end - pd.DateOffset(years=1)
        in_scope = (lines.invoice_date >= begin) & (lines.invoice_date < end)
        if metric == "house_quantity":
            in_scope &= is_house
        scope = lines[in_scope].groupby(f"{entity}_id").agg(
            line_count=("net_sales", "size"), net_sales=("net_sales", "sum"), gross_margin=("gross_margin", "sum"), quantity=("quantity", "sum")
        )
        roster = members[entity] if name != "north_margin" else customers[customers.organisation_id == "north"]
        roster = roster.assign(entity_id=roster[level].where(~roster.stands_apart, roster.member_id))
        roster = roster.join(scope, on="member_id")
        for column in ("line_count", "net_sales", "gross_margin", "quantity"):
            roster[column] = roster[column].fillna(0).astype("int64")
        roster["first_invoiced_on"] = roster.member_id.map(first[entity]).fillna(NOT_YET)
        # In ten-thousandths, as quantities have four decimals.
        if metric == "profit":
            in_window = (costs.cost_month >= begin) & (costs.cost_month < end)
            cost_to_serve = costs[in_window].groupby("customer_id").amount.sum()
            roster["metric_amount"] = (roster.gross_margin - roster.member_id.map(cost_to_serve).fillna(0).astype("int64")) * 100
        elif metric == "house_quantity":
            roster["metric_amount"] = roster.quantity
        else:
            roster["metric_amount"] = roster[metric] * 100
        entities = roster.groupby(["entity_id", "stands_apart"], as_index=False).agg(
            line_count=("line_count", "sum"), net_sales=("net_sales", "sum"), metric_amount=("metric_amount", "sum"),
            first_invoiced_on=("first_invoiced_on", "min"),
        )  # fmt: skip
        entities["reason_code"] = np.select(
            [
                entities.stands_apart,
                entities.first_invoiced_on > as_of - pd.Timedelta(days=new_days),
                entities.line_count == 0,
                entities.metric_amount <= 0,
                entities.net_sales < (-np.inf if minimum is None else minimum),
            ],
            ["excluded", "default_new", "no_sales_in_scope", "non_positive_net_sales", "below_min_net_sales"],
            "ranked",
        )
        ranked = entities[entities.reason_code == "ranked"].sort_values("metric_amount", ascending=False)
        values = ranked.metric_amount.to_numpy()
        through = values.cumsum()
        total = int(through[-1]) if len(through) else 0
        # Equals begin together: what strictly larger ones hold.
        is_first = np.r_[True, values[1:] != values[:-1]] if len(values) else np.array([], dtype=bool)
        before = np.maximum.accumulate(np.where(is_first, through - values, 0))
        place = 2 * before + (values if boundary == "nearest" else 0)
        # place / 2 < cut / 100 x total, in whole numbers
        tiers = np.where(place * 50 < cut_a * total, "A", np.where(place * 50 < cut_b * total, "B", "C"))
        entities["tier"] = entities.reason_code.map({"excluded": excluded_tier, "default_new": default_tier}).fillna("C")
        entities.loc[ranked.index, "tier"] = tiers
        result = roster[["member_id", "entity_id", "stands_apart"]].merge(
            entities[["entity_id", "stands_apart", "metric_amount", "reason_code", "tier"]], on=["entity_id", "stands_apart"]
        )
        result["metric_amount"] = half_up(result.metric_amount, 100)
        results.append(result.drop(columns="stands_apart").assign(segment_type_id=name))
    return pd.concat(results)


def main() -> int:
    """Read, compute, write."""
    raw, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    rates = Rates(raw)
    customers = customers_of(raw)
    lines = invoice_lines_of(raw, rates)
    costs = costs_of(raw, rates, customers, lines)
    segments = segments_of(raw, customers, lines, costs)
    customers = customers.rename(columns={"customer_id": "native_customer_id", "member_id": "customer_id"})
    for name, frame in {
        "customers": customers[["customer_id", "ultimate_parent_id", "vat_group_id"]],
        "invoice_lines": lines,
        "cost_allocations": costs,
        "segments": segments,
    }.items():
        frame.to_parquet(out / f"{name}.parquet", index=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
