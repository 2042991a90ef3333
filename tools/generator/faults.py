"""Known dirt: rows planted beside clean data, and the list of what a reader should do with each of them.

Every planted document is one of its own: nothing clean refers to it and it shows one fault only. Copies and older
versions belong to sampled clean rows. Rows are text, since half of the faults cannot be typed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import master as master_data
from .columns import as_text
from .contract import TABLES
from .landing import TextRow as Row
from .master import Master, customer_ids
from .sales import DOCUMENT_DIGITS, Counters
from .settings import Settings

QUARANTINED, SUPERSEDED, UNKNOWN_MEMBER, NOTHING = "quarantined", "superseded", "unknown_member", "none"

#: Tables of which clean rows are copied, and the cell a later version corrects.
CORRECTIONS = {
    "erp.customers": "payment_terms_days",
    "erp.products": "list_price",
    "erp.orders": "requested_on",
    "erp.invoices": "due_on",
    "erp.invoice_lines": "cost_amount",
    "crm.accounts": "employee_count",
    "tpl.shipments": "package_count",
}


def _day(number: int) -> str:
    """ISO date of a day number."""
    return (date(1970, 1, 1) + timedelta(days=int(number))).isoformat()


def record_key(table_name: str, row: Row) -> str:
    """Native key cells joined by ``|``; a missing cell is empty."""
    return "|".join(row[column] or "" for column in TABLES[table_name].key)


class Samples:
    """A few clean rows per table, kept while the first block passes by."""

    def __init__(self, seed: np.random.SeedSequence, size: int, avoided: dict[str, pa.Array]) -> None:
        """Keep at most ``size`` rows per table, none whose key is among the ``avoided`` ones of its table.

        Every table has a random stream of its own, so that leaving tables out changes nothing for the others.
        """
        self._seeds = dict(zip(CORRECTIONS, seed.spawn(len(CORRECTIONS)), strict=True))
        self._size = size
        self._avoided = avoided
        self._rows: dict[str, pa.Table] = {}

    def offer(self, table_name: str, chunk: pa.Table) -> None:
        """Keep rows of the first chunk of a table that faults are made from."""
        if table_name not in CORRECTIONS or table_name in self._rows or not chunk.num_rows:
            return
        if table_name in self._avoided:
            key = chunk.column(TABLES[table_name].key[0])
            chunk = chunk.filter(pc.invert(pc.is_in(key, value_set=self._avoided[table_name])))
        picked = np.random.default_rng(self._seeds[table_name]).permutation(chunk.num_rows)[: self._size]
        self._rows[table_name] = as_text(chunk.take(pa.array(picked)))

    def take(self, table_name: str, count: int) -> list[Row]:
        """Rows not handed out before; at most a third of what is left, so that every kind of fault gets some."""
        if table_name not in self._rows:
            return []
        rows = self._rows[table_name]
        taken = min(count, max(1, rows.num_rows // 3))
        self._rows[table_name] = rows.slice(taken)
        return rows.slice(0, taken).to_pylist()


class Planter:
    """Makes the faults of a run. ``rows`` and ``faults`` are its result."""

    def __init__(
        self, rng: np.random.Generator, master: Master, counters: Counters, samples: Samples, settings: Settings
    ) -> None:
        """Planted documents are numbered after the clean ones and belong to ordinary customers."""
        self._rng, self._master, self._counters, self._samples = rng, master, counters, samples
        self._settings, self._calendar = settings, settings.calendar
        sources = master.customers.source[master.ordinary]
        self._ordinary = [master.ordinary[sources == source] for source in (0, 1)]
        self._turn = 0
        self._table_names = set(TABLES) if settings.tables == "all" else {n for n, t in TABLES.items() if t.is_core}
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self.faults: list[Row] = []

    # --- building blocks ---

    def _add(self, table_name: str, row: Row, fault: str = "", rule: str = "", outcome: str = "") -> None:
        """Land a row, and write it down if it shows a fault."""
        self.rows[table_name].append(row)
        if fault:
            self._note(table_name, row, fault, rule, outcome)

    def _note(self, table_name: str, row: Row, fault: str, rule: str, outcome: str) -> None:
        """Write down what is to be expected of a row."""
        self.faults.append(
            {
                "table_name": table_name,
                "source_system": row["source_system"],
                "record_key": record_key(table_name, row),
                "fault": fault,
                "expected_rule": rule,
                "expected_outcome": outcome,
            }
        )

    def _later(self, loaded_at: str, turn: int) -> str:
        """A landing 1 to 29 nights later, but at most an hour after the last one; unequal to the given one."""
        moment = np.datetime64(loaded_at.replace(" ", "T"), "s")
        last = np.datetime64(self._calendar.last_landing, "us").astype("datetime64[s]") + np.timedelta64(1, "h")
        later = min(moment + np.timedelta64(1 + turn * 7 % 29, "D"), last)
        return str(later).replace("T", " ")

    def _document(self, line_count: int = 2) -> tuple[Row, list[Row]]:
        """A clean invoice without order, of an ordinary customer, in the home currency of its ERP."""
        master, calendar = self._master, self._calendar
        self._turn += 1
        source = self._turn % 2
        customer = self._ordinary[source][[int(self._rng.integers(0, len(self._ordinary[source])))]]
        day = int(self._rng.integers(calendar.first_day + 10, calendar.last_day - 45))
        number = self._counters.take_by_source("invoices", np.array([source]))[0]
        shared = {
            "invoice_id": f"I{number:0{DOCUMENT_DIGITS}d}",
            "source_system": master_data.words.SOURCES[source],
            "loaded_at": _day(day + 1) + " 02:00:00",
        }
        header = shared | {
            "customer_id": customer_ids(master.customers, customer)[0].as_py(),
            "invoice_date": _day(day),
            "document_type": "invoice",
            "order_id": None,
            "original_invoice_id": None,
            "branch_id": f"B{int(master.customers.branch[customer][0]) + 1:02d}",
            "sales_rep_id": f"R{int(master.customers.sales_rep[customer][0]) + 1:03d}",
            "due_on": _day(day + 30),
            "paid_on": _day(day + 32),
            "currency": ["EUR", "GBP"][source],
        }
        return header, [self._line(shared, number) for number in range(1, line_count + 1)]

    def _line(self, shared: Row, number: int) -> Row:
        """An invoice line of an article that is always on sale."""
        products = self._master.products
        source = master_data.words.SOURCES.index(shared["source_system"])
        article = int(self._rng.integers(0, products.count // 20)) * 20
        price, quantity = int(products.list_price[article]), int(self._rng.integers(1, 20))
        listed = price * quantity
        discount = listed // 20
        width = max(4, len(str(products.count)))
        return shared | {
            "line_number": str(number),
            "product_id": f"P{int(products.number[source, article]):0{width}d}",
            "quantity": str(quantity),
            "list_amount": _cents(listed),
            "discount_amount": _cents(discount),
            "net_amount": _cents(listed - discount),
            "cost_amount": _cents(int(products.unit_cost[article]) * quantity),
        }

    def _plant_header(
        self, fault: str, rule: str, changes: Row, outcome: str = QUARANTINED, line_rule: str = "header_quarantined"
    ) -> None:
        """An invoice whose header shows a fault; quarantine reaches its lines."""
        header, lines = self._document()
        self._add("erp.invoices", header | changes, fault, rule, outcome)
        for line in lines:
            if outcome == UNKNOWN_MEMBER:
                self._add("erp.invoice_lines", line)
            else:
                self._add("erp.invoice_lines", line, fault, line_rule, QUARANTINED)

    def _plant_line(self, fault: str, rule: str, changes: Row, outcome: str = QUARANTINED) -> None:
        """An accepted invoice of two lines of which the second shows a fault."""
        header, (good, bad) = self._document()
        self._add("erp.invoices", header)
        self._add("erp.invoice_lines", good)
        self._add("erp.invoice_lines", bad | changes, fault, rule, outcome)

    def _repeat(self, plant: Callable[[int], None]) -> None:
        """Plant a kind of fault as often as the size of the run asks for."""
        for turn in range(self._settings.faults_per_kind):
            plant(turn)

    # --- kinds of fault ---

    def plant(self) -> None:
        """All kinds, one after the other."""
        self._note_master_faults()
        self._plant_versions()
        self._plant_keys_and_values()
        if self._settings.file_format == "csv":
            self._plant_unparseable_cells()
        self._plant_header_faults()
        self._plant_line_faults()
        self._plant_conflicts()
        self.faults = [fault for fault in self.faults if fault["table_name"] in self._table_names]

    def _note_master_faults(self) -> None:
        """Broken hierarchies, doubtful VAT numbers and accounts: already in the master data."""
        customers = self._master.customers
        for fault in self._master.faults:
            row = np.array([fault.index])
            if fault.on_account:
                key = master_data.account_ids(customers.account[row], customers)[0].as_py()
                record = {"account_id": key, "source_system": "crm"}
            else:
                source = master_data.words.SOURCES[int(customers.source[fault.index])]
                record = {"customer_id": customer_ids(customers, row)[0].as_py(), "source_system": source}
            table_name = "crm.accounts" if fault.on_account else "erp.customers"
            self._note(table_name, record, fault.fault, fault.rule, fault.outcome)

    def _plant_versions(self) -> None:
        """Rows delivered twice, and rows corrected by a later delivery."""
        count = self._settings.faults_per_kind
        for table_name, cell in CORRECTIONS.items():
            for row in self._samples.take(table_name, count):
                self._add(table_name, dict(row), "delivered_twice", "exact_copy", SUPERSEDED)
            for turn, row in enumerate(self._samples.take(table_name, count)):
                corrected = row | {cell: _corrected(row[cell]), "loaded_at": self._later(row["loaded_at"], turn)}
                self._add(table_name, corrected)
                self._note(table_name, row, "corrected_later", "older_version", SUPERSEDED)

    def _plant_keys_and_values(self) -> None:
        """Null keys and required values; a later version without its amount leaves the older one in force."""
        missing_key = ("key_is_null", "key_missing")
        self._repeat(lambda _: self._plant_line(*missing_key, {"line_number": None}))
        self._repeat(
            lambda _: self._add("erp.invoices", self._document()[0] | {"invoice_id": None}, *missing_key, QUARANTINED)
        )
        for table_name, key in (("erp.customers", "customer_id"), ("erp.products", "product_id")):
            for row in self._samples.take(table_name, self._settings.hierarchy_faults):
                self._add(table_name, row | {key: None}, *missing_key, QUARANTINED)
        missing = "required_value_missing"
        self._repeat(lambda _: self._plant_header("invoice_date_is_null", missing, {"invoice_date": None}))
        self._repeat(lambda _: self._plant_header("currency_is_null", missing, {"currency": None}))
        self._repeat(lambda _: self._plant_line("net_amount_is_null", missing, {"net_amount": None}))
        for turn, row in enumerate(self._samples.take("erp.invoice_lines", self._settings.faults_per_kind)):
            later = row | {"net_amount": None, "loaded_at": self._later(row["loaded_at"], turn)}
            self._add("erp.invoice_lines", later, "later_version_is_invalid", missing, QUARANTINED)

    def _plant_unparseable_cells(self) -> None:
        """Text outside the grammar: other decimal marks, words, other date orders, days that do not exist."""
        rule = "cell_unparseable"
        amounts, days = ["1.234,56", "n/a", "12 EUR"], ["31/12/2025", "2025-02-30", "20251231"]
        self._repeat(lambda turn: self._plant_line("net_amount_is_no_number", rule, {"net_amount": amounts[turn % 3]}))
        self._repeat(lambda turn: self._plant_header("invoice_date_is_no_date", rule, {"invoice_date": days[turn % 3]}))
        saturday = self._calendar.first_day + (5 - (self._calendar.first_day + 3) % 7) % 7
        for turn in range(min(self._settings.faults_per_kind, self._settings.months * 4)):
            day = saturday + 7 * turn
            row = {
                "rate_date": _day(day),
                "from_currency": "GBP",
                "to_currency": "EUR",
                "rate": amounts[turn % 3],
                "source_system": "erp_north",
                "loaded_at": _day(day) + " 18:00:00",
            }
            self._add("erp.exchange_rates", row, "rate_is_no_number", rule, QUARANTINED)

    def _plant_header_faults(self) -> None:
        """Headers that cannot be accepted, or only with an unknown member."""
        types = ["proforma", "debit_memo", "INV"]
        unknown = f"C{'9' * self._master.customers.id_width}"
        self._repeat(
            lambda turn: self._plant_header(
                "document_type_is_unknown", "document_type_unknown", {"document_type": types[turn % 3]}
            )
        )
        self._repeat(lambda _: self._plant_header("customer_is_unknown", "customer_unknown", {"customer_id": unknown}))
        self._repeat(lambda _: self._plant_header("customer_is_null", "customer_missing", {"customer_id": None}))
        self._repeat(self._plant_date_after_loading)
        self._repeat(
            lambda _: self._plant_header("branch_is_unknown", "branch_unknown", {"branch_id": "B99"}, UNKNOWN_MEMBER)
        )
        self._repeat(
            lambda _: self._plant_header(
                "sales_rep_is_unknown", "sales_rep_unknown", {"sales_rep_id": "R999"}, UNKNOWN_MEMBER
            )
        )
        # R13: a missing rate quarantines the lines; the header itself is in order.
        self._repeat(
            lambda _: self._plant_header(
                "currency_without_rate", "exchange_rate_missing", {"currency": "CHF"}, NOTHING, "exchange_rate_missing"
            )
        )

    def _plant_date_after_loading(self, turn: int) -> None:
        """A date some days, or by a slip of the hand some years, after the night the row arrived."""
        header, lines = self._document()
        loaded = date.fromisoformat(header["loaded_at"][:10])
        days_ahead = [3, 40, 3652][turn % 3]
        header["invoice_date"] = (loaded + timedelta(days=days_ahead)).isoformat()
        fault = "invoice_date_is_after_loading"
        self._add("erp.invoices", header, fault, "invoice_date_after_loading", QUARANTINED)
        for line in lines:
            self._add("erp.invoice_lines", line, fault, "header_quarantined", QUARANTINED)

    def _plant_line_faults(self) -> None:
        """Lines whose header never arrives, and lines of articles nobody knows."""
        self._repeat(lambda _: self._plant_orphan_line())
        self._repeat(
            lambda _: self._plant_line(
                "product_is_unknown", "product_unknown", {"product_id": "P-GONE"}, UNKNOWN_MEMBER
            )
        )

    def _plant_orphan_line(self) -> None:
        """An invoice line and an order line without their headers."""
        _, lines = self._document()
        for line in lines:
            self._add("erp.invoice_lines", line, "header_never_arrives", "header_missing", QUARANTINED)
        if "erp.order_lines" not in self._table_names:
            return
        source = master_data.words.SOURCES.index(lines[0]["source_system"])
        number = self._counters.orders[source]
        self._counters.orders[source] += 1
        row = {
            "order_id": f"{'NS'[source]}{number:0{DOCUMENT_DIGITS}d}",
            "line_number": "1",
            "product_id": lines[0]["product_id"],
            "quantity": lines[0]["quantity"],
            "unit_price": "10.00",
            "discount_amount": "0.00",
            "promised_on": lines[0]["loaded_at"][:10],
            "status": "open",
            "source_system": lines[0]["source_system"],
            "loaded_at": lines[0]["loaded_at"],
        }
        self._add("erp.order_lines", row, "header_never_arrives", "header_missing", QUARANTINED)

    def _plant_conflicts(self) -> None:
        """Two contents of one key in the same night: nobody can say which one holds."""
        self._repeat(lambda _: self._plant_conflicting_header())
        self._repeat(lambda _: self._plant_conflicting_line())
        for turn, row in enumerate(self._samples.take("erp.customers", self._settings.hierarchy_faults)):
            number = int(self._master.customers.number.max()) + 1000 + turn
            stranger = row | {
                "customer_id": f"C{number:0{self._master.customers.id_width}d}",
                "vat_number": None,
                "parent_customer_id": None,
            }
            self._add_conflict("erp.customers", stranger, stranger | {"payment_terms_days": "90"})

    def _add_conflict(self, table_name: str, one: Row, other: Row) -> None:
        """Both rows are quarantined."""
        for row in (one, other):
            self._add(table_name, row, "two_contents_in_one_night", "conflicting_versions", QUARANTINED)

    def _plant_conflicting_header(self) -> None:
        """Two headers; their lines have none that is accepted."""
        header, lines = self._document()
        self._add_conflict("erp.invoices", header, header | {"due_on": header["invoice_date"]})
        for line in lines:
            self._add("erp.invoice_lines", line, "two_contents_in_one_night", "header_quarantined", QUARANTINED)

    def _plant_conflicting_line(self) -> None:
        """An accepted invoice with one good line and two contents of the other."""
        header, (good, bad) = self._document()
        self._add("erp.invoices", header)
        self._add("erp.invoice_lines", good)
        self._add_conflict(
            "erp.invoice_lines", bad, bad | {"net_amount": bad["list_amount"], "discount_amount": "0.00"}
        )


def _cents(amount: int) -> str:
    """Cents as a decimal with a point."""
    return f"{amount // 100}.{amount % 100:02d}"


def _corrected(cell: str | None) -> str:
    """Another believable value: a day later, one more, or a tenth of the number more."""
    if cell is None:
        return "1.00"
    if cell.count("-") == 2:
        return (date.fromisoformat(cell) + timedelta(days=1)).isoformat()
    if "." not in cell:
        return str(int(cell) + 1)
    cents = int(cell.replace(".", ""))
    cents += abs(cents) // 10 + 1
    return ("-" if cents < 0 else "") + _cents(abs(cents))
