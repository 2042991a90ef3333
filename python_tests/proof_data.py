"""What the independent proof runs on besides the sample: a wide configuration and a torn set of raw tables.

The sample is a tidy firm with planted faults and three segment types. The wide configuration asks for what these
three do not: VAT numbers, branches, brands, a minimum, fiscal years, other windows, organisations, margin. The torn
tables are small and wild: few distinct amounts (ties everywhere), every currency, rates from two systems in both
directions, cycles and gaps in every chain, copies, corrections and contradictions of every kind.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from worlds import Cells, Raw, segment_type, tiers, write_configuration

# The middle of a month: neither that month nor the fiscal year is complete.
AS_OF = date(2026, 3, 17)

WIDE_TYPES: dict[str, Cells] = {
    "by_vat_number": {"identity_basis": "vat", "hierarchy_level": "customer"},
    "two_branches": {"hierarchy_level": "ultimate_parent", "min_net_sales": "150"},
    "two_brands": {"new_customer_days": "30"},
    "fiscal_year": {"hierarchy_level": "ultimate_parent", "interval": "fixed_year", "fiscal_year_start_month": "7"},
    "fiscal_year_just_over": {"interval": "fixed_year", "fiscal_year_start_month": "3"},
    "half_a_year_to_date": {"timespan_months": "6", "window_end": "as_of_date"},
    "north_groups": {"organisation_id": "north", "hierarchy_level": "ultimate_parent"},
    "south_customers": {"organisation_id": "south", "timespan_months": "3"},
    "margin": {"metric": "gross_margin"},
    "products_of_a_branch": {"entity": "product", "new_customer_days": "0"},
}
BRANCHES = {
    "two_branches": ["erp_north:B01", "erp_south:B02"],
    "products_of_a_branch": ["erp_north:B02"],
}
BRANDS = {"two_brands": ["Karovane", "Vindelmo"]}
# Only in the torn tables: a firm of its own in which every amount and every day lies on a limit.
TORN_TYPES: dict[str, Cells] = {"on_the_limits": {"organisation_id": "edge", "min_net_sales": "10"}}

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
]


def wide_configuration(
    folder: Path,
    min_net_sales_factor: int = 1,
    branches: dict[str, list[str]] | None = None,
    types: dict[str, Cells] | None = None,
    append: dict[str, list[Cells]] | None = None,
) -> Path:
    """The project's seeds and one more segment type per thing they do not ask for."""
    wanted = types or WIDE_TYPES
    rows = []
    for identifier, cells in wanted.items():
        minimum = cells.get("min_net_sales")
        scaled = {"min_net_sales": str(int(minimum) * min_net_sales_factor)} if minimum else {}
        rows.append(segment_type(identifier, name=identifier, **(cells | scaled)))
    return write_configuration(
        folder,
        append={
            "segment_types": rows,
            "segment_tiers": [
                tier
                for identifier, cells in wanted.items()
                for tier in tiers(
                    identifier,
                    # A type without a default tier gives new customers its lowest one.
                    default=None if "entity" in cells or identifier == "fiscal_year" else "N",
                    A="0.70",
                    B="0.20",
                    C="0.10",
                )
            ],
            "segment_type_branches": [
                {"segment_type_id": identifier, "branch_id": branch}
                for identifier, ids in (branches or BRANCHES).items()
                for branch in ids
            ],
            "segment_type_brands": [
                {"segment_type_id": identifier, "brand": brand} for identifier, names in BRANDS.items() for brand in names
            ],
        }
        | (append or {}),
    )


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
        append={
            "organisations": [{"organisation_id": "edge", "name": "On the limits", "source_system": "erp_edge"}],
            "hierarchy_overrides": [
                {
                    "customer_id": customer,
                    "parent_customer_id": parent,
                    "valid_from": valid_from,
                    "valid_to": valid_to,
                    "reason": "torn",
                    "approved_by": approved_by,
                }
                for customer, parent, valid_from, valid_to, approved_by in TORN_PARENTS
            ],
            "account_match_overrides": [match | {"reason": "torn", "approved_by": "ann"} for match in matches]
            + [undecided | {"reason": "torn"}],
        },
    )


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
        self._accounts()
        self._shipments()
        self._limits()
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
                )
        for product in self.PRODUCTS:
            if self._happens(0.9):
                self.raw.product(system, product, brand=self._one_of("Karovane", "Vindelmo", "Bruntaal", ""))
        for branch in ("B01", "B02", "B03"):
            if self._happens(0.8):
                self.raw.add("erp.branches", source_system=system, branch_id=branch)
        for sales_rep in ("R1", "R2"):
            self.raw.add("erp.sales_reps", source_system=system, sales_rep_id=sales_rep)

    def _rates(self, system: str) -> None:
        for from_currency, to_currency in self.CURRENCY_PAIRS[system]:
            for day in {self._day() for _ in range(self.random.randrange(3, 9))}:
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


def torn_data(folder: Path, seed: int = 4) -> tuple[Path, list[str]]:
    """Write the torn tables; returns their folder and the tables they do without."""
    raw = TornData(seed).raw
    return raw.write(folder), raw.absent_tables()


def scaled(amount: str | None, factor: int) -> str | None:
    """An amount as a raw cell, so many times as large; what is no number stays as it is."""
    try:
        return str(Decimal(amount) * factor) if amount else amount
    except ArithmeticError:
        return amount
