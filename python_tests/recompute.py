"""Stratum, computed a second time: plain Python over the raw files, sharing nothing with the SQL.

It follows the rules of the contract (R1, R3 to R9, R11 to R13 and the raw contract of section 2) from the landed CSV
files and the configuration seeds to verdicts, invoice lines, identities and tiers. Every amount is a whole number of
cents, every other number an exact fraction; nothing is rounded before it is compared.

    world = World.read(Path("sample_data"), Path("seeds"))
    world.verdicts["erp.invoices"]     what became of every raw row
    world.lines                        the invoice lines in reporting currency
    world.customers                    identity, parents, status
    world.members("sales_performance") one judged and tiered member per customer

Scope: actual sales, no overrides, no hysteresis, no outliers, cut points. An option outside of that raises
``NotImplementedError`` rather than giving an answer nobody meant.
"""

from __future__ import annotations

import calendar
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
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
        money="amount",
    ),
    "erp.driver_quantities": Table(
        ("driver", "customer_id", "driver_month"), _types(day="driver_month", number="quantity")
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
    "tpl.charges": Table(("charge_id",), _types(day="charged_on", number="amount"), money="amount"),
    "tpl.returns": Table(("return_id",), _types(day="received_on", number="quantity")),
}

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
    if row.source_system is None or any(raw[column] is None for column in TABLES[table].key):
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
# Tiers (R1, R3 to R7)


@dataclass(frozen=True)
class Entity:
    """Who is ranked. An excluded customer stands apart even from the group that bears its name."""

    entity_id: str
    is_excluded: bool = False


@dataclass
class Member:
    """A customer or product under one segment type: what it sold, where it ranks and what it is."""

    member_id: str
    entity_id: str
    net_sales: int
    metric: int = 0
    reason: str = ""
    tier: str = ""
    rank: int | None = None
    share_before: int | None = None
    cumulative_share: int | None = None
    window_from: date = date.min
    window_to: date = date.min

    @property
    def inherited_from(self) -> str | None:
        """The entity whose tier this is, where that is somebody else."""
        return None if self.entity_id == self.member_id else self.entity_id

    @property
    def eligible(self) -> int | None:
        """What counts in the ranking."""
        return self.metric if self.reason == "ranked" else None

    @property
    def tier_source(self) -> str:
        """R10 without overrides: the tier new members get is a default, any other follows from the sales."""
        return "default" if self.reason == "default_new" else "computed"


@dataclass(frozen=True)
class Standing:
    """The place of an entity in a ranking; shares in millionths."""

    rank: int
    share_before: int
    cumulative_share: int
    tier: str


def rank(amounts: Mapping[str, int], cuts: list[tuple[str, Fraction]], boundary: str = "upper") -> dict[str, Standing]:
    """R1, R3, R4: the standing of every entity by its positive amount.

    ``cuts`` are tiers with their cumulative share, best first. Compared are whole numbers and fractions: what strictly
    larger entities hold against the cut of the total. Ids order equal amounts for display only.
    """
    total = sum(amounts.values())
    strictly_larger: dict[int, int] = {}
    holders: dict[int, int] = defaultdict(int)
    for amount in amounts.values():
        holders[amount] += 1
    before = 0
    for amount in sorted(holders, reverse=True):
        strictly_larger[amount] = before
        before += amount * holders[amount]

    def is_inside(amount: int, cut: Fraction) -> bool:
        start = strictly_larger[amount]
        if boundary == "upper":
            return start < cut * total
        if boundary == "lower":
            # Equal values get equal tiers, so all of them count as included.
            return start + amount * holders[amount] <= cut * total
        return start + Fraction(amount, 2) < cut * total

    standings: dict[str, Standing] = {}
    running = 0
    for position, entity in enumerate(sorted(amounts, key=lambda entity: (-amounts[entity], entity)), start=1):
        amount = amounts[entity]
        running += amount
        tier = next((tier for tier, cut in cuts if is_inside(amount, cut)), cuts[-1][0])
        standings[entity] = Standing(
            position, millionths(strictly_larger[amount], total), millionths(running, total), tier
        )
    return standings


def gini(amounts: Iterable[int]) -> Fraction:
    """The population Gini coefficient: 2 * sum(i * x_i) / (n * sum(x)) - (n + 1) / n, smallest first."""
    ordered = sorted(amounts)
    count = len(ordered)
    weighted = sum(position * amount for position, amount in enumerate(ordered, start=1))
    return Fraction(2 * weighted, count * sum(ordered)) - Fraction(count + 1, count)


# ---------------------------------------------------------------------------------------------------------------
# Configuration (section 3)


@dataclass(frozen=True)
class Configuration:
    """The seeds this recomputation understands; an empty cell is the default."""

    organisation_of: dict[str, str]
    segment_types: dict[str, dict[str, Any]]
    tiers: dict[str, list[dict[str, Any]]]
    branches: dict[str, set[str]]
    brands: dict[str, set[str]]
    account_matches: list[dict[str, str | None]]
    parent_overrides: list[dict[str, str | None]]

    @classmethod
    def read(cls, folder: Path) -> Configuration:
        """Read a folder of seeds."""

        def read(seed: str) -> list[dict[str, str | None]]:
            path = folder / f"{seed}.csv"
            return read_csv(path) if path.exists() else []

        if read("segment_overrides"):
            raise NotImplementedError("segment_overrides are not part of this recomputation")
        branches: dict[str, set[str]] = defaultdict(set)
        for row in read("segment_type_branches"):
            branches[row["segment_type_id"]].add(row["branch_id"])
        brands: dict[str, set[str]] = defaultdict(set)
        for row in read("segment_type_brands"):
            brands[row["segment_type_id"]].add(row["brand"])
        tiers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in read("segment_tiers"):
            tiers[row["segment_type_id"]].append(
                {
                    "tier": row["tier"],
                    "rank": int(row["tier_rank"]),
                    "share": Fraction(row["sales_share"]) if row["sales_share"] else None,
                    "is_default": row["is_default"] == "true",
                    "is_excluded": row["is_excluded"] == "true",
                }
            )
        for rows in tiers.values():
            rows.sort(key=lambda tier: tier["rank"])
        segment_types = {row["segment_type_id"]: cls._segment_type(row) for row in read("segment_types")}
        return cls(
            {row["source_system"]: row["organisation_id"] for row in read("organisations")},
            {identifier: row for identifier, row in segment_types.items() if row["status"] != "retired"},
            tiers,
            branches,
            brands,
            read("account_match_overrides"),
            read("hierarchy_overrides"),
        )

    @staticmethod
    def _segment_type(row: dict[str, str | None]) -> dict[str, Any]:
        new_customer_days = row["new_customer_days"] or ("90" if row["entity"] == "customer" else "0")
        segment_type = {
            "entity": row["entity"],
            "organisation_id": row["organisation_id"],
            "level": "vat" if row["identity_basis"] == "vat" else row["hierarchy_level"] or "customer",
            "metric": row["metric"] or "net_sales",
            "timespan_months": int(row["timespan_months"] or 12),
            "interval": row["interval"] or "rolling",
            "fiscal_year_start_month": int(row["fiscal_year_start_month"] or 1),
            "window_end": row["window_end"] or "last_complete_month",
            "min_net_sales": cents(Fraction(row["min_net_sales"])) if row["min_net_sales"] else None,
            "new_customer_days": int(new_customer_days),
            "boundary": row["boundary"] or "upper",
            "status": row["status"] or "active",
        }
        only = {
            "metric_basis": "actual",
            "outlier_treatment": "flag",
            "method": "cut_point",
            "ties": "together",
            "denominator": "eligible",
            "hysteresis_months": "0",
        }
        for column, value in only.items():
            if (row[column] or value) != value:
                raise NotImplementedError(f"{column} {row[column]} is not part of this recomputation")
        if segment_type["metric"] not in ("net_sales", "gross_margin"):
            raise NotImplementedError(f"metric {segment_type['metric']} is not part of this recomputation")
        return segment_type

    def cuts(self, segment_type_id: str) -> list[tuple[str, Fraction]]:
        """Tiers with a share of sales and their cumulative cut, best first."""
        reached = Fraction(0)
        result = []
        for tier in self.tiers[segment_type_id]:
            if tier["share"] is not None:
                reached += tier["share"]
                result.append((tier["tier"], reached))
        return result

    def tier_without_rank(self, segment_type_id: str, reason: str) -> str:
        """R6: the tier of a member that is not ranked."""
        lowest = self.cuts(segment_type_id)[-1][0]
        marks = {"default_new": "is_default", "excluded": "is_excluded"}
        if reason not in marks:
            return lowest
        return next((tier["tier"] for tier in self.tiers[segment_type_id] if tier[marks[reason]]), lowest)


# ---------------------------------------------------------------------------------------------------------------
# Everything together


@dataclass(frozen=True)
class Summary:
    """What a segment type says as a whole; shares in millionths."""

    members_per_tier: dict[str, int]
    net_sales_per_tier: dict[str, int]
    gini: int | None
    top_fifth_share: int | None
    best_tier_share: int | None


class World:
    """All that follows from a raw folder and a configuration folder."""

    def __init__(
        self,
        raw: Mapping[str, list[dict[str, str | None]]],
        configuration: Configuration,
        run_date: date,
        as_of: date | None = None,
        reporting_currency: str = "EUR",
    ) -> None:
        """Judge the rows of every table; the rest is computed when it is asked for."""
        self.configuration = configuration
        self.run_date = run_date
        self.reporting_currency = reporting_currency
        self._as_of = as_of
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
            if self.factor(self.header_of(row)) is None:
                row.quarantine("exchange_rate_missing")

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

    def factor(self, invoice: Row) -> Fraction | None:
        """R13: what one unit of a document is worth in reporting currency; None where no rate says so."""
        currency, day = invoice.values["currency"], invoice.values["invoice_date"]
        if currency == self.reporting_currency:
            return Fraction(1)
        own = invoice.source_system
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
            factor = self.factor(invoice)
            cost = line.values["cost_amount"]
            order_id = invoice.values["order_id"]
            result.append(
                Line(
                    invoice_id=global_id(line.source_system, line.values["invoice_id"]),
                    line_number=line.values["line_number"],
                    document_type=invoice.values["document_type"],
                    invoice_date=invoice.values["invoice_date"],
                    order_id=global_id(line.source_system, order_id) if order_id else None,
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
        for (customer, kind, party), action in manual.items():
            if action == "match":
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
            owner = orders.get((row.values["erp_source_system"], row.values["order_id"]))
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

    @cached_property
    def overridden_parents(self) -> dict[str, str | None]:
        """R8: what people decided about parents, where it is approved and in force on the day; both bounds count."""
        return {
            row["customer_id"]: row["parent_customer_id"]
            for row in self.configuration.parent_overrides
            if row["approved_by"]
            and date.fromisoformat(row["valid_from"]) <= self.as_of
            and (row["valid_to"] is None or date.fromisoformat(row["valid_to"]) >= self.as_of)
        }

    @cached_property
    def customers(self) -> dict[str, Customer]:
        """R8: every customer with its chosen parent, ultimate parent and the state of the chain."""
        result = {}
        for row in self.staged("erp.customers"):
            customer_id = global_id(row.source_system, row.values["customer_id"])
            customer = Customer(
                customer_id,
                row.source_system,
                row.values["customer_kind"] or "trade",
                normalise_vat_number(row.values["vat_number"], row.values["country"]),
            )
            sources = (("override", self.overridden_parents), ("erp", self.erp_parents), ("crm", self.crm_parents))
            for source, parents in sources:
                if customer_id in parents:
                    customer.parent_id, customer.parent_source = parents[customer_id], source
                    break
            result[customer_id] = customer
        parents = {customer.customer_id: customer.parent_id for customer in result.values()}
        for customer in result.values():
            customer.ultimate_parent_id, customer.hierarchy_status = walk_up(customer.customer_id, parents)
        return result

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

    def members(self, segment_type_id: str) -> dict[str, Member]:
        """R5 to R8: every member of a type, judged on its entity and, where eligible, ranked."""
        segment_type = self.configuration.segment_types[segment_type_id]
        first, last = window(segment_type, self.as_of)
        entity_of, column = self._population(segment_type)
        branch_filter = self.configuration.branches.get(segment_type_id)
        brand_filter = self.configuration.brands.get(segment_type_id)
        brand_of = {row.key: row.values["brand"] for row in self.staged("erp.products")}

        first_invoiced: dict[Entity, date] = {}
        for member_id, day in self._invoiced(column):
            if member_id in entity_of and day <= self.as_of:
                entity = entity_of[member_id]
                first_invoiced[entity] = min(day, first_invoiced.get(entity, date.max))

        in_scope: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            member_id = getattr(line, column)
            if branch_filter and line.branch_id not in branch_filter:
                continue
            if brand_filter and brand_of.get(tuple(line.product_id.split(":", 1))) not in brand_filter:
                continue
            if first <= line.invoice_date <= last:
                in_scope[member_id].append(line)

        members: dict[str, Member] = {}
        entity_lines: dict[Entity, list[Line]] = defaultdict(list)
        for member_id, entity in entity_of.items():
            own_lines = in_scope.get(member_id, [])
            entity_lines[entity].extend(own_lines)
            own_sales = sum(line.net_sales for line in own_lines)
            members[member_id] = Member(member_id, entity.entity_id, own_sales, window_from=first, window_to=last)
        metrics = {entity: self._metric(segment_type, lines) for entity, lines in entity_lines.items()}
        reasons = {
            entity: self._reason(segment_type, entity, lines, metrics[entity], first_invoiced.get(entity))
            for entity, lines in entity_lines.items()
        }
        standings = rank(
            {entity.entity_id: metrics[entity] for entity, reason in reasons.items() if reason == "ranked"},
            self.configuration.cuts(segment_type_id),
            segment_type["boundary"],
        )
        for member_id, member in members.items():
            entity = entity_of[member_id]
            member.metric, member.reason = metrics[entity], reasons[entity]
            standing = standings.get(member.entity_id) if member.reason == "ranked" else None
            if standing:
                member.rank, member.tier = standing.rank, standing.tier
                member.share_before, member.cumulative_share = standing.share_before, standing.cumulative_share
            else:
                member.tier = self.configuration.tier_without_rank(segment_type_id, member.reason)
        return members

    def _invoiced(self, column: str) -> Iterable[tuple[str, date]]:
        """R7: who or what was invoiced when; a customer by the invoice itself, whatever became of its lines."""
        if column == "customer_id":
            for invoice in self.staged("erp.invoices"):
                if invoice.values["document_type"] == "invoice":
                    yield self.customer_of(invoice), invoice.values["invoice_date"]
        else:
            for line in self.lines:
                if line.document_type == "invoice":
                    yield line.product_id, line.invoice_date

    def _population(self, segment_type: Mapping[str, Any]) -> tuple[dict[str, Entity], str]:
        """The entity of every member of a type, and the column of a line that names the member."""
        organisation = segment_type["organisation_id"]

        def belongs(source_system: str) -> bool:
            return organisation is None or self.configuration.organisation_of.get(source_system) == organisation

        if segment_type["entity"] == "product":
            keys = [row.key for row in self.staged("erp.products") if belongs(row.source_system)]
            return {global_id(*key): Entity(global_id(*key)) for key in keys}, "product_id"
        group: Callable[[Customer], str] = {
            "customer": lambda customer: customer.customer_id,
            "ultimate_parent": lambda customer: customer.ultimate_parent_id,
            "vat": lambda customer: customer.vat_group_id,
        }[segment_type["level"]]
        entity_of = {}
        for customer in self.customers.values():
            if belongs(customer.source_system):
                is_excluded = customer.kind in ("internal", "test")
                entity_id = customer.customer_id if is_excluded else group(customer)
                entity_of[customer.customer_id] = Entity(entity_id, is_excluded)
        return entity_of, "customer_id"

    @staticmethod
    def _metric(segment_type: Mapping[str, Any], lines: Iterable[Line]) -> int:
        if segment_type["metric"] == "gross_margin":
            return sum(line.gross_margin or 0 for line in lines)
        return sum(line.net_sales for line in lines)

    def _reason(
        self,
        segment_type: Mapping[str, Any],
        entity: Entity,
        lines: list[Line],
        metric: int,
        first_invoiced: date | None,
    ) -> str:
        """R6, R7: the first reason that applies."""
        minimum = segment_type["min_net_sales"]
        if entity.is_excluded:
            return "excluded"
        if first_invoiced is None or (self.as_of - first_invoiced).days < segment_type["new_customer_days"]:
            return "default_new"
        if not lines:
            return "no_sales_in_scope"
        if metric <= 0:
            return "non_positive_net_sales"
        if minimum is not None and sum(line.net_sales for line in lines) < minimum:
            return "below_min_net_sales"
        return "ranked"

    def summary(self, segment_type_id: str) -> Summary:
        """Counts and sales per tier, and how concentrated the ranked entities are."""
        members = self.members(segment_type_id)
        count: dict[str, int] = {tier["tier"]: 0 for tier in self.configuration.tiers[segment_type_id]}
        net_sales: dict[str, int] = dict.fromkeys(count, 0)
        entities: dict[str, Member] = {}
        for member in members.values():
            count[member.tier] += 1
            net_sales[member.tier] += member.net_sales
            if member.reason == "ranked":
                entities[member.entity_id] = member
        amounts = sorted((member.metric for member in entities.values()), reverse=True)
        if not amounts:
            return Summary(count, net_sales, None, None, None)
        total = sum(amounts)
        best_tier = self.configuration.cuts(segment_type_id)[0][0]
        best = sum(member.metric for member in entities.values() if member.tier == best_tier)
        return Summary(
            count,
            net_sales,
            round_half_up(gini(amounts) * 1_000_000),
            millionths(sum(amounts[: -(-len(amounts) // 5)]), total),
            millionths(best, total),
        )


def _name_and_place(row: Row) -> tuple[str, str, str] | None:
    """R9: normalised name, country and postal code, where all three are there."""
    name, country, postal_code = normalise_name(row.values["name"]), row.values["country"], row.values["postal_code"]
    if not (name and country and postal_code):
        return None
    return name, country.upper(), re.sub(r"[^0-9A-Z]", "", postal_code.upper())
