"""Customers in quadrants (R17): the worked example through the whole project, what cannot be known, and a second computation.

The example and its neighbours are one build. The second computation takes the facts that other tests have proved against the
raw files (invoice lines, costs by customer and month, staged returns) and grades with fractions in plain Python, for
every month-end of the sample.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, SAMPLE_CONFIGURATION, build, read_rows
from worlds import DBT_TESTS, Cells, Raw, assert_same_values, read_case, segment_type, tiers, write_configuration

CASE = "contract_stratification_8customers"
# What the example calls differently.
NAMES = {
    "gm_amount": "gross_margin",
    "gm_pct": "gross_margin_rate",
    "n_products": "product_count",
    "n_orders": "order_count",
    "cts_pct": "cost_to_serve_rate",
    "return_pct": "return_rate",
}
AS_OF = "2025-12-31"
DIMENSIONS = ("buying_power", "loyalty", "profitability", "cost_to_serve")
PLACES = Decimal("0.000001")


# ---- The worked example ----


def case_metrics() -> list[Cells]:
    """The limits of the example as rows of stratification_metrics."""
    return [
        {
            "metric": NAMES.get(row["metric"], row["metric"]),
            "dimension": row["dimension"],
            "weight": row["weight"],
            "grading": "absolute",
            "limit_a": row["limit_A"],
            "limit_b": row["limit_B"],
            "limit_c": row["limit_C"],
            "higher_is_better": "true" if row["better"] == "high" else "false",
            "version": "1",
        }
        for row in read_case(CASE, "thresholds.csv")
    ]


def months_before(day: date, months: int) -> date:
    """The fifteenth of a month so many months before."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 15)


def parts(total: Decimal, count: int) -> list[Decimal]:
    """A total in so many parts of whole cents, the last of which takes the rest."""
    part = (total / count).quantize(Decimal("0.01"))
    return [part] * (count - 1) + [total - part * (count - 1)]


def add_case_customer(raw: Raw, row: Cells) -> None:
    """Invoices, payments, returns and driver quantities that give a customer of the example its metrics.

    k8 has an organisation of its own: one without costs, whose customer has paid nothing yet.
    """
    source_system = "k8" if row["customer_id"] == "k8" else "case"
    customer = row["customer_id"]
    orders, products = int(row["n_orders"]), int(row["n_products"])
    net_sales, margin = Decimal(row["net_sales"]), Decimal(row["gm_amount"])
    raw.customer(source_system, customer)
    # The first month of the relationship, long before the period where it is long; paid at once.
    first = months_before(date.fromisoformat(AS_OF), int(row["months_active"]) - 1)
    days = [first.isoformat()] + ["2025-06-16"] * (orders - 1)
    amounts, margins = parts(net_sales, orders), parts(margin, orders)
    if first.year < 2025:
        raw.sale(source_system, customer, days[0], "1.00", paid_on=days[0], line_cells={"cost_amount": "1.00"})
        days[0] = "2025-06-16"
    for number, (day, amount, part) in enumerate(zip(days, amounts, margins, strict=True)):
        paid_on = date.fromisoformat(day) + timedelta(int(row["days_to_pay"])) if row["days_to_pay"] else ""
        lines = range(number, products, orders)
        invoice_id = raw.sale(
            source_system,
            customer,
            day,
            amount,
            product_id=f"P{number % products + 1}",
            line_cells={"cost_amount": amount - part, "quantity": "100"},
            paid_on=paid_on,
        )
        # More products than orders: the others are given away.
        for line_number, product in enumerate(list(lines)[1:], start=2):
            raw.line(
                source_system,
                invoice_id,
                line_number,
                "0.00",
                "2025-12-01 02:00:00",
                product_id=f"P{product + 1}",
                quantity="0",
                cost_amount="0.00",
            )
    returned = Decimal(row["return_pct"]) * 100 * orders
    raw.add("erp.orders", source_system=source_system, order_id=f"R-{customer}", customer_id=customer, order_date="2025-06-01")
    raw.add(
        "tpl.returns",
        source_system="tpl",
        return_id=customer,
        order_id=f"R-{customer}",
        quantity=returned,
        received_on="2025-08-01",
    )
    if row["cts_pct"]:
        raw.add(
            "erp.driver_quantities",
            source_system=source_system,
            driver="handling_minutes",
            customer_id=customer,
            driver_month="2025-07-01",
            quantity=Decimal(row["cts_pct"]) * net_sales,
        )


def add_neighbours(raw: Raw) -> None:
    """Customers about whom something is not known, beside the example and in an organisation of their own."""
    raw.product("odd", "P1")
    for customer in ("credited", "costs_only", "silent", "unknown_cost", "partly", "new"):
        raw.customer("odd", customer)
    raw.customer("odd", "internal", customer_kind="internal")
    raw.sale("odd", "credited", "2025-05-05", "-50.00", line_cells={"cost_amount": "-30.00"})
    raw.sale("odd", "unknown_cost", "2025-05-05", "800.00", paid_on="2025-05-15")
    raw.sale("odd", "partly", "2025-05-05", "800.00", paid_on="2025-05-15", line_cells={"cost_amount": "500.00"})
    raw.sale("odd", "partly", "2025-07-05", "200.00", paid_on="2026-01-15")
    raw.sale("odd", "internal", "2025-05-05", "900000.00", line_cells={"cost_amount": "1.00"}, paid_on="2025-05-05")
    # After the month-end, and before the first day of the period.
    raw.sale("odd", "new", "2024-12-31", "70.00", line_cells={"cost_amount": "10.00"}, paid_on="2025-02-28")
    for customer, quantity in (("costs_only", 30), ("partly", 70)):
        raw.add(
            "erp.driver_quantities",
            source_system="odd",
            driver="handling_minutes",
            customer_id=customer,
            driver_month="2025-07-01",
            quantity=quantity,
        )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example and its neighbours, graded by the limits of the example."""
    folder = tmp_path_factory.mktemp("stratification")
    customers = read_case(CASE, "input.csv")
    raw = Raw()
    for source_system in ("case", "k8"):
        for number in range(1, 251):
            raw.product(source_system, f"P{number}")
    for row in customers:
        add_case_customer(raw, row)
    add_neighbours(raw)
    spent = sum(Decimal(row["cts_pct"] or 0) * Decimal(row["net_sales"]) for row in customers)
    for organisation, amount in (("case", spent), ("odd", 100)):
        raw.add(
            "erp.cost_ledger",
            source_system=organisation,
            cost_pool_id="warehouse",
            ledger_month="2025-07-01",
            organisation_id=organisation,
            amount=amount,
            currency="EUR",
        )
    configuration = write_configuration(
        folder / "seeds",
        replace={
            "organisations": [
                {"organisation_id": name, "name": name, "source_system": name} for name in ("case", "k8", "odd")
            ],
            "segment_types": [segment_type("all", is_default="true")],
            "segment_tiers": tiers("all"),
            "segment_type_branches": [],
            "segment_type_brands": [],
            # A later version that is not in force would put everybody elsewhere.
            "stratification_metrics": case_metrics()
            + [row | {"version": "2", "weight": "5", "limit_a": "9", "limit_b": "5", "limit_c": "1", "higher_is_better": "true"} for row in case_metrics()],
        },
    )
    variables = {
        "as_of_date": AS_OF,
        "first_month_end": "2025-10-31",
        "absent_tables": raw.absent_tables(),
        "stratification_version": 1,
    }
    return build(raw.write(folder / "raw"), configuration, folder / "warehouse", vars=variables, select="+fct_customer_stratification", exclude=DBT_TESTS).path


@pytest.fixture(scope="module")
def stratified(warehouse: Path) -> dict[str, Cells]:
    """fct_customer_stratification by native id."""
    rows = read_rows(warehouse, "select * from cost_to_serve.fct_customer_stratification")
    return {row["customer_id"].split(":")[1]: row for row in rows}


def test_the_example_has_its_metrics(stratified: dict[str, Cells]) -> None:
    expected = {
        (row["customer_id"], NAMES.get(name, name)): Decimal(row[name]) if row[name] else None
        for row in read_case(CASE, "input.csv")
        for name in row
        if name != "customer_id"
    }
    found = {key: stratified[key[0]][key[1]] for key in expected}
    assert_same_values(found, expected, "metrics of the example")


def test_the_example_has_its_quadrants(stratified: dict[str, Cells]) -> None:
    names = {
        **{f"{dimension}_score": dimension for dimension in DIMENSIONS},
        **{name: name for name in ("value_axis", "quadrant", "min_coverage", "coverage_flag")},
        "profit_axis": "net_profit_axis",
    }
    expected = {
        (row["customer_id"], column): row[name] for row in read_case(CASE, "expected.csv") for column, name in names.items()
    }
    found = {key: str(stratified[key[0]][key[1]]) for key in expected}
    assert_same_values(found, expected, "quadrants of the example")


def test_what_is_not_known_is_missing_and_never_best_or_worst(stratified: dict[str, Cells]) -> None:
    columns = (
        *("quadrant", "net_sales", "gross_margin", "net_profit", "cost_to_serve_rate", "order_count", "months_active"),
        *("days_to_pay", "return_rate", "buying_power_coverage", "cost_to_serve_coverage"),
    )
    nothing = Decimal(0)
    expected = {
        # A margin and a profit it has; a rate of negative sales is none.
        "credited": ("unknown", Decimal("-50"), Decimal("-20"), Decimal("-20"), None, 0, None, None, None, Decimal(1), nothing),
        # What was spent on it is its profit.
        "costs_only": ("unknown", None, None, Decimal("-30"), None, None, None, None, None, nothing, nothing),
        "silent": ("unknown", *[None] * 8, nothing, nothing),
        "unknown_cost": ("unknown", Decimal(800), None, None, Decimal(0), 1, 8, Decimal(10), None, Decimal(1), Decimal("0.75")),
        # Costs of goods known for a part; what is paid after the period is not paid yet.
        "partly": ("Opportunistic", Decimal(1000), Decimal(300), Decimal(230), Decimal("0.07"), 2, 8, Decimal(10), None, Decimal(1), Decimal("0.75")),
        # Nobody is measured by it, nor it by them.
        "internal": ("excluded", Decimal(900000), Decimal(899999), Decimal(899999), Decimal(0), 1, 8, Decimal(0), None, nothing, nothing),
        # A payment for older sales is all there is.
        "new": ("unknown", None, None, Decimal(0), None, None, None, Decimal(59), None, nothing, Decimal("0.25")),
    }
    found = {name: tuple(stratified[name][column] for column in columns) for name in expected}
    assert_same_values(found, expected, "customers about whom something is not known")
    
    grades = {
        name: sorted(metric.removesuffix("_grade") for metric, grade in row.items() if metric.endswith("_grade") and grade)
        for name, row in stratified.items()
        if name in ("internal", "silent", "costs_only")
    }
    assert grades == {"internal": [], "silent": [], "costs_only": []}


# ---- The second computation ----


@dataclass(frozen=True)
class Metric:
    """A row of stratification_metrics in force, with what an empty cell means."""

    name: str
    dimension: str
    weight: Fraction
    grading: str
    limits: tuple[Fraction, Fraction, Fraction]
    rising: bool


FALLING = {"cost_to_serve", "cost_to_serve_rate", "days_to_pay", "days_since_last_invoice", "return_rate"}
DEFAULT_LIMITS = {"share": ("0.50", "0.80", "0.95"), "quartile": ("0.25", "0.50", "0.75")}


def metrics_in_force() -> list[Metric]:
    """The highest version of the sample's configuration."""
    with (SAMPLE_CONFIGURATION / "stratification_metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    highest = max(int(row["version"] or 1) for row in rows)
    metrics = []
    for row in rows:
        if int(row["version"] or 1) != highest:
            continue
        cells = [row[limit] for limit in ("limit_a", "limit_b", "limit_c")]
        limits = cells if any(cells) else DEFAULT_LIMITS[row["grading"]]
        first, second, third = (Fraction(limit) for limit in limits)
        rising = row["higher_is_better"] == "true" if row["higher_is_better"] else row["metric"] not in FALLING
        metrics.append(
            Metric(row["metric"], row["dimension"], Fraction(row["weight"] or 1), row["grading"], (first, second, third), rising)
        )
    return metrics


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def month_number(day: date) -> int:
    """Months since the year nought."""
    return day.year * 12 + day.month - 1


def periods(as_of: date, first_document: date, count: int = 13) -> list[tuple[date, date]]:
    """First and last day of the twelve months before each of the last month-ends, latest first."""
    last = as_of if as_of == month_end(as_of) else as_of.replace(day=1) - timedelta(1)
    found = []
    for back in range(count):
        number = month_number(last) - back
        end = month_end(date(number // 12, number % 12 + 1, 1))
        start = date((number - 11) // 12, (number - 11) % 12 + 1, 1)
        if back == 0 or end >= first_document:
            found.append((start, end))
    return found


class Facts:
    """What the warehouse holds of lines, costs and returns, by customer."""

    def __init__(self, path: Path) -> None:
        def rows(query: str) -> list[dict[str, Any]]:
            return read_rows(path, query)

        self.customers = {row["customer_id"]: row for row in rows("select * from core.dim_customers")}
        self.as_of = next(iter(self.customers.values()))["as_of_date"]
        self.lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows("select * from core.fct_invoice_lines"):
            self.lines[row["customer_id"]].append(row)
        self.first_document = min(row["invoice_date"] for lines in self.lines.values() for row in lines)
        self.costs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows("select * from cost_to_serve.fct_cost_allocations where customer_id is not null"):
            self.costs[row["customer_id"]].append(row)
        self.cost_months = {
            (row["organisation_id"], row["cost_month"])
            for row in rows(
                "select distinct organisation_id, cost_month from cost_to_serve.fct_cost_allocations"
                " where coalesce(unallocated_reason, '') <> 'unknown_shipment'"
            )
        }
        orders: dict[str, list[str | None]] = defaultdict(list)
        for row in rows(
            "select order_id, concat(source_system, ':', customer_id) as customer_id from staging.stg_erp__orders"
            " where record_status = 'staged'"
        ):
            orders[row["order_id"]].append(row["customer_id"])
        consignees = {
            row["party_id"]: row["customer_id"]
            for row in rows("select * from core.bridge_customer_accounts where party_kind = 'tpl_consignee'")
        }
        self.returns: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows("select * from staging.stg_tpl__returns where record_status = 'staged' and received_on is not null"):
            ordered_by = orders.get(row["order_id"], [])
            consignee = consignees.get(f"{row['source_system']}:{row['consignee_code']}")
            customer = ordered_by[0] if len(ordered_by) == 1 and ordered_by[0] in self.customers else consignee
            if customer in self.customers:
                self.returns[customer].append(row)

    def organisation(self, customer: str) -> str:
        """The organisation a customer belongs to."""
        return self.customers[customer]["organisation_id"]

    def measure(self, customer: str, start: date, end: date) -> dict[str, Fraction] | None:
        """Every metric of a customer that can be known of a period; None for who was not seen in it."""
        lines = [line for line in self.lines[customer] if start <= line["invoice_date"] <= end]
        invoiced = [line for line in lines if line["document_type"] == "invoice"]
        costs = [row for row in self.costs[customer] if start <= row["cost_month"] <= end]
        returns = [row for row in self.returns[customer] if start <= row["received_on"] <= end]
        settled = [
            (line["net_sales"], (max(line["paid_on"], line["invoice_date"]) - line["invoice_date"]).days)
            for line in self.lines[customer]
            if line["document_type"] == "invoice"
            and line["paid_on"]
            and start <= max(line["paid_on"], line["invoice_date"]) <= end
        ]
        if not (lines or costs or returns or settled):
            return None
        organisation = self.organisation(customer)
        knows_costs = any(start <= month <= end and owner in (organisation, None) for owner, month in self.cost_months)
        knows_returns = any(
            start <= row["received_on"] <= end
            for other, rows in self.returns.items()
            if self.organisation(other) == organisation
            for row in rows
        )
        known: dict[str, Fraction] = {}
        sales = sum((Fraction(line["net_sales"]) for line in lines), Fraction(0))
        margins = [Fraction(line["gross_margin"]) for line in lines if line["cost"] is not None]
        knows_margin = any(line["cost"] or line["gross_margin"] for line in lines if line["cost"] is not None)
        spent = sum((Fraction(row["amount"]) for row in costs), Fraction(0))
        if lines:
            known["net_sales"] = sales
            known["order_count"] = Fraction(len({line["order_key"] for line in invoiced}))
            known["product_count"] = Fraction(len({line["product_id"] for line in invoiced}))
            known["months_with_sales"] = Fraction(len({month_number(line["invoice_date"]) for line in invoiced}))
        if knows_margin:
            known["gross_margin"] = sum(margins, Fraction(0))
        if knows_costs:
            known["cost_to_serve"] = spent
            if knows_margin or not lines:
                known["net_profit"] = sum(margins, Fraction(0)) - spent
        if lines and sales > 0:
            for amount in ("net_profit", "cost_to_serve"):
                if amount in known:
                    known[f"{amount}_rate"] = known[amount] / sales
        sales_of_known_cost = sum((Fraction(line["net_sales"]) for line in lines if line["cost"] is not None), Fraction(0))
        if knows_margin and sales_of_known_cost > 0:
            known["gross_margin_rate"] = known["gross_margin"] / sales_of_known_cost
        if lines and known["order_count"]:
            known["average_order_value"] = sales / known["order_count"]
        if invoiced:
            first = min(line["invoice_date"] for line in self.lines[customer] if line["document_type"] == "invoice")
            known["months_active"] = Fraction(month_number(end) - month_number(first) + 1)
            known["days_since_last_invoice"] = Fraction((end - max(line["invoice_date"] for line in invoiced)).days)
        paid = sum((Fraction(amount) for amount, _ in settled), Fraction(0))
        if paid > 0:
            known["days_to_pay"] = sum((Fraction(amount) * days for amount, days in settled), Fraction(0)) / paid
        units = sum((Fraction(line["quantity"] or 0) for line in invoiced), Fraction(0))
        if knows_returns and lines and units > 0:
            known["return_rate"] = sum((Fraction(row["quantity"] or 0) for row in returns), Fraction(0)) / units
        return known


def grade(metric: Metric, values: dict[str, Fraction]) -> dict[str, int]:
    """Points of every customer with a value: 4 for an A to 1 for a D."""
    if metric.grading == "absolute":
        return {
            customer: next(
                (
                    points
                    for points, limit in zip((4, 3, 2), metric.limits, strict=True)
                    if (value >= limit if metric.rising else value <= limit)
                ),
                1,
            )
            for customer, value in values.items()
        }
    if metric.grading == "share":
        ranked = {customer: value for customer, value in values.items() if value > 0}
        total = sum(ranked.values(), Fraction(0))
        points_of = {}
        for customer, value in values.items():
            before = sum((other for other in ranked.values() if other > value), Fraction(0))
            place = [before < limit * total for limit in metric.limits] if value > 0 else []
            points = 4 - place.index(True) if True in place else 1
            points_of[customer] = points if metric.rising else 5 - points
        return points_of
    heads = sorted(values.values(), reverse=metric.rising)
    place_of: dict[Fraction, int] = {}
    for place, value in enumerate(heads):
        place_of.setdefault(value, place)
    return {
        customer: next(
            (
                points
                for points, limit in zip((4, 3, 2), metric.limits, strict=True)
                if place_of[value] < limit * len(heads)
            ),
            1,
        )
        for customer, value in values.items()
    }


@dataclass(frozen=True)
class Placed:
    """A customer with its grades and what follows from them."""

    grades: dict[str, int]
    scores: dict[str, Fraction | None]
    coverages: dict[str, Fraction]
    quadrant: str

    @property
    def axes(self) -> tuple[Fraction | None, Fraction | None]:
        """The value axis and the profit axis."""
        return mean(self.scores["buying_power"], self.scores["loyalty"]), mean(
            self.scores["profitability"], self.scores["cost_to_serve"]
        )


def mean(first: Fraction | None, second: Fraction | None) -> Fraction | None:
    """The mean of two scores, if both are known."""
    return None if first is None or second is None else (first + second) / 2


def place(metrics: list[Metric], grades: dict[str, int], is_excluded: bool) -> Placed:
    """Scores, coverage and quadrant of some grades."""
    scores: dict[str, Fraction | None] = {}
    coverages: dict[str, Fraction] = {}
    for dimension in DIMENSIONS:
        own = [metric for metric in metrics if metric.dimension == dimension]
        known = [metric for metric in own if metric.name in grades]
        weight = sum((metric.weight for metric in known), Fraction(0))
        coverages[dimension] = weight / sum(metric.weight for metric in own)
        scores[dimension] = sum(metric.weight * grades[metric.name] for metric in known) / weight if known else None
    value = mean(scores["buying_power"], scores["loyalty"])
    profit = mean(scores["profitability"], scores["cost_to_serve"])
    if is_excluded:
        quadrant = "excluded"
    elif value is None or profit is None:
        quadrant = "unknown"
    else:
        high = Fraction(5, 2)
        quadrant = {
            (True, True): "Core",
            (False, True): "Opportunistic",
            (True, False): "Service Drain",
            (False, False): "Marginal",
        }[value >= high, profit >= high]
    return Placed(grades, scores, coverages, quadrant)


@dataclass(frozen=True)
class Recomputed:
    """The sample, stratified a second time: values and places by month-end and customer, latest first."""

    facts: Facts
    metrics: list[Metric]
    values: dict[date, dict[str, dict[str, Fraction]]]
    placed: dict[date, dict[str, Placed]]

    @property
    def last(self) -> date:
        """The end of the current period."""
        return max(self.placed)


@pytest.fixture(scope="module")
def recomputed(sample_warehouse: Path) -> Recomputed:
    """The second computation of the sample."""
    facts, metrics = Facts(sample_warehouse), metrics_in_force()
    values: dict[date, dict[str, dict[str, Fraction]]] = {}
    placed: dict[date, dict[str, Placed]] = {}
    for start, end in periods(facts.as_of, facts.first_document):
        measured = {customer: facts.measure(customer, start, end) for customer in facts.customers}
        values[end] = {customer: known for customer, known in measured.items() if known is not None}
        excluded = {
            customer for customer in values[end] if facts.customers[customer]["customer_kind"] in ("internal", "test")
        }
        grades: dict[str, dict[str, int]] = defaultdict(dict)
        for metric in metrics:
            graded = grade(
                metric,
                {
                    customer: known[metric.name]
                    for customer, known in values[end].items()
                    if metric.name in known and customer not in excluded
                },
            )
            for customer, points in graded.items():
                grades[customer][metric.name] = points
        placed[end] = {customer: place(metrics, grades[customer], customer in excluded) for customer in values[end]}
    return Recomputed(facts, metrics, values, placed)


def shown(value: Fraction | None) -> Fraction | None:
    """Six decimals, half up, as a mart shows it."""
    if value is None:
        return None
    doubled = abs(value) * 2_000_000
    whole = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return Fraction(whole if value >= 0 else -whole, 1_000_000)


def as_fraction(value: Any) -> Fraction | None:
    """A cell of a mart, exactly."""
    return None if value is None else Fraction(value)


def test_every_metric_grade_and_score_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    rows = read_rows(sample_warehouse, "select * from cost_to_serve.fct_customer_stratification")
    metric_names = [column.removesuffix("_grade") for column in rows[0] if column.endswith("_grade")]
    assert len(metric_names) == 15
    found: dict[tuple[str, str], Any] = {}
    expected: dict[tuple[str, str], Any] = {}
    for row in rows:
        customer = row["customer_id"]
        values = recomputed.values[recomputed.last].get(customer, {})
        kind = recomputed.facts.customers[customer]["customer_kind"]
        placed = recomputed.placed[recomputed.last].get(customer) or place(recomputed.metrics, {}, kind in ("internal", "test"))
        for name in metric_names:
            found[customer, name] = as_fraction(row[name])
            expected[customer, name] = shown(values.get(name))
            found[customer, f"{name}_grade"] = row[f"{name}_grade"]
            points = placed.grades.get(name)
            expected[customer, f"{name}_grade"] = None if points is None else " DCBA"[points]
        for dimension in DIMENSIONS:
            found[customer, f"{dimension}_score"] = as_fraction(row[f"{dimension}_score"])
            expected[customer, f"{dimension}_score"] = shown(placed.scores[dimension])
            found[customer, f"{dimension}_coverage"] = as_fraction(row[f"{dimension}_coverage"])
            expected[customer, f"{dimension}_coverage"] = shown(placed.coverages[dimension])
        for name, axis in zip(("value_axis", "profit_axis"), placed.axes, strict=True):
            found[customer, name] = as_fraction(row[name])
            expected[customer, name] = shown(axis)
        lowest = min(placed.coverages.values())
        found[customer, "coverage"] = (as_fraction(row["min_coverage"]), row["coverage_flag"], row["quadrant"])
        expected[customer, "coverage"] = (
            shown(lowest),
            "low_coverage" if lowest < Fraction(1, 2) else "ok",
            placed.quadrant,
        )
    assert_same_values(found, expected, "fct_customer_stratification")
    assert {row["quadrant"] for row in rows} == {
        *("Core", "Opportunistic", "Marginal", "Service Drain", "unknown", "excluded")
    }


def test_every_month_end_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    rows = read_rows(sample_warehouse, "select * from cost_to_serve.fct_customer_stratification_monthly")
    found = {(row["month_end"], row["customer_id"]): row["quadrant"] for row in rows}
    expected = {
        (end, customer): placed.quadrant
        for end, customers in recomputed.placed.items()
        for customer, placed in customers.items()
    }
    assert len(found) == len(rows)
    assert len({end for end, _ in found}) == 13
    assert_same_values(found, expected, "fct_customer_stratification_monthly")


def test_where_a_customer_comes_from(sample_warehouse: Path, recomputed: Recomputed) -> None:
    ends = sorted(recomputed.placed, reverse=True)
    found, expected = {}, {}
    for row in read_rows(sample_warehouse, "select * from cost_to_serve.fct_customer_stratification"):
        customer = row["customer_id"]
        history = [(end, recomputed.placed[end].get(customer)) for end in ends]
        found[customer] = (row["previous_quadrant"], row["year_before_quadrant"], row["quadrant_since"])
        # Who has gone silent is unknown now, and was something before.
        now = history[0][1].quadrant if history[0][1] else "unknown"
        previous, year_before = history[1][1], history[12][1]
        others = [number for number, (_, placed) in enumerate(history) if placed and placed.quadrant != now]
        expected[customer] = (
            previous and previous.quadrant,
            year_before and year_before.quadrant,
            ends[others[0] - 1] if others else None,
        )
    assert_same_values(found, expected, "quadrants before")


def test_migration_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    ends = sorted(recomputed.placed)
    expected: Counter[tuple[Any, ...]] = Counter()
    for before, after in zip(ends, ends[1:], strict=False):
        for customer in recomputed.placed[before].keys() | recomputed.placed[after].keys():
            was, is_now = (recomputed.placed[end].get(customer) for end in (before, after))
            expected[
                after, before, was.quadrant if was else "(inactive)", is_now.quadrant if is_now else "(inactive)"
            ] += 1
    rows = read_rows(sample_warehouse, "select * from cost_to_serve.fct_stratification_migration")
    found = {
        (row["month_end"], row["previous_month_end"], row["from_quadrant"], row["to_quadrant"]): row["customer_count"]
        for row in rows
    }
    assert_same_values(found, expected, "fct_stratification_migration")
    for row in rows:
        assert row["is_move"] == (row["from_quadrant"] != row["to_quadrant"])


def test_sensitivity_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    customers = {
        customer: placed
        for customer, placed in recomputed.placed[recomputed.last].items()
        if placed.quadrant not in ("unknown", "excluded")
    }
    sales = recomputed.values[recomputed.last]
    expected = {}
    for moved in recomputed.metrics:
        for change in (10, -10):
            metrics = [
                Metric(
                    *(metric.name, metric.dimension),
                    metric.weight * (100 + change) / 100 if metric is moved else metric.weight,
                    *(metric.grading, metric.limits, metric.rising),
                )
                for metric in recomputed.metrics
            ]
            after = {customer: place(metrics, was.grades, False).quadrant for customer, was in customers.items()}
            movers = [customer for customer, was in customers.items() if after[customer] != was.quadrant]
            expected[moved.name, change] = (
                len(customers),
                len(movers),
                sum(customers[customer].quadrant == "Core" for customer in movers),
                sum(after[customer] == "Core" for customer in movers),
                sum((sales[customer]["net_sales"] for customer in movers), Fraction(0)),
            )
    found = {
        (row["metric"], row["weight_change_percent"]): (
            *(row["customer_count"], row["moved_count"], row["left_core_count"], row["joined_core_count"]),
            Fraction(row["moved_net_sales"]),
        )
        for row in read_rows(sample_warehouse, "select * from cost_to_serve.fct_stratification_sensitivity")
    }
    assert_same_values(found, expected, "fct_stratification_sensitivity")
    assert any(row[1] for row in found.values())


def test_groups_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    start = date(recomputed.last.year - 1, recomputed.last.month, 1) + timedelta(31)
    start = start.replace(day=1)
    categories = {
        row["product_id"]: row["category"] or "unknown"
        for row in read_rows(sample_warehouse, "select product_id, category from core.dim_products")
    }
    profits = {
        row["customer_id"]: row
        for row in read_rows(sample_warehouse, "select * from cost_to_serve.fct_customer_profitability")
    }
    sums: dict[tuple[str, str, str], list[Any]] = defaultdict(lambda: [set(), Fraction(0), Fraction(0), Fraction(0)])
    for customer, facts in recomputed.facts.customers.items():
        placed = recomputed.placed[recomputed.last].get(customer) or place(
            recomputed.metrics, {}, facts["customer_kind"] in ("internal", "test")
        )
        for kind, column in (
            *(("region", "region"), ("branch", "branch_id"), ("sales_rep", "sales_rep_id"), ("industry", "industry")),
        ):
            group = sums[kind, facts[column] or "unknown", placed.quadrant]
            group[0].add(customer)
            group[1] += Fraction(profits[customer]["net_sales"])
            group[2] += Fraction(profits[customer]["gross_margin"])
            group[3] += Fraction(profits[customer]["net_profit"])
        for line in recomputed.facts.lines[customer]:
            if start <= line["invoice_date"] <= recomputed.last:
                group = sums["category", categories.get(line["product_id"], "unknown"), placed.quadrant]
                group[0].add(customer)
                group[1] += Fraction(line["net_sales"])
                group[2] += Fraction(line["gross_margin"] or 0)
    expected = {
        key: (len(group[0]), group[1], group[2], None if key[0] == "category" else group[3])
        for key, group in sums.items()
    }
    found = {
        (row["group_kind"], row["group_id"], row["quadrant"]): (
            row["customer_count"],
            Fraction(row["net_sales"]),
            Fraction(row["gross_margin"]),
            as_fraction(row["net_profit"]),
        )
        for row in read_rows(sample_warehouse, "select * from cost_to_serve.fct_stratification_by_group")
    }
    assert_same_values(found, expected, "fct_stratification_by_group")


def warnings_of(
    recomputed: Recomputed, months: dict[str, dict[int, dict[str, Any]]]
) -> Iterator[tuple[str, str, Fraction, Fraction]]:
    """Customer, kind, recent amount and that of a year before, of every warning there should be."""
    ends = sorted(recomputed.placed, reverse=True)
    last = month_number(recomputed.last)
    for customer, by_month in months.items():

        def total(measure: str, back: int, by_month: dict[int, dict[str, Any]] = by_month) -> Fraction:
            return sum(
                (Fraction(by_month[last - back - number][measure]) for number in range(3) if last - back - number in by_month),
                Fraction(0),
            )

        quadrants = [
            placed.quadrant if (placed := recomputed.placed[ends[number]].get(customer)) else None for number in (0, 1, 12)
        ]
        now = quadrants[0] or "unknown"
        if recomputed.facts.customers[customer]["customer_kind"] in ("internal", "test"):
            continue
        sales, sales_before = total("net_sales", 0), total("net_sales", 12)
        profit, profit_before = total("net_profit", 0), total("net_profit", 12)
        cost, cost_before = total("cost_to_serve", 0), total("cost_to_serve", 12)
        matters: Callable[[Fraction, Fraction], bool] = lambda one, other: abs(one - other) >= 1000  # noqa: E731
        if "Core" in quadrants and sales_before > 0 and sales <= sales_before * Fraction(3, 4) and matters(sales, sales_before):
            yield customer, "core_falling", sales, sales_before
        if quadrants[1] == "Core" and now != "Core":
            yield customer, "core_left", sales, sales_before
        if (
            now in ("Opportunistic", "Marginal")
            and sales_before > 0
            and sales >= sales_before * Fraction(3, 2)
            and matters(sales, sales_before)
        ):
            yield customer, "small_rising", sales, sales_before
        if profit_before > 0 > profit and matters(profit, profit_before):
            yield customer, "turned_unprofitable", profit, profit_before
        if sales <= 0 and cost >= 1000:
            yield customer, "cost_without_sales", cost, cost_before


def test_early_warnings_of_the_sample(sample_warehouse: Path, recomputed: Recomputed) -> None:
    months: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in read_rows(sample_warehouse, "select * from cost_to_serve.fct_customer_costs"):
        months[row["customer_id"]][month_number(row["cost_month"])] = row
    expected = {(customer, kind): amounts for customer, kind, *amounts in warnings_of(recomputed, months)}
    rows = read_rows(sample_warehouse, "select * from cost_to_serve.fct_early_warnings")
    found = {
        (row["customer_id"], row["warning_kind"]): [Fraction(row["recent_amount"]), Fraction(row["year_before_amount"])]
        for row in rows
    }
    assert_same_values(found, expected, "fct_early_warnings")
    assert {kind for _, kind in found} == {
        *("core_falling", "core_left", "small_rising", "turned_unprofitable", "cost_without_sales")
    }


def test_the_page_for_readers_says_what_the_sample_says(sample_warehouse: Path) -> None:
    page = (PROJECT / "docs" / "stratification.md").read_text(encoding="utf-8")
    rows = read_rows(
        sample_warehouse,
        "select quadrant, count(*) as customers, sum(profits.net_sales) as net_sales, sum(profits.cost_to_serve) as costs,"
        " sum(profits.net_profit) as profit from cost_to_serve.fct_customer_stratification"
        " inner join cost_to_serve.fct_customer_profitability as profits using (customer_id) group by quadrant",
    )
    for row in rows:
        amounts = " | ".join(f"{row[name]:,}" for name in ("net_sales", "costs", "profit"))
        assert f"| {row['quadrant']} | {row['customers']} | {amounts} |" in page
