"""What customers cost, computed a second time (R15): plain Python over the raw rows, sharing nothing with the SQL.

Built on the verdicts, identities, links and rates of ``recompute.World``. Money is whole cents, quantities are exact
fractions; days are walked through one by one where the SQL carries balances.

    costs = Costs.read(world)
    costs.drivers        (driver, organisation, month, customer): quantity; nobody's is nobody's (None)
    costs.allocations    one row per pool, month, organisation and customer or reason: to the cent the ledger
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import accumulate

from recompute import Row, World, global_id, month_end, months_before

# The table each driver is counted from; without the table, erp.driver_quantities may say it.
COUNTED_FROM = {
    "orders": "erp.orders",
    "order_lines": "erp.order_lines",
    "invoices": "erp.invoices",
    "shipments": "tpl.shipments",
    "shipment_weight": "tpl.shipments",
    "packages": "tpl.shipments",
    "expedited_shipments": "tpl.shipments",
    "returns": "tpl.returns",
    "visits": "crm.activities",
    "calls": "crm.activities",
    "support_cases": "crm.activities",
    "days_outstanding_value": "erp.invoices",
    "units": "erp.invoice_lines",
    "net_sales": "erp.invoice_lines",
}
RULES_BY_TRUST = ("manual", "cross_reference", "vat_number", "name_and_address")

# (driver, organisation, first day of the month, customer)
Usage = tuple[str, str | None, date, str | None]


@dataclass(frozen=True)
class Pool:
    """A row of cost_pools."""

    driver: str
    is_shared: bool
    capacity: Fraction | None
    activity: str


@dataclass(frozen=True)
class Allocation:
    """What one customer, or nobody for a reason, bears of a pool, in cents."""

    cost_pool_id: str
    cost_method: str
    cost_month: date
    organisation_id: str | None
    customer_id: str | None
    unallocated_reason: str | None
    driver: str | None
    driver_quantity: Fraction | None
    driver_volume: Fraction | None
    pool_cost: int
    cost: int

    @property
    def key(self) -> tuple[str, ...]:
        """What there is once."""
        parts = (self.cost_pool_id, self.cost_method, self.cost_month.isoformat(), self.organisation_id)
        return tuple(part or "" for part in (*parts, self.customer_id, self.unallocated_reason))


CHARGE_TYPES = ("freight", "pick", "pack", "storage", "return", "accessorial")


class Profit(Counter[str]):
    """Measures by their names, in cents; what is not there is nothing."""

    def bear(self, row: Allocation) -> None:
        """Take on a cost."""
        if row.cost_method == "allocated":
            self["allocated_cost"] += row.cost
        else:
            charge_type = row.cost_pool_id.removeprefix("direct_")
            self[f"{charge_type if charge_type in CHARGE_TYPES else 'other'}_charges"] += row.cost
            self["direct_charges"] += row.cost

    def completed(self) -> Profit:
        """With what follows from the rest."""
        self["cost_to_serve"] = self["direct_charges"] + self["allocated_cost"]
        self["net_profit"] = self["gross_margin"] - self["cost_to_serve"]
        return self


def month_start(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def share_out(amount: int, claims: dict[str, Fraction], order: Iterable[str]) -> dict[str, int]:
    """Cents by claims: whole cents first, then one each by largest remainder, larger claim, and the given order."""
    total = sum(claims.values())
    size = abs(amount)
    position = {name: number for number, name in enumerate(order)}
    exact = {name: size * claim / total for name, claim in claims.items()}
    shares = {name: share.numerator // share.denominator for name, share in exact.items()}
    queue = sorted(claims, key=lambda name: (shares[name] - exact[name], -claims[name], position[name]))
    for name in queue[: size - sum(shares.values())]:
        shares[name] += 1
    return {name: share if amount >= 0 else -share for name, share in shares.items()}


class Costs:
    """All costs of a world."""

    def __init__(self, world: World, pools: dict[str, Pool], absent_tables: Iterable[str] = ()) -> None:
        """The world with its pools; a driver counted from an absent table may be landed instead."""
        self.world = world
        self.pools = pools
        self.counted = {driver for driver, table in COUNTED_FROM.items() if table not in set(absent_tables)}
        self.organisation_of = world.configuration.organisation_of
        self.organisations = set(self.organisation_of.values())
        self.customers = {global_id(*row.key): row.source_system for row in world.staged("erp.customers")}

    @classmethod
    def read(cls, world: World, absent_tables: Iterable[str] = ()) -> Costs:
        """With the pools of the world's own configuration."""
        pools = {
            row["cost_pool_id"]: Pool(
                row["driver"],
                row["cost_level"] != "organisation",
                Fraction(row["practical_capacity"]) if row["practical_capacity"] else None,
                row["activity"] or row["cost_pool_id"],
            )
            for row in world.configuration.cost_pools
        }
        return cls(world, pools, absent_tables)

    # Whose it is

    def known(self, source_system: str | None, native: str | None) -> str | None:
        """A customer's global id, if there is such a customer."""
        customer = global_id(source_system, native)
        return customer if native and customer in self.customers else None

    def organisation(self, customer: str | None, source_system: str | None = None) -> str | None:
        """The organisation of a customer; of what is nobody's, that of the system it stands in, or the only one."""
        if customer is None and source_system is None:
            return next(iter(self.organisations)) if len(self.organisations) == 1 else None
        return self.organisation_of.get(self.customers[customer] if customer else source_system)

    @cached_property
    def consignees(self) -> dict[str, str]:
        """The one customer a consignee code is linked to."""
        return {party: customer for customer, kind, party in self.world.matches if kind == "tpl_consignee"}

    @cached_property
    def account_owners(self) -> dict[str, str]:
        """The customer an account counts for: the best link, then the first id."""
        owners: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for (customer, kind, party), rule in self.world.matches.items():
            if kind == "crm_account":
                owners[party].append((RULES_BY_TRUST.index(rule), customer))
        return {party: min(found)[1] for party, found in owners.items()}

    @cached_property
    def order_owners(self) -> dict[tuple[str | None, str], str | None]:
        """The customer of every order there is, if it is known."""
        return {row.key: self.known(row.source_system, row.values["customer_id"]) for row in self.world.staged("erp.orders")}

    @staticmethod
    def system_of_shipment(shipment: Row) -> str | None:
        """The ERP that ordered it."""
        return (shipment.values["erp_source_system"] or "").lower() or None

    def owner_of_shipment(self, shipment: Row) -> str | None:
        """Of its order, else of its consignee code."""
        owner = self.order_owners.get((self.system_of_shipment(shipment), shipment.values["order_id"]))
        return owner or self.consignees.get(global_id(shipment.source_system, shipment.values["consignee_code"]))

    @cached_property
    def orders_of_numbers(self) -> dict[str, list[tuple[str | None, str | None]]]:
        """System and customer of the orders of one number, over all systems."""
        orders: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)
        for (system, number), owner in self.order_owners.items():
            orders[number].append((system, owner))
        return orders

    def owner_of_return(self, record: Row) -> tuple[str | None, str | None]:
        """Customer and system of the only order of its number; a customer else of its consignee code."""
        orders = self.orders_of_numbers.get(record.values["order_id"], [])
        system, owner = orders[0] if len(orders) == 1 else (None, None)
        return owner or self.consignees.get(global_id(record.source_system, record.values["consignee_code"])), system

    # Drivers

    @cached_property
    def drivers(self) -> dict[Usage, Fraction]:
        """What everybody used of every driver in every month; who comes out below zero used nothing."""
        found: dict[Usage, Fraction] = defaultdict(Fraction)
        for driver, day, customer, source_system, quantity in self._units():
            if day is not None:
                found[driver, self.organisation(customer, source_system), month_start(day), customer] += quantity
        return {usage: quantity for usage, quantity in found.items() if quantity > 0}

    def _units(self) -> Iterator[tuple[str, date | None, str | None, str | None, Fraction | int]]:
        """Driver, day, customer, the system that knows the organisation where there is no customer, and how many."""
        world = self.world
        line_counts: dict[tuple[str | None, str], int] = defaultdict(int)
        for line in world.staged("erp.order_lines"):
            line_counts[line.source_system, line.values["order_id"]] += 1
        for order in world.staged("erp.orders"):
            place = (order.values["order_date"], self.order_owners[order.key], order.source_system)
            yield ("orders", *place, 1)
            yield ("order_lines", *place, line_counts[order.key])
        for invoice in world.staged("erp.invoices"):
            if invoice.values["document_type"] == "invoice":
                yield "invoices", invoice.values["invoice_date"], world.customer_of(invoice), None, 1
        for shipment in world.staged("tpl.shipments"):
            values = shipment.values
            place = (values["shipped_on"], self.owner_of_shipment(shipment), self.system_of_shipment(shipment))
            yield ("shipments", *place, 1)
            yield ("shipment_weight", *place, values["weight_kg"] or 0)
            yield ("packages", *place, values["package_count"] or 0)
            yield ("expedited_shipments", *place, int((values["service_level"] or "").lower() == "expedited"))
        for record in world.staged("tpl.returns"):
            yield ("returns", record.values["received_on"], *self.owner_of_return(record), 1)
        plurals = {"visit": "visits", "call": "calls", "support_case": "support_cases"}
        for activity in world.staged("crm.activities"):
            account = global_id(activity.source_system, activity.values["account_id"])
            driver = plurals.get((activity.values["activity_type"] or "").lower())
            if driver:
                yield driver, activity.values["performed_on"], self.account_owners.get(account), None, 1
        for line in world.lines:
            yield "units", line.invoice_date, line.customer_id, None, line.quantity
            yield "net_sales", line.invoice_date, line.customer_id, None, Fraction(line.net_sales, 100)
        yield from self._days_outstanding()
        for row in world.staged("erp.driver_quantities"):
            driver, values = row.values["driver"], row.values
            if driver not in self.counted and driver != "none":
                customer = self.known(row.source_system, values["customer_id"])
                yield driver, values["driver_month"], customer, row.source_system, values["quantity"] or 0

    def _days_outstanding(self) -> Iterator[tuple[str, date, str, None, Fraction]]:
        """What an invoice is open for on a day, day after day: not yet on its own, still on the day it is paid."""
        paid_on = {
            global_id(*invoice.key): invoice.values["paid_on"]
            for invoice in self.world.staged("erp.invoices")
            if invoice.values["document_type"] == "invoice"
        }
        amounts: dict[tuple[str, str, date], int] = defaultdict(int)
        for line in self.world.lines:
            if line.invoice_id in paid_on:
                amounts[line.invoice_id, line.customer_id, line.invoice_date] += line.net_sales
        months = sorted({month for _, month, _ in self.ledger})
        for (invoice_id, customer, invoiced_on), amount in amounts.items():
            for month in months:
                first, last = max(month, invoiced_on + timedelta(days=1)), month_end(month)
                if paid_on[invoice_id] is not None:
                    last = min(last, paid_on[invoice_id])
                if last >= first:
                    value_days = Fraction(amount * ((last - first).days + 1), 100)
                    yield "days_outstanding_value", month, customer, None, value_days

    # Pools

    @cached_property
    def ledger(self) -> dict[tuple[str, date, str | None], int]:
        """Cents per pool, month and organisation."""
        found: dict[tuple[str, date, str | None], int] = defaultdict(int)
        for row in self.world.staged("erp.cost_ledger"):
            values = row.values
            key = values["cost_pool_id"], month_start(values["ledger_month"]), values["organisation_id"]
            found[key] += self.world.cost_of(row) or 0
        return found

    @cached_property
    def charges(self) -> dict[tuple[str, date, str | None, str | None, str | None], int]:
        """Cents per type, month, organisation, customer or reason."""
        shipments = {global_id(*row.key): row for row in self.world.staged("tpl.shipments")}
        found: dict[tuple[str, date, str | None, str | None, str | None], int] = defaultdict(int)
        for row in self.world.staged("tpl.charges"):
            values = row.values
            shipment = shipments.get(global_id(row.source_system, values["shipment_id"]))
            customer, organisation, reason = None, None, "unknown_shipment"
            if shipment is not None:
                customer = self.owner_of_shipment(shipment)
                organisation = self.organisation(customer, self.system_of_shipment(shipment))
                reason = None if customer else "untraced_shipment"
            charge_type = (values["charge_type"] or "other").lower()
            key = f"direct_{charge_type}", month_start(values["charged_on"]), organisation, customer, reason
            found[key] += self.world.cost_of(row) or 0
        return found

    @cached_property
    def allocations(self) -> list[Allocation]:
        """R15: every cent, on a customer or with the reason why it is on none."""
        users: dict[tuple[str, date], list[tuple[str | None, str | None, Fraction]]] = defaultdict(list)
        for (driver, organisation, month, customer), quantity in self.drivers.items():
            users[driver, month].append((organisation, customer, quantity))
        rows = []
        for (pool_id, month, organisation), amount in self.ledger.items():
            pool = self.pools.get(pool_id)
            reason = None
            if pool is None:
                reason = "unknown_pool"
            elif organisation is not None and organisation not in self.organisations:
                reason = "unknown_organisation"
            elif not pool.is_shared:
                reason = "organisation_level"
            if pool is None or reason is not None:
                driver = pool.driver if pool else None
                rows.append(
                    Allocation(
                        pool_id, "allocated", month, organisation, None, reason, driver, None, None, amount, amount
                    )
                )
                continue
            used = [
                (customer, quantity)
                for own, customer, quantity in users[pool.driver, month]
                if organisation in (None, own)
            ]
            for share in self._shares(pool, amount, used):
                customer, reason, quantity, volume, cost = share
                rows.append(
                    Allocation(
                        *(pool_id, "allocated", month, organisation, customer, reason),
                        *(pool.driver, quantity, volume, amount, cost),
                    )
                )
        for (pool_id, month, organisation, customer, reason), cost in self.charges.items():
            rows.append(
                Allocation(
                    pool_id, "traced", month, organisation, customer, reason, "charges", None, None, cost, cost
                )
            )
        return rows

    def activity_of(self, row: Allocation) -> str:
        """What the money of a row is spent on."""
        if row.cost_method == "traced":
            return row.cost_pool_id.removeprefix("direct_")
        return self.pools[row.cost_pool_id].activity if row.cost_pool_id in self.pools else "unknown"

    @staticmethod
    def _shares(
        pool: Pool, amount: int, used: list[tuple[str | None, Fraction]]
    ) -> Iterator[tuple[str | None, str | None, Fraction, Fraction, int]]:
        """Customer, reason, claim, all claims and cents."""
        nobodys = ("untraced_volume", "unused_capacity", "no_driver_volume")
        claims: dict[str, Fraction] = defaultdict(Fraction)
        for customer, quantity in used:
            claims[customer or "untraced_volume"] += quantity
        volume = sum(claims.values(), Fraction(0))
        if pool.capacity is not None and pool.capacity > volume:
            claims["unused_capacity"] = pool.capacity - volume
        total = sum(claims.values(), Fraction(0))
        if not claims:
            yield None, "no_driver_volume", Fraction(0), Fraction(0), amount
            return
        # Customers by their ids, then nobody by the reasons.
        names = sorted(name for name in claims if name not in nobodys) + sorted(name for name in claims if name in nobodys)
        for name, cost in share_out(amount, claims, names).items():
            if name in nobodys:
                yield None, name, claims[name], total, cost
            else:
                yield name, None, claims[name], total, cost

    # Profit (R16)

    @cached_property
    def customer_months(self) -> dict[tuple[str, date], Profit]:
        """What every customer brought and cost in every month in which it did either."""
        found: dict[tuple[str, date], Profit] = defaultdict(Profit)
        for line in self.world.lines:
            month = found[line.customer_id, month_start(line.invoice_date)]
            month["net_sales"] += line.net_sales
            month["cost"] += line.cost or 0
            month["net_sales_of_unknown_cost"] += line.net_sales if line.cost is None else 0
            month["gross_margin"] += line.gross_margin or 0
        for row in self.allocations:
            if row.customer_id is not None:
                found[row.customer_id, row.cost_month].bear(row)
        return {key: profit.completed() for key, profit in found.items()}

    @cached_property
    def costs_to_serve(self) -> dict[tuple[str, date], int]:
        """What every customer cost in every month."""
        return {key: profit["cost_to_serve"] for key, profit in self.customer_months.items()}

    def period(self, months: int = 12, earlier: int = 0) -> tuple[date, date]:
        """First and last day of the last whole months as of the run, or of those so many months earlier."""
        day = self.world.as_of
        last = day if day == month_end(day) else day.replace(day=1) - timedelta(days=1)
        last = month_end(months_before(last.replace(day=1), earlier))
        return months_before(last.replace(day=1), months - 1), last

    def profits(self, months: int = 12, earlier: int = 0) -> dict[str, Profit]:
        """The profit of every customer over a period; nobody is missing."""
        first, last = self.period(months, earlier)
        found = {customer: Profit() for customer in self.customers}
        for (customer, month), profit in self.customer_months.items():
            if first <= month <= last:
                found[customer].update(profit)
        return found

    def months_with_sales(self) -> Counter[str]:
        """In how many months of the period each customer had net sales."""
        first, last = self.period()
        return Counter(
            customer
            for (customer, month), profit in self.customer_months.items()
            if first <= month <= last and profit["net_sales"]
        )

    def unallocated(self, organisation: str | None = None) -> Profit:
        """What nobody bears in the period, of one organisation or of the company."""
        first, last = self.period()
        found = Profit()
        for row in self.allocations:
            if row.customer_id is None and first <= row.cost_month <= last and organisation in (None, row.organisation_id):
                found["direct_charges" if row.cost_method == "traced" else "allocated_cost"] += row.cost
        return found.completed()

    def entity_profits(self) -> dict[tuple[str, str], tuple[int, Profit, Profit]]:
        """Members, profit and profit of the period before, by ultimate parent and by VAT number."""
        now, before = self.profits(), self.profits(earlier=12)
        found: dict[tuple[str, str], tuple[int, Profit, Profit]] = {}
        for customer in self.world.customers.values():
            for key in (("ultimate_parent", customer.ultimate_parent_id), ("vat", customer.vat_group_id)):
                count, profit, previous = found.get(key, (0, Profit(), Profit()))
                profit.update(now[customer.customer_id])
                previous.update(before[customer.customer_id])
                found[key] = (count + 1, profit, previous)
        return found

    def segment_profits(self) -> dict[tuple[str, str | None], tuple[int, Profit]]:
        """R16: members and profit per segment type and tier, and the unallocated cost of each type."""
        profits = self.profits()
        found: dict[tuple[str, str | None], tuple[int, Profit]] = {}
        for identifier, options in self.world.configuration.segment_types.items():
            if options["entity"] == "customer":
                found[identifier, None] = (0, self.unallocated(options["organisation_id"]))
                for customer, member in self.world.members(identifier).items():
                    count, profit = found.get((identifier, member.tier), (0, Profit()))
                    profit.update(profits[customer])
                    found[identifier, member.tier] = (count + 1, profit)
        return found

    def profit_lines(self) -> Counter[tuple[str, str, str | None]]:
        """Customer, line and activity: the waterfall from net sales to net profit, signed."""
        found: Counter[tuple[str, str, str | None]] = Counter()
        for customer, profit in self.profits().items():
            for line in ("net_sales", "gross_margin", "net_profit"):
                found[customer, line, None] = profit[line]
            found[customer, "cost", None] = -profit["cost"]
            if profit["net_sales_of_unknown_cost"]:
                found[customer, "net_sales_of_unknown_cost", None] = -profit["net_sales_of_unknown_cost"]
        first, last = self.period()
        for row in self.allocations:
            if row.customer_id is not None and first <= row.cost_month <= last:
                line = "direct_charges" if row.cost_method == "traced" else "allocated_cost"
                found[row.customer_id, line, self.activity_of(row)] -= row.cost
        return found

    def whale_curve(self) -> list[tuple[str, int, int]]:
        """Customer, profit and running profit, the most profitable first."""
        active = {
            customer: profit["net_profit"]
            for customer, profit in self.profits().items()
            if profit["net_sales"] or profit["gross_margin"] or profit["cost_to_serve"]
        }
        order = sorted(active, key=lambda customer: (-active[customer], customer))
        return list(zip(order, (active[one] for one in order), accumulate(active[one] for one in order), strict=True))

    def pocket_margins(self) -> dict[tuple[str, str], Profit]:
        """Order and customer: what is left of what was invoiced once the charges of its shipments are paid."""
        found: dict[tuple[str, str], Profit] = defaultdict(Profit)
        for line in self.world.lines:
            kind, order = line.order_key.split(" ", 1)
            if kind == "order":
                margin = found[order, line.customer_id]
                margin["net_sales"] += line.net_sales
                margin["cost"] += line.cost or 0
                margin["gross_margin"] += line.gross_margin or 0
        shipments = {global_id(*row.key): row for row in self.world.staged("tpl.shipments")}
        for row in self.world.staged("tpl.charges"):
            shipment = shipments.get(global_id(row.source_system, row.values["shipment_id"]))
            if shipment is None:
                continue
            system, order = self.system_of_shipment(shipment), shipment.values["order_id"]
            customer = self.owner_of_shipment(shipment)
            if customer and system and order:
                found[global_id(system, order), customer]["direct_charges"] += self.world.cost_of(row) or 0
        return found
