"""Small firms with costs, for one build together: worked examples, properties, and one in which everything goes wrong.

Each firm is an organisation with a source system of the same name. Pools are a seed for all of them, so their ids begin
with the firm's name. ``torn`` is two firms and a system without a firm that share order numbers, a CRM and a 3PL.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from proof_data import recomputed
from recompute import World
from recompute_costs import COUNTED_FROM
from worlds import Cells, Raw, override, read_case, segment_type, tiers, write_configuration

# A month's end, which completes the month; the twelve months up to it are those a profit is told for.
AS_OF = date(2025, 12, 31)
FIRST_MONTH_END = "2025-08-31"
DAY = "2025-06-16"
MONTH = "2025-06-01"
NEXT_MONTH = "2025-07-01"


class CostWorlds:
    """Raw rows and configuration of some firms together."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.raw = Raw()
        self.organisations: list[Cells] = []
        self.pools: list[Cells] = []
        self.types: list[Cells] = []
        self.tiers: list[Cells] = []
        self.overrides: list[Cells] = []

    def variables(self) -> Cells:
        """The vars of a build."""
        return {
            "as_of_date": AS_OF.isoformat(),
            "first_month_end": FIRST_MONTH_END,
            "outlier_multiple": 2,
            "outlier_minimum_amount": 400,
            "absent_tables": self.raw.absent_tables(),
        }

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Raw folder and configuration folder."""
        replaced = {
            "organisations": self.organisations,
            "cost_pools": self.pools,
            "segment_types": self.types,
            "segment_tiers": self.tiers,
            "segment_type_branches": [],
            "segment_type_brands": [],
            "segment_overrides": self.overrides,
        }
        return self.raw.write(folder / "raw"), write_configuration(folder / "seeds", replace=replaced)


class Firm:
    """One firm and what happens in it; unless a day is given, in June 2025."""

    def __init__(self, worlds: CostWorlds, name: str) -> None:
        """An organisation with its ERP and a product to sell."""
        self.worlds, self.name, self.raw = worlds, name, worlds.raw
        self.numbers = 0
        worlds.organisations.append({"organisation_id": name, "name": name, "source_system": name})
        self.raw.product(name, "P1")

    def number(self, letter: str) -> str:
        """An id nobody else has."""
        self.numbers += 1
        return f"{self.name}-{letter}{self.numbers:05}"

    def customer(self, customer: str) -> None:
        """A customer with an account in the CRM."""
        self.raw.customer(self.name, customer)
        self.raw.add(
            "crm.accounts",
            source_system="crm",
            account_id=f"{self.name}-{customer}",
            erp_source_system=self.name,
            erp_customer_id=customer,
        )

    def pool(self, pool: str, driver: str, amount: Any, month: str = MONTH, **cells: Any) -> None:
        """A pool, and its cost of a month."""
        cost_pool_id = f"{self.name}_{pool}"
        if not any(row["cost_pool_id"] == cost_pool_id for row in self.worlds.pools):
            self.worlds.pools.append({"cost_pool_id": cost_pool_id, "driver": driver} | cells)
        self.raw.add(
            "erp.cost_ledger",
            source_system=self.name,
            cost_pool_id=cost_pool_id,
            ledger_month=month,
            organisation_id=self.name,
            amount=amount,
            currency="EUR",
        )

    def orders(self, customer: str, count: int, day: str = DAY) -> None:
        """So many orders."""
        for _ in range(count):
            self.raw.add(
                "erp.orders",
                source_system=self.name,
                order_id=self.number("O"),
                customer_id=customer,
                order_date=day,
                currency="EUR",
            )

    def activities(self, customer: str, kind: str, count: int, day: str = DAY) -> None:
        """So many visits, calls or support cases."""
        for _ in range(count):
            self.raw.add(
                "crm.activities",
                source_system="crm",
                activity_id=self.number("Y"),
                account_id=f"{self.name}-{customer}",
                activity_type=kind,
                performed_on=day,
            )

    def used(self, customer: str, driver: str, quantity: Any, month: str = MONTH) -> None:
        """So much of a driver that is landed."""
        self.raw.add(
            "erp.driver_quantities",
            source_system=self.name,
            driver=f"{self.name}_{driver}",
            customer_id=customer,
            driver_month=month,
            quantity=quantity,
        )

    def sold(self, customer: str, amount: Any, cost: Any, units: Any = "1") -> None:
        """An invoice that is paid at once, or a credit note."""
        line_cells = {"quantity": units, "cost_amount": cost}
        self.raw.sale(self.name, customer, DAY, amount, line_cells=line_cells, paid_on=DAY)

    def charged(self, customer: str, amount: Any, charge_type: str = "accessorial", day: str = DAY) -> None:
        """A charge of the 3PL for a shipment of an order of the customer; the shipment left the month before."""
        order, shipment = self.number("O"), self.number("T")
        self.raw.add("erp.orders", source_system=self.name, order_id=order, customer_id=customer)
        self.raw.add(
            "tpl.shipments",
            source_system="tpl",
            shipment_id=shipment,
            erp_source_system=self.name,
            order_id=order,
            shipped_on="2025-05-30",
        )
        self.raw.add(
            "tpl.charges",
            source_system="tpl",
            charge_id=self.number("H"),
            shipment_id=shipment,
            charge_type=charge_type,
            amount=amount,
            currency="EUR",
            charged_on=day,
        )

    def returned(self, customer: str, count: int, day: str = DAY) -> None:
        """So many returns, of one order."""
        order = self.number("O")
        self.raw.add("erp.orders", source_system=self.name, order_id=order, customer_id=customer)
        for _ in range(count):
            self.raw.add(
                "tpl.returns", source_system="tpl", return_id=self.number("X"), order_id=order, received_on=day
            )


# ---- Worked examples ----

ALPHA = "cts_alpha_3customers"
KANTHAL = "cts_kanthal_2customers"
SUSTAINING = "cts_org_sustaining_not_allocated"
SPRING = "cts_spring_5customers_whale"
CAPACITY = "cts_tdabc_unused_capacity"
VISITS = "cts_visits_2customers"
ROUNDING = "alloc_rounding_residual"
CARBON = "segment_pnl_carbon_2classes"
DAKOTA = "neg_dakota_pool_overallocation"


def add_alpha(worlds: CostWorlds) -> None:
    """Five pools on three drivers, and a direct service cost per customer."""
    firm = Firm(worlds, "alpha")
    drivers: dict[str, dict[str, str]] = {}
    for row in read_case(ALPHA, "input.csv"):
        if row["record"] == "pool":
            driver = "alpha_floor_m2" if row["driver_or_field"] == "floor_m2" else row["driver_or_field"]
            firm.pool(row["name"], driver, row["value"])
        else:
            drivers.setdefault(row["name"], {})[row["driver_or_field"]] = row["value"]
    for customer, fields in drivers.items():
        firm.customer(customer)
        firm.orders(customer, int(fields["orders"]))
        firm.used(customer, "floor_m2", fields["floor_m2"])
        revenue = Decimal(fields["revenue"])
        firm.sold(customer, revenue, revenue * (1 - Decimal(fields["gp"])), fields["units"])
        firm.charged(customer, fields["direct"])


def add_kanthal(worlds: CostWorlds) -> None:
    """An order of something that is not in stock is an order as well: it counts in both pools."""
    firm = Firm(worlds, "kanthal")
    rows = read_case(KANTHAL, "input.csv")
    firm.pool("orders", "orders", 750 * sum(int(row["orders"]) for row in rows))
    extra = sum(int(row["non_stocked_orders"]) for row in rows)
    firm.pool("non_stocked", "kanthal_non_stocked_orders", 2250 * extra)
    for row in rows:
        firm.customer(row["customer"])
        firm.orders(row["customer"], int(row["orders"]))
        firm.used(row["customer"], "non_stocked_orders", row["non_stocked_orders"])
        firm.sold(row["customer"], row["sales_sek"], Decimal(row["sales_sek"]) / 2)


def add_sustaining(worlds: CostWorlds) -> None:
    """One client and all others; a pool that sustains the firm and is no client's."""
    firm = Firm(worlds, "sustaining")
    for customer in ("Guzman", "others"):
        firm.customer(customer)
    firm.sold("Guzman", "3000", "0")
    for row in read_case(SUSTAINING, "input.csv"):
        if not row["driver_volume"]:
            firm.pool(row["pool"], "none", row["cost"], cost_level="organisation")
            continue
        firm.pool(row["pool"], f"sustaining_{row['pool']}", row["cost"])
        firm.used("Guzman", row["pool"], row["client_usage"])
        firm.used("others", row["pool"], int(row["driver_volume"]) - int(row["client_usage"]))


def add_capacity(worlds: CostWorlds) -> None:
    """Minutes of three activities, each done for one customer, and a department that could do more."""
    firm = Firm(worlds, "capacity")
    firm.pool("department", "capacity_minutes", "560000", practical_capacity="700000")
    for row in read_case(CAPACITY, "input.csv"):
        firm.customer(row["activity"])
        firm.used(row["activity"], "minutes", int(row["unit_minutes"]) * int(row["quantity"]))


def add_visits(worlds: CostWorlds) -> None:
    """Two of many customers; the others have the rest of the volume."""
    firm = Firm(worlds, "visits")
    pools: dict[str, dict[str, str]] = {}
    customers: dict[str, dict[str, str]] = {"others": {}}
    for row in read_case(VISITS, "input.csv"):
        known = pools if row["record"] == "pool" else customers
        known.setdefault(row["name"], {})[row["field"]] = row["value"]
    names = {"visits": "visits", "delivery": "kg_miles", "modification": "modifications", "order_processing": "orders"}
    for field in names.values():
        pool = next(pool for pool, used in names.items() if used == field)
        rest = int(pools[pool]["driver_volume"]) - sum(int(fields.get(field, 0)) for fields in customers.values())
        customers["others"][field] = str(rest)
    for pool, cells in pools.items():
        field = names.get(pool, "orders")
        firm.pool(pool, field if field in COUNTED_FROM else f"visits_{field}", cells["cost"])
    for customer, fields in customers.items():
        firm.customer(customer)
        firm.orders(customer, int(fields["orders"]))
        firm.activities(customer, "visit", int(fields["visits"]))
        for driver in ("kg_miles", "modifications"):
            firm.used(customer, driver, fields[driver])
        if "revenue" in fields:
            firm.sold(customer, fields["revenue"], fields["product_cost"])


def add_rounding(worlds: CostWorlds) -> None:
    """Equal shares of what three do not divide."""
    firm = Firm(worlds, "rounding")
    for row in read_case(ROUNDING, "input.csv"):
        if not any(cells["customer_id"] == row["target"] for cells in worlds.raw.rows["erp.customers"]):
            firm.customer(row["target"])
            firm.used(row["target"], "weight", row["weight"])
    for amount in sorted({row["amount"] for row in read_case(ROUNDING, "input.csv")}):
        firm.pool(f"of_{amount}", "rounding_weight", amount)


CARBON_PARTS = ((1, 5), (4, 5))


def add_carbon(worlds: CostWorlds) -> None:
    """Two classes of customers with two customers each, a small one and a large one; and a type that knows the classes."""
    firm = Firm(worlds, "carbon")
    firm.pool("orders", "orders", "1760000")
    firm.pool("calls", "calls", "640000")
    firm.pool("service", "support_cases", "600000")
    worlds.types.append(segment_type("carbon", organisation_id="carbon"))
    worlds.tiers += tiers("carbon", C_class="0.5", D_class="0.5")
    for row in read_case(CARBON, "input.csv"):
        for number, (part, whole) in enumerate(CARBON_PARTS, start=1):
            customer = f"{row['customer_class']}_{number}"
            units = int(row["units"]) * part // whole
            firm.customer(customer)
            firm.sold(customer, units * 125, units * 100, units)
            firm.orders(customer, int(row["sales_orders"]) * part // whole)
            firm.activities(customer, "call", int(row["sales_calls"]) * part // whole)
            firm.activities(customer, "support_case", int(row["service_calls"]) * part // whole)
            worlds.overrides.append(
                override(f"o_{customer}", "carbon", f"carbon:{customer}", tier=row["customer_class"])
            )


EXAMPLES = (add_alpha, add_kanthal, add_sustaining, add_capacity, add_visits, add_rounding, add_carbon)


def spring_and_dakota() -> CostWorlds:
    """The two examples about a whole company. There is no CRM and no 3PL here: what would be counted from them is landed."""
    worlds = CostWorlds()
    firm = Firm(worlds, "spring")
    worlds.types.append(segment_type("spring", is_default="true"))
    worlds.tiers += tiers("spring")
    rates = {
        "orders": (100, lambda row: int(row["purchase_orders"])),
        "visits": (80, lambda row: int(row["visits"])),
        "spring_miles": (2, lambda row: int(row["deliveries"]) * int(row["miles_per_delivery"])),
        "units": (Decimal("0.5"), lambda row: int(row["cases"])),
        "expedited_shipments": (300, lambda row: int(row["expedited"])),
    }
    rows = read_case(SPRING, "input.csv")
    for driver, (rate, quantity) in rates.items():
        firm.pool(driver, driver, rate * sum(quantity(row) for row in rows))
    for row in rows:
        customer, cases = row["customer"], int(row["cases"])
        worlds.raw.customer("spring", customer)
        firm.orders(customer, int(row["purchase_orders"]))
        firm.sold(customer, cases * Decimal(row["actual_price"]), cases * 12, cases)
        for driver in ("visits", "spring_miles", "expedited_shipments"):
            worlds.raw.add(
                "erp.driver_quantities",
                source_system="spring",
                driver=driver,
                customer_id=customer,
                driver_month=MONTH,
                quantity=rates[driver][1](row),
            )
    dakota = Firm(worlds, "dakota")
    dakota.pool("order_entry", "dakota_hours", "800000")
    return worlds


# ---- Properties ----

PROPERTY_SEEDS = range(5)
# Two customers are alike, so that ids have something to decide; one buys nothing, one only sends back.
CUSTOMERS = ("Ash", "Beech", "Cedar", "Elm", "Twin_1", "Twin_2", "Returner", "Idle")
ALIKE = ("Twin_1", "Twin_2")
SHARED_POOLS = ("by_orders", "by_weight", "by_sales", "by_returns", "credited")


def other_name(customer: str) -> str:
    """Another id, in the opposite order."""
    return f"Z{len(CUSTOMERS) - CUSTOMERS.index(customer)}"


def add_firm_and_variants(worlds: CostWorlds, seed: int) -> None:
    """One firm five times over: as it is, with other ids, in another order, its pools in two parts, its costs as credits."""
    _add_variant(worlds, seed, "base")
    _add_variant(worlds, seed, "renamed", name=other_name)
    _add_variant(worlds, seed, "shuffled", order=CUSTOMERS[::-1])
    _add_variant(worlds, seed, "split", parts=(Decimal("0.37"), Decimal("0.63")))
    _add_variant(worlds, seed, "mirrored", sign=-1)


def _add_variant(
    worlds: CostWorlds,
    seed: int,
    variant: str,
    *,
    name: Any = str,
    order: Iterable[str] = CUSTOMERS,
    parts: tuple[Decimal, ...] = (),
    sign: int = 1,
) -> None:
    source = random.Random(seed)
    firm = Firm(worlds, f"{variant}{seed}")
    amounts = {pool: Decimal(source.randrange(1, 200_000)) / 100 for pool in SHARED_POOLS}
    amounts["credited"] *= -1
    counts = {customer: source.randrange(1, 9) for customer in CUSTOMERS}
    weights = {customer: Decimal(source.randrange(1, 90_000)) / 10_000 for customer in CUSTOMERS}
    sales = {customer: source.randrange(1, 900) for customer in CUSTOMERS}
    # Beech gave everything back and more.
    sales["Beech"] = -sales["Beech"]
    for measure in (counts, weights, sales):
        measure[ALIKE[1]] = measure[ALIKE[0]]
    drivers = {"by_weight": f"{firm.name}_weight", "by_sales": "net_sales", "by_returns": "returns"}
    for pool, amount in amounts.items():
        driver = drivers.get(pool, "orders")
        # In July nothing happens, and it costs all the same.
        for month in (MONTH, NEXT_MONTH):
            cents = sign * int(amount * 100)
            shares = [int(cents * part) for part in parts[1:]]
            for number, share in enumerate([cents - sum(shares), *shares]):
                firm.pool(f"{pool}{number or ''}", driver, Decimal(share) / 100, month)
    for customer in order:
        firm.customer(name(customer))
        if customer == "Idle":
            continue
        firm.returned(name(customer), counts[customer])
        if customer == "Returner":
            continue
        firm.orders(name(customer), counts[customer])
        firm.used(name(customer), "weight", weights[customer])
        firm.sold(name(customer), "1000", "600")
        firm.sold(name(customer), -1000, -600)
        firm.sold(name(customer), sales[customer], sales[customer])


# ---- Everything that goes wrong ----

PROFIT = {"metric": "net_profit_after_cost_to_serve"}
# Types by profit under every option that has a say in it, and two without.
PROFIT_TYPES: dict[str, Cells] = {
    "profit": PROFIT,
    "profit_of_groups": PROFIT | {"hierarchy_level": "ultimate_parent", "organisation_id": "left", "timespan_months": "3"},
    "profit_by_vat_number": PROFIT | {"identity_basis": "vat", "min_net_sales": "100", "hysteresis_months": "2"},
    "profit_of_a_year": PROFIT | {"interval": "fixed_year", "fiscal_year_start_month": "4", "boundary": "nearest"},
    "profit_capped": PROFIT | {"outlier_treatment": "cap", "denominator": "all"},
    "profit_without_outliers": PROFIT | {"outlier_treatment": "exclude", "ties": "split"},
}
SHARED_TYPES: dict[str, Cells] = {
    "everybody": {"is_default": "true"},
    "left_groups": {"organisation_id": "left", "hierarchy_level": "ultimate_parent"},
    **PROFIT_TYPES,
}


class TornCosts:
    """Two firms, a system of no firm, a CRM and a 3PL. The same seed makes the same rows."""

    SYSTEMS = ("torn_left", "torn_right", "torn_stray")
    CUSTOMERS = tuple(f"C{number:02}" for number in range(1, 11))
    LEDGER_MONTHS = (
        # Not the months of the other firms: a cost of all organisations would reach them as well.
        *("2024-05-01", "2024-12-31", "2025-01-15", "2025-03-01", "2025-09-01", "2025-11-30", "2025-12-01"),
        "2026-01-01",
    )
    CURRENCIES = ("EUR", "EUR", "EUR", "eur", "GBP", "gbp", "USD", "CHF")
    DRIVERS = (*COUNTED_FROM, "square_metres", "Square_Metres", "never_landed")
    AMOUNTS = ("0", "0.01", "0.02", "1", "10.00", "99.995", "333.333333", "1000", "1234.56", "20000.01")

    def __init__(self, worlds: CostWorlds, seed: int = 15) -> None:
        """Add all rows."""
        self.random = random.Random(seed)
        self.raw = worlds.raw
        self.worlds = worlds
        for system in self.SYSTEMS[:2]:
            worlds.organisations.append({"organisation_id": system[5:], "name": system, "source_system": system})
        for pool, driver in enumerate(self.DRIVERS):
            worlds.pools.append({"cost_pool_id": f"torn_{driver}", "driver": driver, "activity": f"torn_{pool % 4}"})
            capacity = self._one_of("0", "0.0001", "2", "12.5", "100", "5000000")
            worlds.pools.append(
                {"cost_pool_id": f"torn_{driver}_capacity", "driver": driver, "practical_capacity": capacity}
            )
        worlds.pools.append({"cost_pool_id": "torn_office", "driver": "none", "cost_level": "organisation"})
        worlds.pools.append({"cost_pool_id": "torn_board", "driver": "orders", "cost_level": "organisation"})
        for identifier, cells in SHARED_TYPES.items():
            worlds.types.append(segment_type(identifier, **cells))
            worlds.tiers += tiers(identifier, default="N", excluded="X")
        for system in self.SYSTEMS:
            self._customers(system)
            self._orders(system)
            self._invoices(system)
            self._driver_quantities(system)
        self._rates()
        self._accounts()
        self._activities()
        self._shipments()
        self._charges()
        self._returns()
        self._ledger()
        for table in ("erp.cost_ledger", "erp.driver_quantities", "tpl.charges", "tpl.returns", "crm.activities"):
            self._tear(table)

    def _one_of(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def _day(self) -> str:
        """Any day around the months of the ledger."""
        return (date(2024, 4, 20) + timedelta(days=self.random.randrange(660))).isoformat()

    def _day_or_none(self) -> str:
        return self._day() if self._happens(0.92) else ""

    def _amount(self) -> str:
        return self._one_of("", "", "", "-") + self._one_of(*self.AMOUNTS)

    def _customers(self, system: str) -> None:
        self.raw.product(system, "P1")
        for number, customer in enumerate(self.CUSTOMERS):
            # The last one of each system is invoiced, ordered for and shipped to, and nobody has ever heard of it.
            if customer != self.CUSTOMERS[-1]:
                self.raw.customer(
                    system,
                    customer,
                    name=f"Torn {number % 4}",
                    vat_number=f"DE5284567{number % 6}1",
                    country="DE",
                    postal_code="10",
                    customer_kind="internal" if number == 2 else "",
                    parent_customer_id=self._one_of("", "", *self.CUSTOMERS),
                )

    def _rates(self) -> None:
        for system, pair, day, rate in (
            ("torn_left", ("GBP", "EUR"), "2024-06-01", "1.163340"),
            ("torn_left", ("GBP", "EUR"), "2025-03-31", "1.2"),
            ("torn_right", ("EUR", "GBP"), "2024-04-01", "0.85"),
            ("torn_right", ("EUR", "USD"), "2024-12-31", "1.1"),
            ("torn_right", ("EUR", "USD"), "2025-11-30", "3"),
        ):
            self.raw.add(
                "erp.exchange_rates",
                source_system=system,
                from_currency=pair[0],
                to_currency=pair[1],
                rate_date=day,
                rate=rate,
            )

    def _orders(self, system: str) -> None:
        """Every system counts from a number of its own, and they meet."""
        start = {"torn_left": 0, "torn_right": 60, "torn_stray": 110}[system]
        for number in range(start, start + 90):
            self.raw.add(
                "erp.orders",
                source_system=system,
                order_id=f"O{number}",
                customer_id=self._one_of(*self.CUSTOMERS, ""),
                order_date=self._day_or_none(),
                status=self._one_of("", "cancelled", "delivered"),
            )
            for line_number in range(self.random.randrange(4)):
                self.raw.add(
                    "erp.order_lines",
                    source_system=system,
                    order_id=f"O{number + self._one_of(0, 0, 0, 0, 200)}",
                    line_number=line_number,
                )

    def _invoices(self, system: str) -> None:
        for number in range(90):
            day = date.fromisoformat(self._day())
            kind = "credit_note" if self._happens(0.2) else "invoice"
            paid_after = self._one_of(-10, 0, 0, 1, 14, 30, 45, 90, 400)
            invoice_id = f"I{number:03}"
            self.raw.add(
                "erp.invoices",
                source_system=system,
                invoice_id=invoice_id,
                customer_id=self._one_of(*self.CUSTOMERS),
                invoice_date=day,
                document_type=kind,
                original_invoice_id=f"I{self.random.randrange(90):03}" if kind == "credit_note" else "",
                order_id=self._one_of("", f"O{self.random.randrange(90)}"),
                paid_on="" if self._happens(0.3) else day + timedelta(days=paid_after),
                currency=self._one_of("EUR", "EUR", "GBP", "CHF"),
                loaded_at="2026-06-01 02:00:00",
            )
            for line_number in range(1, self.random.randrange(2, 5)):
                sign = "-" if (kind == "credit_note") != self._happens(0.1) else ""
                self.raw.line(
                    system,
                    invoice_id,
                    line_number,
                    sign + self._one_of(*self.AMOUNTS),
                    "2026-06-01 02:00:00",
                    quantity=self._one_of("", sign + "1", sign + "2.5", sign + "40"),
                    cost_amount=self._one_of("", sign + "0.5", sign + "800"),
                )

    def _driver_quantities(self, system: str) -> None:
        """Of drivers that are landed, and of some that are counted and therefore not believed."""
        for driver in ("square_metres", "Square_Metres", "orders", "visits", "none"):
            for customer in (*self.CUSTOMERS, ""):
                for month in self.LEDGER_MONTHS:
                    if self._happens(0.4):
                        self.raw.add(
                            "erp.driver_quantities",
                            source_system=system,
                            driver=driver,
                            customer_id=customer,
                            driver_month=month,
                            quantity=self._one_of("", "0", "1", "1", "3", "0.0001", "12.5", "-4", "100000"),
                        )

    def _accounts(self) -> None:
        for number in range(1, 16):
            self.raw.add(
                "crm.accounts",
                source_system=self._one_of("torn_crm", "torn_crm", "torn_crm_2"),
                account_id=f"A{number}",
                name=f"Torn {number % 4}",
                country="DE",
                postal_code=self._one_of("10", "20"),
                vat_number=self._one_of("", f"DE5284567{number % 6}1"),
                erp_source_system=self._one_of("", *self.SYSTEMS),
                erp_customer_id=self._one_of(*self.CUSTOMERS),
            )

    def _activities(self) -> None:
        for number in range(400):
            self.raw.add(
                "crm.activities",
                source_system=self._one_of("torn_crm", "torn_crm_2"),
                activity_id=f"Y{number}",
                account_id=f"A{self.random.randrange(1, 18)}" if self._happens(0.9) else "",
                activity_type=self._one_of("visit", "Visit", "call", "support_case", "email", "feedback", ""),
                performed_on=self._day_or_none(),
            )

    def _shipments(self) -> None:
        for number in range(250):
            self.raw.add(
                "tpl.shipments",
                source_system=self._one_of("torn_tpl", "torn_tpl_2"),
                shipment_id=f"T{number}",
                erp_source_system=self._one_of("", "TORN_LEFT", *self.SYSTEMS, *self.SYSTEMS),
                order_id=f"O{self.random.randrange(220)}" if self._happens(0.7) else "",
                consignee_code=f"K{self.random.randrange(60)}" if self._happens(0.9) else "",
                service_level=self._one_of("standard", "expedited", "Expedited", ""),
                shipped_on=self._day_or_none(),
                weight_kg=self._one_of("", "0", "0.0001", "12.5", "12.5", "900", "-3"),
                package_count=self._one_of("", "0", "1", "1", "7"),
            )

    def _charges(self) -> None:
        for number in range(500):
            self.raw.add(
                "tpl.charges",
                source_system=self._one_of("torn_tpl", "torn_tpl_2"),
                charge_id=f"H{number}",
                shipment_id=f"T{self.random.randrange(255)}" if self._happens(0.97) else "",
                charge_type=self._one_of("freight", "Freight", "pick", "pack", "storage", "return", "accessorial", "toll", ""),
                amount=self._amount() if self._happens(0.97) else "",
                currency=self._one_of(*self.CURRENCIES) if self._happens(0.98) else "",
                charged_on=self._day_or_none(),
            )

    def _returns(self) -> None:
        for number in range(160):
            self.raw.add(
                "tpl.returns",
                source_system=self._one_of("torn_tpl", "torn_tpl_2"),
                return_id=f"X{number}",
                order_id=f"O{self.random.randrange(220)}" if self._happens(0.8) else "",
                consignee_code=f"K{self.random.randrange(60)}" if self._happens(0.8) else "",
                received_on=self._day_or_none(),
                quantity=self._one_of("", "1", "9"),
            )

    def _ledger(self) -> None:
        pools = [row["cost_pool_id"] for row in self.worlds.pools if row["cost_pool_id"].startswith("torn_")]
        for pool in (*pools, "torn_unknown", "direct_freight"):
            for organisation in ("left", "right", "", "nowhere"):
                for month in self.LEDGER_MONTHS:
                    if self._happens(0.12 if organisation == "nowhere" else 0.6):
                        for system in self.random.sample(self.SYSTEMS, self._one_of(1, 1, 1, 2)):
                            self.raw.add(
                                "erp.cost_ledger",
                                source_system=system,
                                cost_pool_id=pool,
                                ledger_month=month,
                                organisation_id=organisation,
                                amount=self._amount() if self._happens(0.98) else "",
                                currency=self._one_of(*self.CURRENCIES) if self._happens(0.98) else "",
                            )

    def _tear(self, table: str) -> None:
        """Deliver some rows again: as they are, corrected, contradicted, or broken."""
        changes: dict[str, list[Cells]] = {
            "erp.cost_ledger": [{"amount": "77.77"}, {"amount": "1,000"}, {"ledger_month": "June"}],
            "erp.driver_quantities": [{"quantity": "5"}, {"quantity": "many"}],
            "tpl.charges": [{"amount": "7.5"}, {"charge_id": ""}],
            "tpl.returns": [{"order_id": "O1"}, {"received_on": "soon"}],
            "crm.activities": [{"activity_type": "visit"}, {"duration_minutes": "long"}],
        }
        rows = self.raw.rows[table]
        for row in list(rows):
            if self._is_torn(row) and self._happens(0.1):
                change: Mapping[str, Any] = self._one_of({}, *changes[table])
                rows.append(row | change | self._one_of({}, {"loaded_at": "2020-01-02 02:00:00"}))

    @staticmethod
    def _is_torn(row: Cells) -> bool:
        return str(row["source_system"]).startswith("torn_")


def small_firms() -> CostWorlds:
    """All of them, for one build."""
    worlds = CostWorlds()
    for add in EXAMPLES:
        add(worlds)
    for seed in PROPERTY_SEEDS:
        add_firm_and_variants(worlds, seed)
    TornCosts(worlds)
    return worlds


def recomputed_firms(warehouse: Path) -> World:
    """What a build of them is to find."""
    folder = warehouse.parents[1]
    return recomputed(folder / "raw", folder / "seeds", CostWorlds().variables())
