"""Stratum, computed a second time: plain Python over the raw files, sharing nothing with the SQL.

It follows the rules of the contract (R1 to R14, R18 to R20, R23 and the raw contract of section 2) from the landed CSV
files and the configuration seeds to verdicts, invoice lines, identities, tiers and what the month-ends say. Every amount
of money is a whole number of cents, every other number an exact fraction; nothing is rounded before it is compared.

    world = World.read(Path("sample_data"), Path("seeds"))
    world.verdicts["erp.invoices"]     what became of every raw row
    world.lines                        the invoice lines in reporting currency
    world.customers                    identity, parents, status
    world.members("sales_performance") one judged and tiered member per customer, as of the run
    world.monthly("sales_performance") the same per month-end, of those who had appeared by then

Costs (R15), and with them the metric ``net_profit_after_cost_to_serve``, come from ``recompute_costs.py``.
"""

from __future__ import annotations

import calendar
import csv
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

UNKNOWN = "unknown"
STAGED, SUPERSEDED, QUARANTINED = "staged", "superseded", "quarantined"

# ---------------------------------------------------------------------------------------------------------------
# The raw contract (section 2)


@dataclass(frozen=True)
class Table:
    """One raw table: the type of every cell that is not text, its key, and what a row must say."""

    key: tuple[str, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    money: str | None = None
    # Parts of the key that may be empty.
    optional_key: tuple[str, ...] = ()
    header: tuple[str, tuple[str, ...]] | None = None
    optional: bool = True


def _types(**columns_by_type: str) -> dict[str, str]:
    """``whole="a b", day="c"`` as a dictionary from column to type."""
    return {column: kind for kind, columns in columns_by_type.items() for column in columns.split()}


TABLES: dict[str, Table] = {
    "erp.customers": Table(
        ("customer_id",),
        _types(whole="payment_terms_days", number="credit_limit", day="created_on", boolean="is_active"),
        optional=False,
    ),
    "erp.products": Table(
        ("product_id",),
        _types(number="unit_cost list_price", day="launched_on discontinued_on"),
        optional=False,
    ),
    "erp.branches": Table(("branch_id",)),
    "erp.sales_reps": Table(("sales_rep_id",)),
    "erp.orders": Table(("order_id",), _types(day="order_date requested_on", boolean="is_rush")),
    "erp.order_lines": Table(
        ("order_id", "line_number"),
        _types(whole="line_number", number="quantity unit_price discount_amount", day="promised_on"),
        header=("erp.orders", ("order_id",)),
    ),
    "erp.invoices": Table(
        ("invoice_id",),
        _types(day="invoice_date due_on paid_on"),
        required=("invoice_date", "document_type", "currency"),
        optional=False,
    ),
    "erp.invoice_lines": Table(
        ("invoice_id", "line_number"),
        _types(whole="line_number", number="quantity list_amount discount_amount net_amount cost_amount"),
        required=("net_amount",),
        money="net_amount",
        header=("erp.invoices", ("invoice_id",)),
        optional=False,
    ),
    "erp.exchange_rates": Table(
        ("rate_date", "from_currency", "to_currency"), _types(day="rate_date", number="rate"), required=("rate",)
    ),
    "erp.quotes": Table(("quote_id",), _types(day="quoted_on decided_on", number="amount"), money="amount"),
    "erp.contracts": Table(
        ("contract_id",),
        _types(day="valid_from valid_to", number="committed_annual_amount"),
        money="committed_annual_amount",
    ),
    "erp.inventory": Table(
        ("product_id", "branch_id", "counted_on"), _types(day="counted_on", number="on_hand_quantity")
    ),
    "erp.forecasts": Table(
        ("product_id", "customer_id", "branch_id", "forecast_month", "made_on"),
        _types(day="forecast_month made_on", number="quantity"),
    ),
    "erp.cost_ledger": Table(
        ("cost_pool_id", "ledger_month", "organisation_id"),
        _types(day="ledger_month", number="amount"),
        required=("amount", "currency"),
        money="amount",
        optional_key=("organisation_id",),
    ),
    "erp.driver_quantities": Table(
        ("driver", "customer_id", "driver_month"),
        _types(day="driver_month", number="quantity"),
        optional_key=("customer_id",),
    ),
    "crm.accounts": Table(("account_id",), _types(whole="employee_count")),
    "crm.activities": Table(("activity_id",), _types(day="performed_on", whole="duration_minutes")),
    "crm.opportunities": Table(
        ("opportunity_id",), _types(day="created_on closed_on", number="amount"), money="amount"
    ),
    "tpl.shipments": Table(
        ("shipment_id",),
        _types(day="shipped_on promised_on delivered_on", number="weight_kg", whole="package_count"),
    ),
    "tpl.shipment_lines": Table(
        ("shipment_id", "order_id", "line_number"),
        _types(whole="line_number", number="quantity"),
        header=("tpl.shipments", ("shipment_id",)),
    ),
    "tpl.charges": Table(
        ("charge_id",),
        _types(day="charged_on", number="amount"),
        required=("amount", "currency", "charged_on"),
        money="amount",
    ),
    "tpl.returns": Table(("return_id",), _types(day="received_on", number="quantity")),
}

NET_PROFIT = "net_profit_after_cost_to_serve"

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?", re.ASCII)


class UnparseableError(ValueError):
    """A cell that does not follow the grammar of its type."""


def parse_cell(text: str, kind: str) -> Any:
    """The value of a text cell: ISO days and moments, a point as decimal mark, no thousands separators."""
    try:
        if kind == "whole" and _WHOLE.fullmatch(text):
            return int(text)
        if kind == "number" and _NUMBER.fullmatch(text):
            return Fraction(text)
        if kind == "day" and _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if kind == "moment" and _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
        if kind == "boolean" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "text":
            return text
    except ValueError:
        pass
    raise UnparseableError(f"{text!r} is no {kind}")


@dataclass
class Row:
    """A raw row, its parsed values and what became of it."""

    table: str
    raw: dict[str, str | None]
    values: dict[str, Any]
    status: str = ""
    rule: str = ""

    @property
    def source_system(self) -> str | None:
        """The instance the row comes from."""
        return self.raw["source_system"]

    @property
    def record_key(self) -> str:
        """The native key as the audit prints it."""
        return "|".join(self.raw[column] or "" for column in TABLES[self.table].key)

    @property
    def key(self) -> tuple[Any, ...]:
        """The key by value, within the source system."""
        return (self.source_system, *(self.values[column] for column in TABLES[self.table].key))

    @property
    def money(self) -> Fraction:
        """What the row says in the money column of its table; nothing, where it says no number."""
        column = TABLES[self.table].money
        return (self.values[column] if column else None) or Fraction(0)

    def quarantine(self, rule: str) -> None:
        """Set the row aside for one reason."""
        self.status, self.rule = QUARANTINED, rule


def read_csv(path: Path) -> list[dict[str, str | None]]:
    """Rows of a file; an empty cell is a missing value."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(file)]


def parse_row(table: str, raw: dict[str, str | None]) -> Row:
    """A row with its values; a key cell or any other cell that cannot be read settles its fate at once."""
    row = Row(table, raw, {})
    unparseable = False
    for column, cell in raw.items():
        kind = "moment" if column == "loaded_at" else TABLES[table].types.get(column, "text")
        try:
            row.values[column] = None if cell is None else parse_cell(cell, kind)
        except UnparseableError:
            unparseable = True
            row.values[column] = None
    contract = TABLES[table]
    if row.source_system is None or any(raw[column] is None for column in contract.key if column not in contract.optional_key):
        row.quarantine("key_missing")
    elif unparseable:
        row.quarantine("cell_unparseable")
    return row


def _check_content(row: Row) -> None:
    """The rules a row can break on its own."""
    values = row.values
    if row.table == "erp.invoices":
        document_type, invoice_date = values["document_type"], values["invoice_date"]
        if values["customer_id"] is None:
            return row.quarantine("customer_missing")
        if document_type is not None and document_type not in ("invoice", "credit_note"):
            return row.quarantine("document_type_unknown")
        if invoice_date is not None and _midnight(invoice_date) > values["loaded_at"] + timedelta(days=1):
            return row.quarantine("invoice_date_after_loading")
    if any(values[column] is None for column in TABLES[row.table].required):
        row.quarantine("required_value_missing")
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _settle_versions(rows: Iterable[Row]) -> None:
    """Per key: conflicting versions of one moment all go aside, the latest of the rest stands, copies are superseded."""
    by_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if not row.status:
            by_key[row.key].append(row)
    for versions in by_key.values():
        by_moment: dict[datetime, list[Row]] = defaultdict(list)
        for row in versions:
            by_moment[row.values["loaded_at"]].append(row)
        standing: list[Row] = []
        for moment in sorted(by_moment):
            contents = {tuple(sorted(row.raw.items(), key=lambda cell: cell[0])) for row in by_moment[moment]}
            if len(contents) > 1:
                for row in by_moment[moment]:
                    row.quarantine("conflicting_versions")
            else:
                standing.extend(by_moment[moment])
        for row in standing[:-1]:
            row.status = SUPERSEDED
        if standing:
            standing[-1].status = STAGED


def _check_headers(rows: Iterable[Row], headers: Iterable[Row], key: tuple[str, ...]) -> None:
    """A line needs its header: absent it waits, a faulty one takes its lines along."""
    staged = {row.key for row in headers if row.status == STAGED}
    faulty = {row.key for row in headers if row.status == QUARANTINED}
    for row in rows:
        if row.status == STAGED:
            header_key = (row.source_system, *(row.values[column] for column in key))
            if header_key not in staged:
                row.quarantine("header_quarantined" if header_key in faulty else "header_missing")


# ---------------------------------------------------------------------------------------------------------------
# Calendar (R11), money (R13), identity (R8, R9)


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _day(cell: str | None) -> date | None:
    return date.fromisoformat(cell) if cell else None


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def window(segment_type: Mapping[str, Any], as_of: date) -> tuple[date, date]:
    """R11: first and last day in scope."""
    if segment_type["window_end"] == "as_of_date":
        last = as_of
    else:
        last = as_of if as_of == month_end(as_of) else as_of.replace(day=1) - timedelta(days=1)
    if segment_type["interval"] == "fixed_year":
        start = date(last.year, segment_type["fiscal_year_start_month"], 1)
        # The fiscal year that began on `start` is complete only on the day before its anniversary.
        while months_before(start, -12) - timedelta(days=1) > last:
            start = months_before(start, 12)
        return start, months_before(start, -12) - timedelta(days=1)
    if last == month_end(last):
        return months_before(last.replace(day=1), segment_type["timespan_months"] - 1), last
    return months_before(last, segment_type["timespan_months"]) + timedelta(days=1), last


def round_half_up(value: Fraction) -> int:
    """To the nearest whole number, halves away from zero (so that a credit note mirrors its invoice)."""
    size = (abs(value) * 2 + 1) // 2
    return int(size if value >= 0 else -size)


def cents(value: Fraction) -> int:
    """An amount of money in cents."""
    return round_half_up(value * 100)


def millionths(part: Fraction | int, whole: Fraction | int) -> int:
    """A share as the marts show it: six decimals, half up."""
    return round_half_up(Fraction(part, whole) * 1_000_000)


def normalise_vat_number(vat_number: str | None, country: str | None) -> str | None:
    """R8: upper case, letters and digits, with its country; None for a placeholder or too few digits."""
    if vat_number is None:
        return None
    compact = re.sub(r"[^A-Z0-9]", "", vat_number.upper())
    digits = re.sub(r"[^0-9]", "", compact)
    is_placeholder = len(set(digits)) == 1 or "1234567890".startswith(digits)
    if len(digits) < 5 or is_placeholder:
        return None
    return compact if re.match(r"[A-Z]{2}", compact) else (country or "").upper() + compact


def normalise_name(name: str | None) -> str | None:
    """R9: a name as it is compared; capitals, blanks and punctuation do not tell firms apart."""
    return "".join(character for character in (name or "").lower() if character.isalnum()) or None


def global_id(source_system: str | None, native: str | None) -> str:
    """The id of a member across systems."""
    return f"{source_system}:{native}"


@dataclass(frozen=True)
class Line:
    """An accepted invoice line in reporting currency."""

    invoice_id: str
    line_number: int
    document_type: str
    invoice_date: date
    order_id: str | None
    order_key: str
    customer_id: str
    product_id: str
    branch_id: str
    sales_rep_id: str
    net_sales: int
    cost: int | None
    quantity: Fraction

    @property
    def gross_margin(self) -> int | None:
        """Net sales less cost, where the cost is known."""
        return None if self.cost is None else self.net_sales - self.cost


@dataclass
class Customer:
    """Who an ERP customer is and where it belongs."""

    customer_id: str
    source_system: str
    kind: str
    vat_number: str | None
    parent_id: str | None = None
    parent_source: str | None = None
    ultimate_parent_id: str = ""
    hierarchy_status: str = ""

    @property
    def vat_group_id(self) -> str:
        """All customers with one VAT number are one party; without a number a customer is itself."""
        return f"vat:{self.vat_number}" if self.vat_number else self.customer_id


def walk_up(start: str, parents: Mapping[str, str | None]) -> tuple[str, str]:
    """R8: the ultimate parent of a member and the state of the chain above it.

    ``parents`` names a parent, existing or not, for every existing member. A member of a cycle stands alone; whoever
    hangs below a break ends at the last ancestor that still is one.
    """
    path = [start]
    while (parent := parents[path[-1]]) is not None:
        if parent not in parents:
            return path[-1], "orphan_parent" if len(path) == 1 else "below_orphan"
        if parent in path:
            entry = path.index(parent)
            return path[entry], "cycle" if entry == 0 else "below_cycle"
        path.append(parent)
    return path[-1], "ok"


# ---------------------------------------------------------------------------------------------------------------
# Ranking (R1 to R4)

# What is ranked, in hundredths: cents of money, hundredths of an order or of a piece.
Amount = int | Fraction


@dataclass(frozen=True)
class Tier:
    """A tier of a segment type; what earns it is a share, a minimum, or nothing one can buy."""

    name: str
    rank: int = 1
    share: Fraction | None = None
    minimum: Amount | None = None
    is_default: bool = False
    is_excluded: bool = False


@dataclass(frozen=True)
class Ladder:
    """R1, R2: the tiers that sales can earn, best first, and how their limits are read."""

    tiers: tuple[Tier, ...]
    method: str = "cut_point"
    boundary: str = "upper"
    ties: str = "together"

    @property
    def lowest(self) -> str:
        """The tier of whoever earns no better one."""
        return self.tiers[-1].name

    def step(self, name: str) -> int:
        """Where a tier stands on the ladder, from the top."""
        return [tier.name for tier in self.tiers].index(name)


@dataclass(frozen=True)
class Span:
    """The stretch of a ranking somebody takes up: what comes before, the own part, what is reached with all equals."""

    before: Amount
    own: Amount
    included: Amount

    def is_inside(self, limit: Amount, boundary: str) -> bool:
        """R1: whether the stretch belongs to the tiers that end at a limit."""
        if boundary == "upper":
            return self.before < limit
        if boundary == "lower":
            return self.included <= limit
        return 2 * self.before + self.own < 2 * limit


@dataclass(frozen=True)
class Standing:
    """The place of an entity in a ranking."""

    rank: int
    before: Amount
    running: Amount
    total: Amount
    tier: str

    @property
    def share_before(self) -> int:
        """R3: what strictly larger entities hold (or, where ties are split, all earlier ones), in millionths."""
        return millionths(self.before, self.total)

    @property
    def cumulative_share(self) -> int:
        """What is held down to here, in millionths."""
        return millionths(self.running, self.total)


def spans(amounts: Sequence[Amount], ties: str, weigh: Callable[[Amount], Amount]) -> list[Span]:
    """R3: the stretch of every amount, largest first; equals share one unless ties are split."""
    result: list[Span] = []
    reached: Amount = 0
    for amount, equals in groupby(amounts):
        own, count = weigh(amount), len(list(equals))
        for size in [count] if ties == "together" else [1] * count:
            result += [Span(reached, own, reached + own * size)] * size
            reached += own * size
    return result


def cut(stretches: Sequence[Span], ladder: Ladder) -> list[str]:
    """R1, R2: global cuts; the first tier whose cumulative cut of the total lies beyond."""
    total = stretches[-1].included
    limits: list[tuple[str, Amount]] = []
    share = Fraction(0)
    for tier in ladder.tiers:
        share += tier.share or 0
        limits.append((tier.name, share * total))
    return [
        next((name for name, limit in limits if stretch.is_inside(limit, ladder.boundary)), ladder.lowest)
        for stretch in stretches
    ]


def fill_quotas(stretches: Sequence[Span], ladder: Ladder) -> list[str]:
    """R2, sequential_quota: every tier is filled to its own share of the total from where the one before it ended."""
    total = stretches[-1].included
    result = []
    reached: Amount = 0
    step, limit = 0, (ladder.tiers[0].share or 0) * total
    for stretch in stretches:
        while step + 1 < len(ladder.tiers) and not stretch.is_inside(limit, ladder.boundary):
            step += 1
            limit = reached + (ladder.tiers[step].share or 0) * total
        result.append(ladder.tiers[step].name)
        reached = stretch.included
    return result


def reach_minimums(amounts: Sequence[Amount], ladder: Ladder) -> list[str]:
    """R2, absolute: the first tier whose minimum an amount reaches."""
    return [next((tier.name for tier in ladder.tiers if tier.minimum <= amount), ladder.lowest) for amount in amounts]


def rank(amounts: Mapping[Any, Amount], ladder: Ladder) -> dict[Any, Standing]:
    """R1 to R4: the standing of everybody by a positive amount.

    Compared are whole numbers and fractions. Ids order equal amounts for display only, unless ties are to be split.
    """
    order = sorted(amounts, key=lambda entity: (-amounts[entity], entity))
    if not order:
        return {}
    largest_first = [amounts[entity] for entity in order]
    stretches = spans(largest_first, ladder.ties, lambda amount: amount)
    if ladder.method == "absolute":
        tiers = reach_minimums(largest_first, ladder)
    elif ladder.method == "sequential_quota":
        tiers = fill_quotas(stretches, ladder)
    elif ladder.method == "count":
        tiers = cut(spans(largest_first, ladder.ties, lambda amount: 1), ladder)
    else:
        tiers = cut(stretches, ladder)
    total = stretches[-1].included
    standings = {}
    running: Amount = 0
    for position, (entity, stretch, tier) in enumerate(zip(order, stretches, tiers, strict=True), start=1):
        running += stretch.own
        standings[entity] = Standing(position, stretch.before, running, total, tier)
    return standings


@dataclass(frozen=True)
class Neighbour:
    """The next tier that somebody is in (or, for absolute tiers, the next one), and what lies between."""

    tier: str
    distance: Amount


def neighbours(
    amounts: Mapping[Any, Amount], tiers: Mapping[Any, str], ladder: Ladder
) -> dict[Any, tuple[Neighbour | None, Neighbour | None]]:
    """The better and the worse neighbour of every ranked entity by its computed tier."""
    if ladder.method == "absolute":
        return {entity: _absolute_neighbours(amount, tiers[entity], ladder) for entity, amount in amounts.items()}
    smallest: dict[str, Amount] = {}
    largest: dict[str, Amount] = {}
    for entity, amount in amounts.items():
        tier = tiers[entity]
        smallest[tier] = min(amount, smallest.get(tier, amount))
        largest[tier] = max(amount, largest.get(tier, amount))
    held = [tier.name for tier in ladder.tiers if tier.name in smallest]
    result = {}
    for entity, amount in amounts.items():
        step = held.index(tiers[entity])
        better = Neighbour(held[step - 1], smallest[held[step - 1]] - amount) if step > 0 else None
        worse = Neighbour(held[step + 1], amount - largest[held[step + 1]]) if step + 1 < len(held) else None
        result[entity] = (better, worse)
    return result


def _absolute_neighbours(amount: Amount, tier: str, ladder: Ladder) -> tuple[Neighbour | None, Neighbour | None]:
    step = ladder.step(tier)
    better = ladder.tiers[step - 1] if step > 0 else None
    worse = ladder.tiers[step + 1] if step + 1 < len(ladder.tiers) else None
    return (
        Neighbour(better.name, better.minimum - amount) if better else None,
        Neighbour(worse.name, amount - ladder.tiers[step].minimum) if worse else None,
    )


# ---------------------------------------------------------------------------------------------------------------
# Sales of a window (R12) and outliers (R14)


@dataclass(frozen=True)
class Sales:
    """What was sold, in cents and pieces; of a member also order by order."""

    net_sales: int = 0
    cost: int = 0
    gross_margin: int = 0
    quantity: Fraction = Fraction(0)
    orders: tuple[Sales, ...] = ()

    @classmethod
    def of(cls, lines: Iterable[Line], orders: tuple[Sales, ...] = ()) -> Sales:
        """The sums of some lines; a line without a known cost has neither cost nor margin."""
        lines = list(lines)
        return cls(
            sum(line.net_sales for line in lines),
            sum(line.cost or 0 for line in lines),
            sum(line.gross_margin or 0 for line in lines),
            sum((line.quantity for line in lines), Fraction(0)),
            orders,
        )

    @classmethod
    def by_order(cls, lines: Sequence[Line]) -> Sales:
        """The sums of a member's lines; only what was invoiced is an order, its credit notes are part of it."""
        by_key: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_key[line.order_key].append(line)
        invoiced = (part for part in by_key.values() if any(line.document_type == "invoice" for line in part))
        return cls.of(lines, tuple(cls.of(part) for part in invoiced))

    def amount(self, metric: str) -> Amount:
        """What a metric says, in hundredths."""
        if metric == "quantity":
            return self.quantity * 100
        if metric == "order_count":
            return len(self.orders) * 100
        return self.net_sales if metric == "net_sales" else self.gross_margin


def median(values: Iterable[int]) -> Fraction:
    """The exact median; of an even number of values the mean of the two in the middle."""
    ordered = sorted(values)
    middle, is_odd = divmod(len(ordered), 2)
    return Fraction(ordered[middle]) if is_odd else Fraction(ordered[middle - 1] + ordered[middle], 2)


def outliers(orders: Sequence[Sales], multiple: Fraction, minimum: int) -> list[tuple[Sales, Fraction]]:
    """R14: the flagged orders of a customer, each with the most it should have been (a multiple of the others' median)."""
    flagged = []
    for position, order in enumerate(orders):
        if len(orders) > 3 and order.net_sales > minimum:
            others = [other.net_sales for other in (*orders[:position], *orders[position + 1 :])]
            limit = multiple * median(others)
            if order.net_sales > limit:
                flagged.append((order, limit))
    return flagged


def amount_lost(order: Sales, limit: Fraction, metric: str, treatment: str) -> Amount:
    """R14: what a flagged order takes from the metric; a capped one keeps its margin and pieces in proportion."""
    if treatment == "flag":
        return 0
    if treatment == "exclude":
        return 100 if metric == "order_count" else order.amount(metric)
    kept = max(0, round_half_up(limit))
    if metric == "order_count":
        return 0
    if metric == "net_sales":
        return order.net_sales - kept
    if metric in ("gross_margin", NET_PROFIT):
        return order.gross_margin - round_half_up(Fraction(order.gross_margin * kept, order.net_sales))
    kept_quantity = Fraction(round_half_up(order.quantity * 10_000 * kept / order.net_sales), 10_000)
    return (order.quantity - kept_quantity) * 100


# ---------------------------------------------------------------------------------------------------------------
# Decisions of people (R10) and hysteresis (R20)


@dataclass(frozen=True)
class Override:
    """A row of segment_overrides."""

    override_id: str
    segment_type_id: str
    entity_id: str | None
    mode: str
    tier: str | None
    valid_from: date
    valid_to: date | None
    reason: str | None
    requested_by: str
    approved_by: str
    recorded_on: date | None

    @classmethod
    def read(cls, row: Mapping[str, str | None]) -> Override:
        """From a row of the seed."""
        requested_by, approved_by = ((row[column] or "").strip().lower() for column in ("requested_by", "approved_by"))
        return cls(
            row["override_id"],
            row["segment_type_id"],
            row["entity_id"] or None,
            row["mode"],
            row["tier"] or None,
            date.fromisoformat(row["valid_from"]),
            _day(row["valid_to"]),
            row["reason"],
            requested_by,
            approved_by,
            _day(row["recorded_on"]),
        )

    @property
    def is_approved(self) -> bool:
        """Nobody approves what they asked for themselves."""
        return self.approved_by not in ("", self.requested_by)

    @property
    def order(self) -> tuple[Any, ...]:
        """The later start wins, then the higher id: o10 is higher than o9."""
        return self.valid_from, len(self.override_id), self.override_id

    def has_begun(self, day: date) -> bool:
        """Whether it counts at all and has begun."""
        return self.is_approved and self.valid_from <= day

    def is_in_force(self, day: date) -> bool:
        """The last day counts."""
        return self.has_begun(day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Ruling:
    """R10: what people's decisions come to for one entity on one day."""

    set_row: Override | None = None
    floor_row: Override | None = None
    clear_row: Override | None = None

    @property
    def consulted(self) -> Override | None:
        """The row that decides, even where it changes nothing."""
        return self.set_row or self.floor_row or self.clear_row


def rule(overrides: Iterable[Override], entity_id: str, day: date) -> Ruling:
    """R10: the rows of one type that decide about an entity on a day; a clear ends for good what began before it."""
    rows = [row for row in overrides if row.has_begun(day)]
    clears = [row for row in rows if row.mode == "clear_all" or (row.mode == "clear" and row.entity_id == entity_id)]
    decided = [row for row in rows if row.mode in ("set", "floor") and row.entity_id == entity_id and row.is_in_force(day)]
    ended_by = {row: [clear for clear in clears if clear.valid_from > row.valid_from] for row in decided}

    def latest(candidates: Iterable[Override]) -> Override | None:
        return max(candidates, key=lambda row: row.order, default=None)

    return Ruling(
        latest(row for row in decided if row.mode == "set" and not ended_by[row]),
        latest(row for row in decided if row.mode == "floor" and not ended_by[row]),
        latest(clear for row in decided for clear in ended_by[row]),
    )


def tier_in_force(ruling: Ruling, base: str, reason: str, computed: str, ranks: Mapping[str, int]) -> tuple[str, str]:
    """R10: the tier people go by, and why; ``base`` is the computed tier after hysteresis, ``ranks`` has 1 for the best."""
    if ruling.set_row:
        return ruling.set_row.tier or "", "override"
    if ruling.floor_row and ranks[ruling.floor_row.tier or ""] < ranks[base]:
        return ruling.floor_row.tier or "", "floor"
    if base != computed:
        return base, "hysteresis"
    return base, "default" if reason == "default_new" else "computed"


@dataclass(frozen=True)
class Damped:
    """R20: the tier before overrides, and whether another one is waiting."""

    applied: str
    status: str | None = None
    pending_tier: str | None = None
    pending_months: int | None = None


def damp(evaluations: Iterable[tuple[str, bool, bool]], months: int) -> list[Damped]:
    """R20: the applied tier of an entity, evaluation by evaluation: (computed tier, is ranked, is a month-end).

    Among ranked evaluations in a row a new tier waits until so many month-ends have said it one after the other.
    """
    result: list[Damped] = []
    applied, candidate, streak = None, None, 0
    for computed, is_ranked, is_month_end in evaluations:
        if not is_ranked:
            applied, candidate, streak = None, None, 0
        else:
            applied = applied or computed
            if is_month_end:
                candidate, streak = computed, streak + 1 if computed == candidate else 1
                applied = computed if streak >= months else applied
        now = applied if is_ranked and applied else computed
        if now != computed:
            result.append(Damped(now, "pending", computed, streak if computed == candidate else 0))
        elif not result:
            result.append(Damped(now, "initial", None, 0))
        else:
            result.append(Damped(now, "changed" if now != result[-1].applied else "stable", None, 0))
    return result


# ---------------------------------------------------------------------------------------------------------------
# Entities and members


@dataclass(frozen=True, order=True)
class Entity:
    """Who is ranked. An internal customer stands apart even from the group that bears its name."""

    entity_id: str
    is_internal: bool = False


@dataclass
class Evaluation:
    """An entity under one segment type on one day."""

    first_invoiced: date | None
    net_sales: int
    has_scope: bool
    metric: Amount
    untreated: Amount
    outlier_amount: int
    outlier_order_count: int
    ruling: Ruling
    base_reason: str = ""
    reason: str = ""
    is_counted: bool = False
    computed_tier: str = ""
    standing: Standing | None = None
    better: Neighbour | None = None
    worse: Neighbour | None = None
    damped: Damped | None = None
    tier: str = ""
    tier_source: str = ""


@dataclass(frozen=True)
class Member:
    """A customer or product under one segment type on one day, in the columns of the marts (money in cents)."""

    member_id: str
    entity: Entity
    inherited_from: str | None
    window_from: date
    window_to: date
    first_invoice_date: date | None
    net_sales: int
    cost: int
    gross_margin: int
    metric_amount: int
    metric_amount_untreated: int
    outlier_amount: int
    outlier_order_count: int
    eligible_amount: int | None
    sales_rank: int | None
    share_before: int | None
    cumulative_share: int | None
    computed_tier: str
    reason_code: str
    override_id: str | None
    override_reason: str | None
    tier: str
    tier_source: str
    distance_to_better_tier: int | None
    distance_to_worse_tier: int | None
    hysteresis_status: str | None
    pending_tier: str | None
    pending_months: int | None

    @property
    def entity_id(self) -> str:
        """The entity whose tier this is."""
        return self.entity.entity_id

    @property
    def is_ranked(self) -> bool:
        """Whether the entity takes part in the ranking."""
        return self.reason_code == "ranked"


# ---------------------------------------------------------------------------------------------------------------
# Concentration and variation


def gini(amounts: Iterable[int]) -> Fraction:
    """The population Gini coefficient: 2 * sum(i * x_i) / (n * sum(x)) - (n + 1) / n, smallest first."""
    ordered = sorted(amounts)
    count = len(ordered)
    weighted = sum(position * amount for position, amount in enumerate(ordered, start=1))
    return Fraction(2 * weighted, count * sum(ordered)) - Fraction(count + 1, count)


def variation(quantities: Sequence[Fraction]) -> Fraction | None:
    """R23: the square of the population coefficient of variation; None where there is nothing to compare with."""
    count, total = len(quantities), sum(quantities)
    if total <= 0:
        return None
    return (count * sum(quantity * quantity for quantity in quantities) - total * total) / total**2


# ---------------------------------------------------------------------------------------------------------------
# Configuration (section 3)


def _hundredths(cell: str | None) -> Amount | None:
    return Fraction(cell) * 100 if cell else None


@dataclass(frozen=True)
class Configuration:
    """The seeds this recomputation understands; an empty cell is the default."""

    organisation_of: dict[str, str]
    segment_types: dict[str, dict[str, Any]]
    tiers: dict[str, list[Tier]]
    branches: dict[str, frozenset[str]]
    brands: dict[str, frozenset[str]]
    account_matches: list[dict[str, str | None]]
    parent_overrides: list[dict[str, str | None]]
    overrides: dict[str, list[Override]]
    cost_pools: list[dict[str, str | None]]

    @classmethod
    def read(cls, folder: Path) -> Configuration:
        """Read a folder of seeds."""

        def read(seed: str) -> list[dict[str, str | None]]:
            path = folder / f"{seed}.csv"
            return read_csv(path) if path.exists() else []

        def values_per_type(seed: str, column: str) -> dict[str, frozenset[str]]:
            values: dict[str, set[str]] = defaultdict(set)
            for row in read(seed):
                values[row["segment_type_id"]].add(row[column])
            return {identifier: frozenset(found) for identifier, found in values.items()}

        tiers: dict[str, list[Tier]] = defaultdict(list)
        for row in sorted(read("segment_tiers"), key=lambda row: int(row["tier_rank"])):
            tiers[row["segment_type_id"]].append(
                Tier(
                    row["tier"],
                    int(row["tier_rank"]),
                    Fraction(row["sales_share"]) if row["sales_share"] else None,
                    _hundredths(row["minimum_amount"]),
                    row["is_default"] == "true",
                    row["is_excluded"] == "true",
                )
            )
        overrides: dict[str, list[Override]] = defaultdict(list)
        for row in read("segment_overrides"):
            overrides[row["segment_type_id"]].append(Override.read(row))
        segment_types = {row["segment_type_id"]: cls._segment_type(row) for row in read("segment_types")}
        return cls(
            {row["source_system"]: row["organisation_id"] for row in read("organisations")},
            {identifier: row for identifier, row in segment_types.items() if row["status"] != "retired"},
            tiers,
            values_per_type("segment_type_branches", "branch_id"),
            values_per_type("segment_type_brands", "brand"),
            read("account_match_overrides"),
            read("hierarchy_overrides"),
            overrides,
            read("cost_pools"),
        )

    @staticmethod
    def _segment_type(row: dict[str, str | None]) -> dict[str, Any]:
        new_customer_days = row["new_customer_days"] or ("90" if row["entity"] == "customer" else "0")
        segment_type = {
            "family": row["family"] or row["segment_type_id"],
            "version": int(row["version"] or 1),
            "entity": row["entity"],
            "organisation_id": row["organisation_id"],
            "level": "vat" if row["identity_basis"] == "vat" else row["hierarchy_level"] or "customer",
            "metric": row["metric"] or "net_sales",
            "metric_basis": row["metric_basis"] or "actual",
            "timespan_months": int(row["timespan_months"] or 12),
            "interval": row["interval"] or "rolling",
            "fiscal_year_start_month": int(row["fiscal_year_start_month"] or 1),
            "window_end": row["window_end"] or "last_complete_month",
            "min_net_sales": cents(Fraction(row["min_net_sales"])) if row["min_net_sales"] else None,
            "new_customer_days": int(new_customer_days),
            "outlier_treatment": row["outlier_treatment"] or "flag",
            "boundary": row["boundary"] or "upper",
            "method": row["method"] or "cut_point",
            "ties": row["ties"] or "together",
            "denominator": row["denominator"] or "eligible",
            "hysteresis_months": int(row["hysteresis_months"] or 0),
            "xyz_x_limit": Fraction(row["xyz_x_limit"] or "0.20"),
            "xyz_y_limit": Fraction(row["xyz_y_limit"] or "0.60"),
            "status": row["status"] or "active",
        }
        return segment_type

    def ladder(self, segment_type_id: str) -> Ladder:
        """R1, R2: the tiers that sales can earn under a type."""
        segment_type = self.segment_types[segment_type_id]
        is_absolute = segment_type["method"] == "absolute"
        earned = (
            tier for tier in self.tiers[segment_type_id] if (tier.minimum if is_absolute else tier.share) is not None
        )
        return Ladder(tuple(earned), segment_type["method"], segment_type["boundary"], segment_type["ties"])

    def tier(self, segment_type_id: str, name: str) -> Tier:
        """A tier by its name."""
        return next(tier for tier in self.tiers[segment_type_id] if tier.name == name)

    def tier_without_rank(self, segment_type_id: str, reason: str) -> str:
        """R6: the tier of a member that is not ranked."""
        tiers = self.tiers[segment_type_id]
        fitting = {
            "default_new": [tier.name for tier in tiers if tier.is_default],
            "excluded": [tier.name for tier in tiers if tier.is_excluded],
        }
        return next(iter(fitting.get(reason, [])), self.ladder(segment_type_id).lowest)


# ---------------------------------------------------------------------------------------------------------------
# What the marts about segments say


@dataclass(frozen=True)
class TierSummary:
    """A tier in force on a day; shares in millionths."""

    tier_rank: int
    member_count: int
    excluded_member_count: int
    entity_count: int
    ranked_entity_count: int
    net_sales: int
    cost: int
    gross_margin: int
    cost_to_serve: int | None
    net_profit: int | None
    member_share: int
    net_sales_share: int | None


@dataclass(frozen=True)
class Concentration:
    """How concentrated the counted entities are, and what stayed out; shares in millionths."""

    entity_count: int
    ranked_entity_count: int
    eligible_amount: int
    excluded_amount: int
    new_amount: int
    below_minimum_amount: int
    non_positive_amount: int
    gini: int | None = None
    top_fifth_share: int | None = None
    largest_share: int | None = None
    best_tier_share: int | None = None
    best_tier_share_without_largest: int | None = None
    best_tier_entity_count: int = 0


@dataclass(frozen=True)
class Movement:
    """Members that went from one tier to another between two month-ends; the share of the former tier in millionths."""

    previous_month_end: date
    movement: str
    member_count: int
    net_sales: int
    from_share: int


@dataclass(frozen=True)
class Edge:
    """An entity close to another tier."""

    direction: str
    computed_tier: str
    neighbouring_tier: str
    edge_rank: int
    entity_id: str
    metric_amount: int
    distance: int


@dataclass(frozen=True)
class MonthlyPattern:
    """R23: how evenly a product sells; mean with four decimals, squared variation with six, as whole numbers."""

    xyz_class: str
    monthly_quantity_mean: int | None
    squared_variation: int | None


# ---------------------------------------------------------------------------------------------------------------
# Everything together


class World:
    """All that follows from a raw folder and a configuration folder."""

    def __init__(
        self,
        raw: Mapping[str, list[dict[str, str | None]]],
        configuration: Configuration,
        run_date: date,
        as_of: date | None = None,
        reporting_currency: str = "EUR",
        known_on: date | None = None,
        first_month_end: date | None = None,
        outlier_multiple: Fraction = Fraction(10),
        outlier_minimum_amount: Fraction = Fraction(5000),
    ) -> None:
        """Judge the rows of every table; the rest is computed when it is asked for."""
        self.configuration = configuration
        self.run_date = run_date
        self.reporting_currency = reporting_currency
        self.outlier_multiple = Fraction(outlier_multiple)
        self.outlier_minimum_amount = cents(Fraction(outlier_minimum_amount))
        self._as_of = as_of
        self._known_on = known_on
        self._first_month_end = first_month_end
        self._answers: dict[tuple[Any, ...], Any] = {}
        self._known_members: dict[str, set[tuple[Any, ...]]] = {}
        self.verdicts: dict[str, list[Row]] = {
            table: [parse_row(table, row) for row in raw.get(table, [])] for table in TABLES
        }
        self._judge()

    @classmethod
    def read(cls, raw: Path, configuration: Path, run_date: date | None = None, **options: Any) -> World:
        """From folders of CSV files."""
        tables = {}
        for table, contract in TABLES.items():
            path = raw / f"{table.replace('.', '/')}.csv"
            if path.exists() or not contract.optional:
                tables[table] = read_csv(path)
        return cls(tables, Configuration.read(configuration), run_date or date.today(), **options)

    # Verdicts

    def _judge(self) -> None:
        for rows in self.verdicts.values():
            for row in rows:
                if not row.status:
                    _check_content(row)
            _settle_versions(rows)
        known_customers = {row.key for row in self.staged("erp.customers")}
        for row in self.staged("erp.invoices"):
            if (row.source_system, row.values["customer_id"]) not in known_customers:
                row.quarantine("customer_unknown")
        for table, contract in TABLES.items():
            if contract.header:
                header_table, key = contract.header
                _check_headers(self.verdicts[table], self.verdicts[header_table], key)
        for row in self.staged("erp.invoice_lines"):
            if self.factor_of(self.header_of(row)) is None:
                row.quarantine("exchange_rate_missing")
        for table in ("erp.cost_ledger", "tpl.charges"):
            for row in self.staged(table):
                if self.cost_of(row) is None:
                    row.quarantine("exchange_rate_missing")

    def cost_of(self, row: Row) -> int | None:
        """R13: a row of the ledger or a charge in cents, at the rate of the month's last day or of the day it was charged."""
        day = month_end(row.values["ledger_month"]) if row.table == "erp.cost_ledger" else row.values["charged_on"]
        factor = self.factor(row.source_system, row.values["currency"].upper(), day)
        return None if factor is None else cents(row.values["amount"] * factor)

    def staged(self, table: str) -> list[Row]:
        """The rows of a table that count."""
        return [row for row in self.verdicts[table] if row.status == STAGED]

    def record_counts(self) -> dict[tuple[str, str, str, str], tuple[int, Fraction]]:
        """Rows and money per table, source system, status and rule."""
        counts: dict[tuple[str, str, str, str], tuple[int, Fraction]] = {}
        for table, rows in self.verdicts.items():
            for row in rows:
                group = (table, row.source_system or "(empty)", row.status, row.rule)
                count, amount = counts.get(group, (0, Fraction(0)))
                counts[group] = (count + 1, amount + row.money)
        return counts

    # Sales

    @cached_property
    def _invoices(self) -> dict[tuple[Any, ...], Row]:
        return {row.key: row for row in self.staged("erp.invoices")}

    def header_of(self, line: Row) -> Row:
        """The invoice of a staged line."""
        return self._invoices[(line.source_system, line.values["invoice_id"])]

    @cached_property
    def _rates(self) -> dict[tuple[str, str, str], list[tuple[date, Fraction]]]:
        rates: dict[tuple[str, str, str], list[tuple[date, Fraction]]] = defaultdict(list)
        for row in self.staged("erp.exchange_rates"):
            values = row.values
            rates[row.source_system, values["from_currency"], values["to_currency"]].append(
                (values["rate_date"], values["rate"])
            )
        for quotes in rates.values():
            quotes.sort()
        return rates

    def factor_of(self, invoice: Row) -> Fraction | None:
        """R13: what one unit of a document is worth in reporting currency; None where no rate says so."""
        return self.factor(invoice.source_system, invoice.values["currency"], invoice.values["invoice_date"])

    def factor(self, own: str | None, currency: str | None, day: date) -> Fraction | None:
        """R13: the rate of a day as a source knows it, direct before inverse; else as the others do."""
        if currency is None:
            return None
        if currency == self.reporting_currency:
            return Fraction(1)
        others = sorted({source for source, _, _ in self._rates if source != own})
        for source in (own, *others):
            if (rate := self._latest_rate(source, currency, self.reporting_currency, day)) is not None:
                return rate
            if (rate := self._latest_rate(source, self.reporting_currency, currency, day)) is not None:
                return 1 / rate
        return None

    def _latest_rate(self, source: str | None, from_currency: str, to_currency: str, day: date) -> Fraction | None:
        quotes = self._rates.get((source, from_currency, to_currency), [])
        return max((quote for quote in quotes if quote[0] <= day), default=(day, None))[1]

    def _known(self, table: str) -> set[tuple[Any, ...]]:
        if table not in self._known_members:
            self._known_members[table] = {row.key for row in self.staged(table)}
        return self._known_members[table]

    @cached_property
    def lines(self) -> list[Line]:
        """R12, R13: every accepted line on the customer it counts for, in cents of the reporting currency."""
        members = {
            "product_id": self._known("erp.products"),
            "branch_id": self._known("erp.branches"),
            "sales_rep_id": self._known("erp.sales_reps"),
        }

        def member(column: str, row: Row) -> str:
            key = (row.source_system, row.values[column])
            return global_id(*key) if key in members[column] else UNKNOWN

        result = []
        for line in self.staged("erp.invoice_lines"):
            invoice = self.header_of(line)
            factor = self.factor_of(invoice)
            cost = line.values["cost_amount"]
            order_id = invoice.values["order_id"]
            result.append(
                Line(
                    invoice_id=global_id(line.source_system, line.values["invoice_id"]),
                    line_number=line.values["line_number"],
                    document_type=invoice.values["document_type"],
                    invoice_date=invoice.values["invoice_date"],
                    order_id=global_id(line.source_system, order_id) if order_id else None,
                    order_key=self.order_key_of(invoice),
                    customer_id=self.customer_of(invoice),
                    product_id=member("product_id", line),
                    branch_id=member("branch_id", invoice),
                    sales_rep_id=member("sales_rep_id", invoice),
                    net_sales=cents(line.values["net_amount"] * factor),
                    cost=None if cost is None else cents(cost * factor),
                    quantity=line.values["quantity"] or Fraction(0),
                )
            )
        return result

    def customer_of(self, invoice: Row) -> str:
        """R12: a credit note counts on the customer of the invoice it corrects, where that one is known."""
        if invoice.values["document_type"] == "credit_note":
            original = self._invoices.get((invoice.source_system, invoice.values["original_invoice_id"]))
            if original is not None:
                return global_id(original.source_system, original.values["customer_id"])
        return global_id(invoice.source_system, invoice.values["customer_id"])

    def order_key_of(self, invoice: Row) -> str:
        """R12, R14: the order a document belongs to; without one the invoice stands for it, also for its credit notes."""
        document, order_id = invoice, invoice.values["order_id"]
        if order_id is None and invoice.values["document_type"] == "credit_note":
            original = self._invoices.get((invoice.source_system, invoice.values["original_invoice_id"]))
            if original is not None:
                document, order_id = original, original.values["order_id"]
        if order_id is not None:
            return f"order {global_id(document.source_system, order_id)}"
        return f"invoice {global_id(document.source_system, document.values['invoice_id'])}"

    def unknown_members(self) -> set[tuple[str, str]]:
        """(finding, native id) of every product, branch and representative that sales name and master data does not."""
        found = set()
        invoices = {}
        for line in self.staged("erp.invoice_lines"):
            invoice = self.header_of(line)
            invoices[invoice.key] = invoice
            self._note_unknown(found, "erp.products", "product", line)
        for invoice in invoices.values():
            self._note_unknown(found, "erp.branches", "branch", invoice)
            self._note_unknown(found, "erp.sales_reps", "sales_rep", invoice)
        return found

    def _note_unknown(self, found: set[tuple[str, str]], table: str, kind: str, row: Row) -> None:
        native = row.values[f"{kind}_id"]
        if native is not None and (row.source_system, native) not in self._known(table):
            found.add((f"{kind}_unknown", global_id(row.source_system, native)))

    # Customers

    @cached_property
    def matches(self) -> dict[tuple[str, str, str], str]:
        """R9: (customer, party kind, party) and the rule that links them."""
        return self._match()[0]

    @cached_property
    def ambiguous_matches(self) -> set[tuple[str, str, str]]:
        """R9: (customer, party kind, rule) where more than one party fits equally well, so none is linked."""
        return self._match()[1]

    def _match(self) -> tuple[dict[tuple[str, str, str], str], set[tuple[str, str, str]]]:
        links: dict[tuple[str, str, str], str] = {}
        ambiguous: set[tuple[str, str, str]] = set()
        customers = self.staged("erp.customers")
        known = {global_id(*row.key) for row in customers}
        manual = {
            (row["customer_id"], row["party_kind"], row["party_id"]): row["action"]
            for row in self.configuration.account_matches
            if row["approved_by"]
        }
        by_rule = self._account_candidates(customers)
        by_rule["cross_reference", "tpl_consignee"] = {
            (owner, party) for party, owners in self._consignee_customers().items() for owner in owners
        }
        for (_, kind), pairs in by_rule.items():
            pairs -= {pair for pair in pairs if manual.get((pair[0], kind, pair[1])) == "never_match"}
        accounts = {global_id(row.source_system, row.values["account_id"]) for row in self.staged("crm.accounts")}
        for (customer, kind, party), action in manual.items():
            # Nobody can be matched with an account that is not there; of consignees there is no list.
            if action == "match" and (kind != "crm_account" or party in accounts):
                by_rule["manual", kind].add((customer, party))
        for kind in ("crm_account", "tpl_consignee"):
            # A customer has one account per CRM and any number of delivery addresses, an address one customer.
            settled: set[tuple[str, ...]] = set()
            for rule in ("manual", "cross_reference", "vat_number", "name_and_address"):
                candidates: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
                for customer, party in sorted(by_rule.get((rule, kind), set())):
                    question = (customer, party.split(":", 1)[0]) if kind == "crm_account" else (party,)
                    if customer in known and question not in settled:
                        candidates[question].append((customer, party))
                settled.update(candidates)
                for pairs in candidates.values():
                    if len(pairs) > 1:
                        ambiguous.update((customer, kind, rule) for customer, _ in pairs)
                    else:
                        links[pairs[0][0], kind, pairs[0][1]] = rule
        return links, ambiguous

    def _account_candidates(self, customers: list[Row]) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """(rule, party kind): pairs of a customer and an account that fit by that rule."""
        by_vat: dict[str, list[str]] = defaultdict(list)
        by_name: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for row in customers:
            customer = global_id(*row.key)
            if vat_number := normalise_vat_number(row.values["vat_number"], row.values["country"]):
                by_vat[vat_number].append(customer)
            if name := _name_and_place(row):
                by_name[name].append(customer)
        pairs: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for row in self.staged("crm.accounts"):
            account = global_id(row.source_system, row.values["account_id"])
            reference = global_id(row.values["erp_source_system"], row.values["erp_customer_id"])
            pairs["cross_reference", "crm_account"].add((reference, account))
            vat_number = normalise_vat_number(row.values["vat_number"], row.values["country"])
            for customer in by_vat.get(vat_number or "", ()):
                pairs["vat_number", "crm_account"].add((customer, account))
            for customer in by_name.get(_name_and_place(row) or (), ()):
                pairs["name_and_address", "crm_account"].add((customer, account))
        return pairs

    def _consignee_customers(self) -> dict[str, list[str]]:
        """The customers behind every consignee code, by the orders shipped to it."""
        customers = {(row.source_system, row.values["customer_id"]) for row in self.staged("erp.customers")}
        orders = {
            row.key: (row.source_system, row.values["customer_id"])
            for row in self.staged("erp.orders")
            if (row.source_system, row.values["customer_id"]) in customers
        }
        owners: dict[str, set[str]] = defaultdict(set)
        for row in self.staged("tpl.shipments"):
            owner = orders.get(((row.values["erp_source_system"] or "").lower(), row.values["order_id"]))
            if owner and row.values["consignee_code"]:
                owners[global_id(row.source_system, row.values["consignee_code"])].add(global_id(*owner))
        return {party: sorted(found) for party, found in owners.items()}

    @cached_property
    def crm_parents(self) -> dict[str, str]:
        """What the CRM says about parents, in customers: of the account, its parent, and whom that one stands for."""
        customers_of: dict[str, list[tuple[str, str]]] = defaultdict(list)
        accounts_of: dict[str, list[str]] = defaultdict(list)
        for (customer, kind, party), rule in self.matches.items():
            if kind == "crm_account":
                customers_of[party].append((customer, rule))
                accounts_of[customer].append(party)
        parent_account = {
            global_id(row.source_system, row.values["account_id"]): global_id(
                row.source_system, row.values["parent_account_id"]
            )
            for row in self.staged("crm.accounts")
            if row.values["parent_account_id"]
        }
        parents: dict[str, str] = {}
        for customer, accounts in accounts_of.items():
            for account in sorted(accounts):
                linked = customers_of.get(parent_account.get(account, ""), [])
                named = [other for other, rule in linked if rule in ("manual", "cross_reference")]
                candidates = named if len(named) == 1 else [other for other, _ in linked]
                if len(candidates) == 1 and candidates[0] != customer:
                    parents.setdefault(customer, candidates[0])
        return parents

    @cached_property
    def erp_parents(self) -> dict[str, str]:
        """What the ERP says about parents, existing or not."""
        return {
            global_id(row.source_system, row.values["customer_id"]): global_id(
                row.source_system, row.values["parent_customer_id"]
            )
            for row in self.staged("erp.customers")
            if row.values["parent_customer_id"]
        }

    def parents_in_force(self, day: date) -> dict[str, str | None]:
        """R8: what people decided about parents, where it is approved and in force on the day; both bounds count."""
        return {
            row["customer_id"]: row["parent_customer_id"]
            for row in self.configuration.parent_overrides
            if row["approved_by"]
            and date.fromisoformat(row["valid_from"]) <= day
            and (row["valid_to"] is None or date.fromisoformat(row["valid_to"]) >= day)
        }

    @property
    def customers(self) -> dict[str, Customer]:
        """R8: every customer as of the run."""
        return self.customers_on(self.as_of)

    def customers_on(self, day: date) -> dict[str, Customer]:
        """R8, R18: every customer with its parent on a day, ultimate parent and the state of the chain."""
        in_force = self.parents_in_force(day)
        return self._once(
            ("customers", *sorted(in_force.items(), key=lambda pair: pair[0])), lambda: self._customers(in_force)
        )

    def _customers(self, overridden_parents: Mapping[str, str | None]) -> dict[str, Customer]:
        result = {}
        for row in self.staged("erp.customers"):
            customer_id = global_id(row.source_system, row.values["customer_id"])
            customer = Customer(
                customer_id,
                row.source_system,
                row.values["customer_kind"] or "trade",
                normalise_vat_number(row.values["vat_number"], row.values["country"]),
            )
            sources = (("override", overridden_parents), ("erp", self.erp_parents), ("crm", self.crm_parents))
            for source, parents in sources:
                if customer_id in parents:
                    customer.parent_id, customer.parent_source = parents[customer_id], source
                    break
            result[customer_id] = customer
        parents = {customer.customer_id: customer.parent_id for customer in result.values()}
        for customer in result.values():
            customer.ultimate_parent_id, customer.hierarchy_status = walk_up(customer.customer_id, parents)
        return result

    def _once(self, question: tuple[Any, ...], answer: Callable[[], Any]) -> Any:
        """The answer to a question that is asked often."""
        if question not in self._answers:
            self._answers[question] = answer()
        return self._answers[question]

    def hierarchy_findings(self) -> set[tuple[str, str]]:
        """(finding, customer) of every broken chain and every disagreement about a parent."""
        names = {
            "cycle": "parent_cycle",
            "below_cycle": "parent_below_cycle",
            "orphan_parent": "parent_orphan",
            "below_orphan": "parent_below_orphan",
        }
        broken = {
            (names[customer.hierarchy_status], customer.customer_id)
            for customer in self.customers.values()
            if customer.hierarchy_status != "ok"
        }
        disputed = {
            ("parent_disagreement", customer)
            for customer, parent in self.crm_parents.items()
            if self.erp_parents.get(customer, parent) != parent
        }
        return broken | disputed

    def vat_number_findings(self) -> set[str]:
        """Customers and CRM accounts whose VAT number is written down and yet none."""
        return {
            global_id(*row.key)
            for row in [*self.staged("erp.customers"), *self.staged("crm.accounts")]
            if row.values["vat_number"]
            and not normalise_vat_number(row.values["vat_number"], row.values["country"])
        }

    # Segments

    @cached_property
    def as_of(self) -> date:
        """R11: the day the tiers are for."""
        if self._as_of:
            return self._as_of
        return max(
            row.values["invoice_date"]
            for row in self.staged("erp.invoices")
            if row.values["invoice_date"] <= self.run_date
        )

    @cached_property
    def month_ends(self) -> list[date]:
        """R18: from the month of the first accepted document to the as-of date, at most 120."""
        documents = [row.values["invoice_date"] for row in self.staged("erp.invoices")]
        first = self._first_month_end or min(documents, default=date.max)
        result = []
        last = self.as_of if self.as_of == month_end(self.as_of) else self.as_of.replace(day=1) - timedelta(days=1)
        while last >= first and len(result) < 120:
            result.append(last)
            last = last.replace(day=1) - timedelta(days=1)
        return result[::-1]

    @property
    def evaluation_dates(self) -> list[date]:
        """R18: the month-ends, and the as-of date where it is none."""
        return sorted({*self.month_ends, self.as_of})

    @cached_property
    def overrides(self) -> dict[str, list[Override]]:
        """R19: people's decisions per type, as far as they were recorded by then."""
        return {
            identifier: [
                row
                for row in rows
                if self._known_on is None or row.recorded_on is None or row.recorded_on <= self._known_on
            ]
            for identifier, rows in self.configuration.overrides.items()
        }

    # Members

    def members(self, segment_type_id: str, day: date | None = None) -> dict[str, Member]:
        """One member per customer or product: as of the run everybody, on a month-end those who have appeared."""
        segment_type = self.configuration.segment_types[segment_type_id]
        population = self._appeared if day in self.month_ends else self._population
        day = day or self.as_of
        first, last = window(segment_type, day)
        sales = self._sales(segment_type_id, first, last)
        evaluations = self.evaluations(segment_type_id, day)
        return {
            member_id: self._member(member_id, entity, evaluations[entity], sales.get(member_id, Sales()), (first, last))
            for member_id, entity in population(segment_type, day).items()
        }

    def monthly(self, segment_type_id: str) -> dict[date, dict[str, Member]]:
        """The members of every month-end."""
        return {day: self.members(segment_type_id, day) for day in self.month_ends}

    @staticmethod
    def _member(
        member_id: str, entity: Entity, evaluation: Evaluation, own: Sales, bounds: tuple[date, date]
    ) -> Member:
        ranked = evaluation.reason == "ranked"
        standing = evaluation.standing if ranked else None
        consulted, damped = evaluation.ruling.consulted, evaluation.damped
        return Member(
            member_id=member_id,
            entity=entity,
            inherited_from=None if entity.entity_id == member_id else entity.entity_id,
            window_from=bounds[0],
            window_to=bounds[1],
            first_invoice_date=evaluation.first_invoiced,
            net_sales=own.net_sales,
            cost=own.cost,
            gross_margin=own.gross_margin,
            metric_amount=round_half_up(evaluation.metric),
            metric_amount_untreated=round_half_up(evaluation.untreated),
            outlier_amount=evaluation.outlier_amount,
            outlier_order_count=evaluation.outlier_order_count,
            eligible_amount=round_half_up(evaluation.metric) if ranked else None,
            sales_rank=standing.rank if standing else None,
            share_before=standing.share_before if standing else None,
            cumulative_share=standing.cumulative_share if standing else None,
            computed_tier=evaluation.computed_tier,
            reason_code=evaluation.reason,
            override_id=consulted.override_id if consulted else None,
            override_reason=consulted.reason if consulted else None,
            tier=evaluation.tier,
            tier_source=evaluation.tier_source,
            distance_to_better_tier=round_half_up(evaluation.better.distance) if evaluation.better else None,
            distance_to_worse_tier=round_half_up(evaluation.worse.distance) if evaluation.worse else None,
            hysteresis_status=damped.status if damped else None,
            pending_tier=damped.pending_tier if damped else None,
            pending_months=damped.pending_months if damped else None,
        )

    def _population(self, segment_type: Mapping[str, Any], day: date) -> dict[str, Entity]:
        """The entity of every member of a type on a day."""
        organisation = segment_type["organisation_id"]

        def belongs(source_system: str) -> bool:
            return organisation is None or self.configuration.organisation_of.get(source_system) == organisation

        if segment_type["entity"] == "product":
            keys = [row.key for row in self.staged("erp.products") if belongs(row.source_system)]
            return {global_id(*key): Entity(global_id(*key)) for key in keys}
        group: Callable[[Customer], str] = {
            "customer": lambda customer: customer.customer_id,
            "ultimate_parent": lambda customer: customer.ultimate_parent_id,
            "vat": lambda customer: customer.vat_group_id,
        }[segment_type["level"]]
        entity_of = {}
        for customer in self.customers_on(day).values():
            if belongs(customer.source_system):
                is_internal = customer.kind in ("internal", "test")
                entity_id = customer.customer_id if is_internal else group(customer)
                entity_of[customer.customer_id] = Entity(entity_id, is_internal)
        return entity_of

    def _appeared(self, segment_type: Mapping[str, Any], day: date) -> dict[str, Entity]:
        """R18: of the population those who were created, or sold to, by a day."""
        entity = segment_type["entity"]
        dates = self._once(("appearances", entity), lambda: list(self._appearances(entity)))
        known = self._once(("appeared", entity, day), lambda: {member_id for member_id, first in dates if first <= day})
        return {member: owner for member, owner in self._population(segment_type, day).items() if member in known}

    def _appearances(self, entity: str) -> Iterable[tuple[str, date]]:
        """Members and the days that make them known: master data and any accepted document."""
        if entity == "product":
            masters = ((global_id(*row.key), row.values["launched_on"]) for row in self.staged("erp.products"))
            documents = ((line.product_id, line.invoice_date) for line in self.lines)
        else:
            masters = ((global_id(*row.key), row.values["created_on"]) for row in self.staged("erp.customers"))
            documents = ((self.customer_of(row), row.values["invoice_date"]) for row in self.staged("erp.invoices"))
        yield from ((member_id, day) for member_id, day in masters if day)
        yield from documents

    # Sales in scope

    def _scope(self, segment_type_id: str) -> tuple[Any, ...]:
        """R8: who is counted, in which branches and brands."""
        return (
            self.configuration.segment_types[segment_type_id]["entity"],
            self.configuration.branches.get(segment_type_id),
            self.configuration.brands.get(segment_type_id),
        )

    def _lines_in(self, scope: tuple[Any, ...]) -> dict[str, list[Line]]:
        """The lines of a scope per member, earliest first."""
        entity, branches, brands = scope
        brand_of = {global_id(*row.key): row.values["brand"] for row in self.staged("erp.products")}
        result: dict[str, list[Line]] = defaultdict(list)
        for line in sorted(self.lines, key=lambda line: line.invoice_date):
            if (not branches or line.branch_id in branches) and (not brands or brand_of.get(line.product_id) in brands):
                result[line.product_id if entity == "product" else line.customer_id].append(line)
        return result

    def _sales(self, segment_type_id: str, first: date, last: date) -> dict[str, Sales]:
        """The sales of every member with a line in a window."""
        scope = self._scope(segment_type_id)
        return self._once(("sales", scope, first, last), lambda: self._sales_between(scope, first, last))

    def _sales_between(self, scope: tuple[Any, ...], first: date, last: date) -> dict[str, Sales]:
        result = {}
        for member_id, lines in self._once(("lines", scope), lambda: self._lines_in(scope)).items():
            start = bisect_left(lines, first, key=lambda line: line.invoice_date)
            end = bisect_right(lines, last, key=lambda line: line.invoice_date)
            if start < end:
                result[member_id] = Sales.by_order(lines[start:end])
        return result

    def outliers(self, segment_type_id: str, day: date) -> dict[str, list[tuple[Sales, Fraction]]]:
        """R14: the flagged orders of every customer under a type on a day, and the most each should have been."""
        segment_type = self.configuration.segment_types[segment_type_id]
        if segment_type["entity"] == "product" or segment_type["metric_basis"] == "contract":
            return {}
        bounds = window(segment_type, day)
        return self._once(
            ("outliers", self._scope(segment_type_id), bounds),
            lambda: {
                member_id: flagged
                for member_id, sales in self._sales(segment_type_id, *bounds).items()
                if (flagged := outliers(sales.orders, self.outlier_multiple, self.outlier_minimum_amount))
            },
        )

    def committed(self, day: date, months: int) -> dict[str, list[int]]:
        """R12: what the contracts in force on a day commit every customer to, for so many months."""
        return self._once(("committed", day, months), lambda: self._committed(day, months))

    def _committed(self, day: date, months: int) -> dict[str, list[int]]:
        result: dict[str, list[int]] = defaultdict(list)
        for row in self.staged("erp.contracts"):
            values = row.values
            factor = self.factor(row.source_system, values["currency"], day)
            if _is_in_force(row, day) and factor is not None and values["committed_annual_amount"] is not None:
                annual = cents(values["committed_annual_amount"] * factor)
                result[global_id(row.source_system, values["customer_id"])].append(
                    round_half_up(Fraction(annual * months, 12))
                )
        return result

    def _invoiced(self, entity: str) -> dict[str, date]:
        """R7: who or what was first invoiced when; a customer by the invoice itself, whatever became of its lines."""
        if entity == "product":
            invoiced = ((line.product_id, line.invoice_date, line.document_type) for line in self.lines)
        else:
            invoiced = (
                (self.customer_of(row), row.values["invoice_date"], row.values["document_type"])
                for row in self.staged("erp.invoices")
            )
        first: dict[str, date] = {}
        for member_id, day, document_type in invoiced:
            if document_type == "invoice":
                first[member_id] = min(day, first.get(member_id, date.max))
        return first

    # Entities

    def evaluations(self, segment_type_id: str, day: date) -> dict[Entity, Evaluation]:
        """R5 to R10, R20: every entity of a type on a day, with the tier in force."""
        if self.configuration.segment_types[segment_type_id]["hysteresis_months"]:
            return self._once(("damped", segment_type_id), lambda: self._damped(segment_type_id))[day]
        return self._once(("ruled", segment_type_id, day), lambda: self._ruled(segment_type_id, day))

    def _ruled(self, segment_type_id: str, day: date) -> dict[Entity, Evaluation]:
        evaluations = self._computed(segment_type_id, day)
        for evaluation in evaluations.values():
            self._put_in_force(segment_type_id, evaluation)
        return evaluations

    def _damped(self, segment_type_id: str) -> dict[date, dict[Entity, Evaluation]]:
        """R20: all evaluations of a type. An entity has one at every month-end at which a member of it has appeared."""
        segment_type = self.configuration.segment_types[segment_type_id]
        result = {day: self._computed(segment_type_id, day) for day in self.evaluation_dates}
        sequences: dict[Entity, list[date]] = defaultdict(list)
        for day in self.month_ends:
            for entity in set(self._appeared(segment_type, day).values()):
                sequences[entity].append(day)
        for entity in result[self.as_of]:
            if self.as_of not in sequences[entity]:
                sequences[entity].append(self.as_of)
        for entity, days in sequences.items():
            steps = [
                (result[day][entity].computed_tier, result[day][entity].reason == "ranked", day in self.month_ends)
                for day in days
            ]
            for day, damped in zip(days, damp(steps, segment_type["hysteresis_months"]), strict=True):
                result[day][entity].damped = damped
        for evaluations in result.values():
            for evaluation in evaluations.values():
                self._put_in_force(segment_type_id, evaluation)
        return result

    def _put_in_force(self, segment_type_id: str, evaluation: Evaluation) -> None:
        """R10: people's decisions over hysteresis over the computed tier."""
        evaluation.tier, evaluation.tier_source = tier_in_force(
            evaluation.ruling,
            evaluation.damped.applied if evaluation.damped else evaluation.computed_tier,
            evaluation.reason,
            evaluation.computed_tier,
            {tier.name: tier.rank for tier in self.configuration.tiers[segment_type_id]},
        )

    def _computed(self, segment_type_id: str, day: date) -> dict[Entity, Evaluation]:
        """R5 to R8: what the sales alone say about every entity of a type on a day."""
        configuration = self.configuration
        segment_type, ladder = configuration.segment_types[segment_type_id], configuration.ladder(segment_type_id)
        evaluations = self._measured(segment_type_id, day)
        for entity, evaluation in evaluations.items():
            evaluation.base_reason = self._reason(segment_type, evaluation, day)
            set_row = evaluation.ruling.set_row
            is_put_away = set_row is not None and configuration.tier(segment_type_id, set_row.tier).is_excluded
            evaluation.reason = "excluded" if entity.is_internal or is_put_away else evaluation.base_reason
            is_kept = segment_type["denominator"] == "all" and evaluation.base_reason in ("ranked", "below_min_net_sales")
            evaluation.is_counted = evaluation.reason == "ranked" or is_kept
        pool = {entity: row.metric for entity, row in evaluations.items() if row.is_counted}
        ranked = {entity: row.metric for entity, row in evaluations.items() if row.reason == "ranked"}
        standings = rank(pool, ladder)
        for entity, evaluation in evaluations.items():
            if evaluation.reason == "ranked":
                evaluation.standing = standings[entity]
                evaluation.computed_tier = standings[entity].tier
            elif evaluation.reason == "excluded" and not entity.is_internal and evaluation.base_reason == "ranked":
                # As if this one alone were added back.
                evaluation.computed_tier = rank(pool | {entity: evaluation.metric}, ladder)[entity].tier
            else:
                reason = evaluation.reason if entity.is_internal else evaluation.base_reason
                evaluation.computed_tier = configuration.tier_without_rank(segment_type_id, reason)
        tiers = {entity: evaluations[entity].computed_tier for entity in ranked}
        for entity, (better, worse) in neighbours(ranked, tiers, ladder).items():
            evaluations[entity].better, evaluations[entity].worse = better, worse
        return evaluations

    def _measured(self, segment_type_id: str, day: date) -> dict[Entity, Evaluation]:
        """R12, R14: the metric of every entity of a type on a day, before and after outliers."""
        segment_type = self.configuration.segment_types[segment_type_id]
        entity, metric, treatment = (segment_type[column] for column in ("entity", "metric", "outlier_treatment"))
        first, last = window(segment_type, day)
        sales = self._sales(segment_type_id, first, last)
        outliers_of = self.outliers(segment_type_id, day)
        months = segment_type["timespan_months"] if segment_type["interval"] == "rolling" else 12
        contracts = self.committed(last, months) if segment_type["metric_basis"] == "contract" else None
        costs = self._costs_to_serve(first, last) if metric == NET_PROFIT else Counter()
        invoiced = self._once(("invoiced", entity), lambda: self._invoiced(entity))
        overrides = self.overrides.get(segment_type_id, [])
        decided = {row.entity_id for row in overrides}
        # Before somebody has appeared, not even a contract or a cost counts; in the middle of a month everybody is there.
        everybody, appeared = self._population(segment_type, day), self._appeared(segment_type, day)
        present = appeared if day == month_end(day) else everybody
        members: dict[Entity, list[str]] = defaultdict(list)
        for member_id, owner in (everybody if day == self.as_of else appeared).items():
            members[owner].append(member_id)
        result = {}
        for owner, member_ids in members.items():
            own_sales = [sales[member_id] for member_id in member_ids if member_id in sales]
            flagged = [row for member_id in member_ids for row in outliers_of.get(member_id, ())]
            if contracts is None:
                untreated = sum(part.amount(metric) for part in own_sales)
                untreated -= sum(costs[member_id] for member_id in member_ids if member_id in present)
                has_scope = bool(own_sales)
            else:
                signed = [member_id for member_id in member_ids if member_id in present]
                amounts = [amount for member_id in signed for amount in contracts.get(member_id, ())]
                untreated, has_scope = sum(amounts), bool(amounts)
            first_invoiced = min((invoiced[one] for one in member_ids if one in invoiced), default=date.max)
            result[owner] = Evaluation(
                first_invoiced=first_invoiced if first_invoiced <= day else None,
                net_sales=sum(part.net_sales for part in own_sales),
                has_scope=has_scope,
                metric=untreated - sum(amount_lost(order, limit, metric, treatment) for order, limit in flagged),
                untreated=untreated,
                outlier_amount=sum(order.net_sales for order, _ in flagged),
                outlier_order_count=len(flagged),
                ruling=rule(overrides, owner.entity_id, day) if owner.entity_id in decided else Ruling(),
            )
        return result

    def _costs_to_serve(self, first: date, last: date) -> Counter[str]:
        """R15: what every customer cost to serve in the months of a window."""
        from recompute_costs import Costs  # noqa: PLC0415 - costs are computed from a world

        months = self._once(("costs",), lambda: Costs.read(self).costs_to_serve)
        costs: Counter[str] = Counter()
        for (customer_id, month), cost in months.items():
            costs[customer_id] += cost if first <= month <= last else 0
        return costs

    def _costs_beside(self, segment_type_id: str, day: date) -> Counter[str] | None:
        """R16: what every customer cost to serve in the window of a type; nothing where costs, known by customer and month, do not fit it."""
        segment_type = self.configuration.segment_types[segment_type_id]
        first, last = window(segment_type, day)
        is_filtered = segment_type_id in self.configuration.branches or segment_type_id in self.configuration.brands
        if segment_type["entity"] != "customer" or is_filtered or first.day != 1 or last != month_end(last):
            return None
        return self._costs_to_serve(first, last)

    def contributions(self, segment_type_id: str, day: date) -> dict[str, Evaluation]:
        """R12, R14: what every member of a type on a day brings by itself, before it belongs to anybody."""
        segment_types, alone = self.configuration.segment_types, f"{segment_type_id} alone"
        segment_types[alone] = segment_types[segment_type_id] | {"level": "customer"}
        for filters in (self.configuration.branches, self.configuration.brands):
            if segment_type_id in filters:
                filters[alone] = filters[segment_type_id]
        try:
            measured = {entity.entity_id: evaluation for entity, evaluation in self._measured(alone, day).items()}
        finally:
            del segment_types[alone]
        return {member_id: measured[member_id] for member_id in self.members(segment_type_id, day)}

    @staticmethod
    def _reason(segment_type: Mapping[str, Any], evaluation: Evaluation, day: date) -> str:
        """R6, R7: the first reason that applies, exclusion aside."""
        minimum, first_invoiced = segment_type["min_net_sales"], evaluation.first_invoiced
        if first_invoiced is None or (day - first_invoiced).days < segment_type["new_customer_days"]:
            return "default_new"
        if not evaluation.has_scope:
            return "no_sales_in_scope"
        if evaluation.metric <= 0:
            return "non_positive_net_sales"
        if minimum is not None and evaluation.net_sales < minimum:
            return "below_min_net_sales"
        return "ranked"

    # What follows from members and entities

    def summary(self, segment_type_id: str, day: date | None = None) -> dict[str, TierSummary]:
        """Counts, sales and profit per tier in force that somebody is in."""
        members = self.members(segment_type_id, day or self.as_of)
        costs = self._costs_beside(segment_type_id, day or self.as_of)
        in_tier: dict[str, list[Member]] = defaultdict(list)
        for member in members.values():
            in_tier[member.tier].append(member)
        total = sum(member.net_sales for member in members.values())
        result = {}
        for tier, rows in in_tier.items():
            net_sales = sum(member.net_sales for member in rows)
            gross_margin = sum(member.gross_margin for member in rows)
            cost_to_serve = None if costs is None else sum(costs[member.member_id] for member in rows)
            result[tier] = TierSummary(
                tier_rank=self.configuration.tier(segment_type_id, tier).rank,
                member_count=len(rows),
                excluded_member_count=sum(member.reason_code == "excluded" for member in rows),
                entity_count=len({member.entity for member in rows}),
                ranked_entity_count=len({member.entity for member in rows if member.is_ranked}),
                net_sales=net_sales,
                cost=sum(member.cost for member in rows),
                gross_margin=gross_margin,
                cost_to_serve=cost_to_serve,
                net_profit=None if cost_to_serve is None else gross_margin - cost_to_serve,
                member_share=millionths(len(rows), len(members)),
                net_sales_share=millionths(net_sales, total) if total > 0 else None,
            )
        return result

    def concentration(self, segment_type_id: str, day: date | None = None) -> Concentration | None:
        """How concentrated the entities that count in the ranking of a day are; nothing where there is nobody."""
        members = self.members(segment_type_id, day or self.as_of)
        everybody = self.evaluations(segment_type_id, day or self.as_of)
        entities = {member.entity: everybody[member.entity] for member in members.values()}
        if not entities:
            return None

        def metric_of(reason: str) -> int:
            return round_half_up(sum(row.metric for row in entities.values() if row.reason == reason))

        counted = [row.metric for row in entities.values() if row.is_counted]
        ranked = [row for row in entities.values() if row.reason == "ranked"]
        counts = Concentration(
            len(entities),
            len(ranked),
            round_half_up(sum(counted)),
            metric_of("excluded"),
            metric_of("default_new"),
            metric_of("below_min_net_sales"),
            metric_of("non_positive_net_sales"),
        )
        if not counted:
            return counts
        amounts = sorted(counted, reverse=True)
        total = sum(amounts)
        best_tier = self.configuration.ladder(segment_type_id).tiers[0].name
        best = [row.metric for row in ranked if row.computed_tier == best_tier]
        largest = max(best, default=0)
        return replace(
            counts,
            gini=round_half_up(gini(amounts) * 1_000_000),
            top_fifth_share=millionths(sum(amounts[: -(-len(amounts) // 5)]), total),
            largest_share=millionths(amounts[0], total),
            best_tier_share=millionths(sum(best), total),
            best_tier_share_without_largest=millionths(sum(best) - largest, total - largest) if total > largest else None,
            best_tier_entity_count=len(best),
        )

    def migration(self, segment_type_id: str) -> dict[tuple[date, str, str], Movement]:
        """Who went from which tier in force to which, from every month-end to the next."""
        result: dict[tuple[date, str, str], Movement] = {}
        for before, now in pairwise(self.month_ends):
            old, new = self.members(segment_type_id, before), self.members(segment_type_id, now)
            moves: dict[tuple[str, str], list[int]] = defaultdict(list)
            for member_id in old.keys() | new.keys():
                sides = _side(old.get(member_id), "(new)"), _side(new.get(member_id), "(gone)")
                moves[sides].append((new.get(member_id) or old[member_id]).net_sales)
            starters: dict[str, int] = defaultdict(int)
            for (from_tier, _), sales in moves.items():
                starters[from_tier] += len(sales)
            for (from_tier, to_tier), sales in moves.items():
                result[now, from_tier, to_tier] = Movement(
                    before,
                    self._movement(segment_type_id, from_tier, to_tier),
                    len(sales),
                    sum(sales),
                    millionths(len(sales), starters[from_tier]),
                )
        return result

    def _movement(self, segment_type_id: str, from_tier: str, to_tier: str) -> str:
        if from_tier == to_tier:
            return "same"
        for side in ("(new)", "(gone)", "(excluded)"):
            if side in (from_tier, to_tier):
                return side.strip("()")
        ranks = [self.configuration.tier(segment_type_id, tier).rank for tier in (from_tier, to_tier)]
        return "better" if ranks[1] < ranks[0] else "worse"

    def edges(self, segment_type_id: str, length: int = 20) -> set[Edge]:
        """The ranked entities that need the least to change their computed tier, per tier and direction."""
        near: dict[tuple[str, str], list[tuple[Amount, str, Amount, str]]] = defaultdict(list)
        for entity, row in self.evaluations(segment_type_id, self.as_of).items():
            for direction, neighbour in (("up", row.better), ("down", row.worse)):
                if row.reason == "ranked" and neighbour:
                    near[direction, row.computed_tier].append(
                        (neighbour.distance, entity.entity_id, row.metric, neighbour.tier)
                    )
        return {
            Edge(direction, tier, neighbour, position, entity_id, round_half_up(metric), round_half_up(distance))
            for (direction, tier), rows in near.items()
            for position, (distance, entity_id, metric, neighbour) in enumerate(sorted(rows)[:length], start=1)
        }

    def inert_overrides(self) -> dict[str, str]:
        """Decisions that are not over and yet change nothing, or are one too many, and why."""
        result = {}
        for identifier, rows in self.overrides.items():
            entities = {entity.entity_id for entity in self.evaluations(identifier, self.as_of)}
            rows = [row for row in rows if row.valid_to is None or row.valid_to >= self.as_of]
            begun = Counter((row.entity_id, row.valid_from) for row in rows if row.is_approved)
            for row in rows:
                if not row.is_approved:
                    result[row.override_id] = "approved by its author" if row.approved_by else "not approved"
                elif row.entity_id and row.entity_id not in entities:
                    result[row.override_id] = "unknown entity"
                elif begun[row.entity_id, row.valid_from] > 1:
                    result[row.override_id] = "another one begins on that day"
        return result

    def uncounted_contracts(self) -> set[str]:
        """The contracts in force that no type can count, for want of a customer, an amount or a rate."""
        types = self.configuration.segment_types.values()
        days = {window(options, self.as_of)[1] for options in types if options["metric_basis"] == "contract"}
        known = self._known("erp.customers")
        return {
            global_id(*row.key)
            for row in self.staged("erp.contracts")
            for day in days
            if _is_in_force(row, day)
            and (
                (row.source_system, row.values["customer_id"]) not in known
                or row.values["committed_annual_amount"] is None
                or self.factor(row.source_system, row.values["currency"], day) is None
            )
        }

    def monthly_patterns(self, segment_type_id: str) -> dict[str, MonthlyPattern]:
        """R23: X, Y or Z of every product of a type, by its quantities in the whole months of the window."""
        segment_type = self.configuration.segment_types[segment_type_id]
        first, last = window(segment_type, self.as_of)
        months = []
        month = first if first.day == 1 else month_end(first) + timedelta(days=1)
        while month_end(month) <= last:
            months.append(month)
            month = month_end(month) + timedelta(days=1)
        sold = [self._sales(segment_type_id, month, month_end(month)) for month in months]
        result = {}
        for product in self._population(segment_type, self.as_of):
            quantities = [sales.get(product, Sales()).quantity for sales in sold]
            squared = variation(quantities) if quantities else None
            name = "Z"
            for limit, better in ((segment_type["xyz_y_limit"], "Y"), (segment_type["xyz_x_limit"], "X")):
                if squared is not None and squared <= limit**2:
                    name = better
            result[product] = MonthlyPattern(
                name,
                round_half_up(sum(quantities) / len(months) * 10_000) if months else None,
                None if squared is None else round_half_up(squared * 1_000_000),
            )
        return result


def _is_in_force(contract: Row, day: date) -> bool:
    """Both days of a contract count; a side without a day is open."""
    return (contract.values["valid_from"] or date.min) <= day <= (contract.values["valid_to"] or date.max)


def _side(member: Member | None, absent: str) -> str:
    """Where a member stands on one side of a migration."""
    if member is None:
        return absent
    return "(excluded)" if member.reason_code == "excluded" else member.tier


def _name_and_place(row: Row) -> tuple[str, str, str] | None:
    """R9: normalised name, country and postal code, where all three are there."""
    name, country, postal_code = normalise_name(row.values["name"]), row.values["country"], row.values["postal_code"]
    if not (name and country and postal_code):
        return None
    return name, country.upper(), re.sub(r"[^0-9A-Z]", "", postal_code.upper())
