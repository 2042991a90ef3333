"""Orders, invoices and credit notes of a block of customers, as arrays; then as tables.

Amounts are cents of the document's currency, days count from 1970-01-01. ``customer`` is always the position in
the master data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from . import master as master_data
from . import vocabulary as words
from .columns import chunk, dates, decimals, ids, integers, labels, timestamps
from .master import Customers, Master
from .settings import Calendar, Settings, next_working_day, weekday, year_of

MEAN_LINES_PER_ORDER = 3.3
INVOICED_SHARE = 0.965  # of order lines, after cancelled and still open orders
CREDITED_SHARE = 0.03  # of invoices
CREDIT_LINES_SHARE = 0.02  # lines of credit notes per invoice line
MEAN_LINE_VALUE = 25_000  # cents, for a customer of middling order size
_SEASON = np.array([0.85, 0.90, 1.05, 1.00, 1.02, 1.00, 0.88, 0.82, 1.08, 1.12, 1.15, 0.98])
#: What one euro of catalogue price is in each currency.
PRICE_FACTORS = np.array([1.0, 0.86, 1.09])

OPEN, PARTLY_SHIPPED, CLOSED, CANCELLED = range(4)
STATUSES = ["open", "partly_shipped", "closed", "cancelled"]
INVOICE, CREDIT_NOTE = range(2)
DOCUMENT_TYPES = ["invoice", "credit_note"]

ORDER_PREFIXES = np.frombuffer(b"NS", dtype=np.uint8)  # order numbers of the two ERPs never overlap
DOCUMENT_DIGITS = 8


@dataclass
class Counters:
    """Next free document numbers, carried from block to block."""

    orders: np.ndarray
    invoices: np.ndarray
    quotes: np.ndarray
    shipments: int = 1
    charges: int = 1
    returns: int = 1
    activities: int = 1
    opportunities: int = 1

    @classmethod
    def fresh(cls) -> Counters:
        """Numbers start at 1 per ERP and per service."""
        return cls(np.ones(2, np.int64), np.ones(2, np.int64), np.ones(2, np.int64))

    def take(self, name: str, count: int) -> np.ndarray:
        """``count`` consecutive numbers of a series that is not kept per ERP."""
        first = getattr(self, name)
        setattr(self, name, first + count)
        return np.arange(first, first + count)

    def take_by_source(self, name: str, source: np.ndarray) -> np.ndarray:
        """One number per document from the series of its ERP, in the given order."""
        series = getattr(self, name)
        numbers = np.empty(len(source), dtype=np.int64)
        for code in (0, 1):
            members = source == code
            count = np.count_nonzero(members)
            numbers[members] = series[code] + np.arange(count)
            series[code] += count
        return numbers


@dataclass
class Orders:
    """One entry per order of the block, in order of date. Counter sales are invoiced without an order document."""

    customer: np.ndarray
    source: np.ndarray
    number: np.ndarray
    date: np.ndarray
    requested_on: np.ndarray
    promised_on: np.ndarray
    branch: np.ndarray
    currency: np.ndarray
    channel: np.ndarray
    is_rush: np.ndarray
    is_counter_sale: np.ndarray
    status: np.ndarray
    contract: np.ndarray
    first_invoiced_on: np.ndarray
    second_invoiced_on: np.ndarray
    line_count: np.ndarray
    first_line: np.ndarray


@dataclass
class Lines:
    """One entry per order line."""

    order: np.ndarray
    line_number: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    unit_price: np.ndarray
    list_amount: np.ndarray
    discount_amount: np.ndarray
    cost_amount: np.ndarray
    cost_unknown: np.ndarray
    on_second_invoice: np.ndarray


@dataclass
class Invoices:
    """One entry per invoice or credit note of the block, in order of date."""

    order: np.ndarray  # position in the block's orders; of a credit note: of the original's order
    customer: np.ndarray
    source: np.ndarray
    number: np.ndarray
    date: np.ndarray
    document_type: np.ndarray
    is_second: np.ndarray
    original: np.ndarray  # position of the original invoice; -1 = none stated
    due_on: np.ndarray
    paid_on: np.ndarray
    nights_late: np.ndarray


@dataclass
class InvoiceLines:
    """One entry per invoice line, grouped by invoice; ``line`` is the order line it bills."""

    invoice: np.ndarray
    line_number: np.ndarray
    line: np.ndarray
    quantity: np.ndarray
    list_amount: np.ndarray
    discount_amount: np.ndarray
    cost_amount: np.ndarray
    nights_late: np.ndarray


@dataclass
class Block:
    """Everything sold to one block of customers."""

    customers: np.ndarray
    orders: Orders
    lines: Lines
    invoices: Invoices
    invoice_lines: InvoiceLines


def monthly_activity(customers: Customers, rows: np.ndarray, calendar: Calendar) -> np.ndarray:
    """Relative order frequency, customers x months: size, life cycle, season and 3 % growth a year."""
    months = np.arange(calendar.month_count)
    start, stop = customers.start_month[rows, None], customers.stop_month[rows, None]
    progress = ((months - start) / np.maximum(stop - start, 1)).clip(0, 1)
    lifecycle = customers.lifecycle[rows, None]
    trend = np.where(lifecycle == master_data.GROWING, 0.35 + 1.3 * progress, 1.0)
    trend = np.where(lifecycle == master_data.DECLINING, 1.7 - 1.5 * progress, trend)
    running = (months >= start) & (months < stop)
    month_of_year = calendar.month_starts[:-1].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    season = _SEASON[month_of_year] * 1.03 ** (months / 12)
    return customers.frequency[rows, None] * trend * running * season


def _spread_over_month(rng: np.random.Generator, month: np.ndarray, calendar: Calendar) -> np.ndarray:
    """A day of the month; nine in ten weekend days move to a working day of the same month."""
    starts, ends = calendar.month_starts[month], calendar.month_starts[month + 1] - 1
    day = starts + (rng.random(len(month)) * (ends - starts + 1)).astype(np.int64)
    moves = (weekday(day) >= 5) & (rng.random(len(month)) < 0.9)
    forward, back = next_working_day(day), day - (weekday(day) - 4)
    return np.where(moves, np.where(forward <= ends, forward, back), day)


def _draw_orders(
    rng: np.random.Generator, master: Master, rows: np.ndarray, orders_per_activity: float, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Customer and date of every order, in order of date."""
    customers, calendar = master.customers, settings.calendar
    counts = rng.poisson(monthly_activity(customers, rows, calendar) * orders_per_activity)
    # A newcomer is one because of a first order; without this the small ones would have none.
    newcomers = np.flatnonzero(customers.lifecycle[rows] == master_data.NEWCOMER)
    start = customers.start_month[rows[newcomers]]
    counts[newcomers, start] = np.maximum(counts[newcomers, start], 1)
    position, month = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), calendar.month_count)
    customer = rows[position]
    day = _spread_over_month(rng, month, calendar)
    day = np.maximum(day, customers.created_on[customer])
    order = np.argsort(day, kind="stable")
    return customer[order], day[order]


def _invoice_days(
    rng: np.random.Generator, order_day: np.ndarray, is_rush: np.ndarray, calendar: Calendar
) -> np.ndarray:
    """Working days after the order; some customers' orders wait for the billing run on the last day of the month."""
    lag = np.where(is_rush, rng.integers(0, 2, len(order_day)), rng.integers(1, 6, len(order_day)))
    day = next_working_day(order_day + lag)
    month = calendar.month_of(day).clip(max=calendar.month_count - 1)
    in_billing_run = (rng.random(len(day)) < 0.05) & (day <= calendar.last_day)
    return np.where(in_billing_run, calendar.month_starts[month + 1] - 1, day)


def _make_orders(
    rng: np.random.Generator,
    master: Master,
    customer: np.ndarray,
    day: np.ndarray,
    counters: Counters,
    settings: Settings,
) -> Orders:
    """Headers with their fate: cancelled, invoiced once or twice, or still open when the data ends."""
    customers, calendar = master.customers, settings.calendar
    count = len(customer)
    source = customers.source[customer]
    is_rush = rng.random(count) < 0.05
    line_count = rng.geometric(1 / MEAN_LINES_PER_ORDER, count).clip(max=60)
    is_counter_sale = rng.random(count) < 0.03
    cancelled = (rng.random(count) < 0.015) & ~is_counter_sale
    first = _invoice_days(rng, day, is_rush, calendar)
    second = next_working_day(first + rng.integers(5, 20, count))
    split = (rng.random(count) < 0.04) & (line_count > 1) & ~is_counter_sale
    open_day = calendar.last_day + 1
    first = np.where(is_counter_sale, day, first)
    first = np.where(cancelled, open_day, first).clip(max=open_day)
    second = np.where(split & (first < open_day), second, 0).clip(max=open_day)
    status = np.where(first == open_day, OPEN, np.where(second == open_day, PARTLY_SHIPPED, CLOSED))
    branch_counts = np.array([len(branches) for branches in words.BRANCHES])[source]
    elsewhere = rng.random(count) < 0.07
    branch = (customers.branch[customer] + elsewhere * rng.integers(1, 3, count)) % branch_counts
    foreign = rng.random(count) < 0.01
    years = year_of(day) - year_of(np.array([calendar.first_day]))[0]
    base_contract = customers.contract[customer]
    return Orders(
        customer=customer,
        source=source,
        number=counters.take_by_source("orders", source),
        date=day,
        requested_on=day + np.where(is_rush, 1, rng.integers(3, 9, count)),
        promised_on=day + np.where(is_rush, 1, rng.integers(3, 8, count)),
        branch=branch,
        currency=np.where(foreign, 2, customers.currency[customer]),
        channel=rng.choice(4, count, p=[0.25, 0.35, 0.25, 0.15]),
        is_rush=is_rush,
        is_counter_sale=is_counter_sale,
        status=np.where(cancelled, CANCELLED, status),
        contract=np.where(base_contract >= 0, base_contract * contract_years(settings) + years, -1),
        first_invoiced_on=np.where(first == open_day, 0, first),
        second_invoiced_on=np.where(second == open_day, 0, second),
        line_count=line_count,
        first_line=np.cumsum(line_count) - line_count,
    )


def contract_years(settings: Settings) -> int:
    """Calendar years the run touches; a contract customer has one contract for each."""
    first, last = year_of(np.array([settings.calendar.first_day, settings.calendar.last_day]))
    return int(last - first + 1)


def _choose_products(rng: np.random.Generator, master: Master, customer: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Popular articles come first in the catalogue; a third of the lines is from a customer's own list."""
    products = master.products
    draw = rng.random(len(customer))
    product = (draw * draw * products.count).astype(np.int64)
    own_list = rng.random(len(customer)) < 0.35
    product = np.where(own_list, (product // 4 + customer * 31) % products.count, product)
    gone = (products.discontinued_on[product] > 0) & (day >= products.discontinued_on[product])
    not_yet = day < products.launched_on[product]
    return product + (gone | not_yet)  # the neighbour is always on sale


def _make_lines(rng: np.random.Generator, master: Master, orders: Orders, settings: Settings) -> Lines:
    """Quantities follow the customer's order size; about one order in 300 is a one-off bulk order."""
    customers, products = master.customers, master.products
    order = np.repeat(np.arange(len(orders.customer)), orders.line_count)
    count = len(order)
    customer, day = orders.customer[order], orders.date[order]
    product = _choose_products(rng, master, customer, day)
    modest = customers.frequency[orders.customer] * customers.order_size[orders.customer] < 4
    bulk = (rng.random(len(orders.customer)) < 0.004) & modest
    bulk_factor = np.where(bulk, rng.uniform(12, 30, len(orders.customer)), 1.0)
    noise = np.exp(rng.standard_normal(count, dtype=np.float32) * np.float32(0.5))
    value = MEAN_LINE_VALUE * customers.order_size[customer] * noise * bulk_factor[order]
    # Prices rise once a year, by 2.5 percent.
    raised = 1.025 ** (year_of(orders.date) - year_of(np.array([settings.calendar.first_day]))[0])
    price_factor = (PRICE_FACTORS[orders.currency] * raised)[order]
    unit_price = np.rint(products.list_price[product] * price_factor).astype(np.int64)
    unit_cost = products.unit_cost[product] * price_factor
    quantity = np.rint(value / products.list_price[product]).astype(np.int64).clip(1, 50_000)
    list_amount = quantity * unit_price
    campaign = (rng.random(count, dtype=np.float32) < 0.12) * rng.integers(50, 150, count)
    permille = customers.discount_permille[customer] + campaign
    cost_noise = 1 + 0.04 * rng.standard_normal(count, dtype=np.float32)
    line_number = np.arange(count) - orders.first_line[order] + 1
    on_second = (orders.second_invoiced_on[order] > 0) | (orders.status[order] == PARTLY_SHIPPED)
    return Lines(
        order=order,
        line_number=line_number,
        product=product,
        quantity=quantity,
        unit_price=unit_price,
        list_amount=list_amount,
        discount_amount=(list_amount * permille + 500) // 1000,
        cost_amount=np.rint(quantity * unit_cost * cost_noise).astype(np.int64),
        cost_unknown=rng.random(count, dtype=np.float32) < 0.02,
        on_second_invoice=on_second & (line_number * 2 > orders.line_count[order]),
    )


def _late_nights(rng: np.random.Generator, count: int, share: float = 0.01) -> np.ndarray:
    """Nights by which landing is delayed: 0 for most rows, 2 to 20 for a small share."""
    return np.where(rng.random(count) < share, rng.integers(2, 21, count), 0)


def _draw_credit_notes(
    rng: np.random.Generator,
    master: Master,
    block_customers: np.ndarray,
    date: np.ndarray,
    customer: np.ndarray,
    calendar: Calendar,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Invoices credited, the day, and the customer the credit note is written to.

    A few are written to another customer of the same ERP than the one invoiced (R12).
    """
    day = next_working_day(date + rng.integers(5, 61, len(date)))
    credited = np.flatnonzero((rng.random(len(date)) < CREDITED_SHARE) & (day <= calendar.last_day))
    receiver = customer[credited]
    others = block_customers[rng.integers(0, len(block_customers), len(credited))]
    source, kind = master.customers.source, master.customers.kind
    usual = np.isin(kind, [master_data.TRADE, master_data.UNSTATED])
    elsewhere = (rng.random(len(credited)) < 0.15) & (source[others] == source[receiver]) & usual[others]
    elsewhere &= day[credited] >= master.customers.created_on[others]
    return credited, day[credited], np.where(elsewhere, others, receiver)


def _make_invoices(
    rng: np.random.Generator,
    credit_rng: np.random.Generator,
    master: Master,
    rows: np.ndarray,
    orders: Orders,
    counters: Counters,
    settings: Settings,
) -> Invoices:
    """First and second invoices of orders, then credit notes; sorted by date and numbered per ERP."""
    customers, calendar = master.customers, settings.calendar
    firsts, seconds = np.flatnonzero(orders.first_invoiced_on), np.flatnonzero(orders.second_invoiced_on)
    order = np.concatenate([firsts, seconds])
    date = np.concatenate([orders.first_invoiced_on[firsts], orders.second_invoiced_on[seconds]])
    customer = orders.customer[order]
    is_second = np.arange(len(order)) >= len(firsts)
    credited, credit_day, receiver = _draw_credit_notes(credit_rng, master, rows, date, customer, calendar)
    terms = customers.payment_terms_days[customer]
    paid_on = date + terms + (customers.payment_delay_days[customer] + rng.gamma(1.2, 5.0, len(order))).astype(np.int64)
    never_paid = rng.random(len(order)) < 0.015
    paid_on = np.where(never_paid | (paid_on > calendar.last_day), 0, np.maximum(paid_on, date))
    original = np.where(credit_rng.random(len(credited)) < 0.9, credited, -1)
    blank = np.full(len(order), -1)
    unsorted = Invoices(
        order=np.concatenate([order, order[credited]]),
        customer=np.concatenate([customer, receiver]),
        source=orders.source[np.concatenate([order, order[credited]])],
        number=np.empty(0),
        date=np.concatenate([date, credit_day]),
        document_type=np.repeat([INVOICE, CREDIT_NOTE], [len(order), len(credited)]),
        is_second=np.concatenate([is_second, is_second[credited]]),
        original=np.concatenate([blank, original]),
        due_on=np.concatenate([date + terms, credit_day]),
        paid_on=np.concatenate([paid_on, np.zeros(len(credited), np.int64)]),
        nights_late=np.concatenate([_late_nights(rng, len(order)), _late_nights(credit_rng, len(credited))]),
    )
    return _sorted_invoices(unsorted, counters)


def _sorted_invoices(unsorted: Invoices, counters: Counters) -> Invoices:
    """Order by date, keep references to originals right, and give numbers."""
    order = np.argsort(unsorted.date, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    columns = {name: values[order] for name, values in vars(unsorted).items() if len(values) == len(order)}
    stated = columns["original"] >= 0
    columns["original"] = np.where(stated, place[columns["original"]], -1)
    columns["number"] = counters.take_by_source("invoices", columns["source"])
    return Invoices(**columns)


def _bill_lines(rng: np.random.Generator, orders: Orders, lines: Lines, invoices: Invoices) -> InvoiceLines:
    """Each invoice bills its order's lines; a credit note takes back some of the lines of its original."""
    first_of_order = np.full(len(orders.customer), -1)
    second_of_order = np.full(len(orders.customer), -1)
    is_invoice = invoices.document_type == INVOICE
    firsts = np.flatnonzero(is_invoice & ~invoices.is_second)
    seconds = np.flatnonzero(is_invoice & invoices.is_second)
    first_of_order[invoices.order[firsts]] = firsts
    second_of_order[invoices.order[seconds]] = seconds
    billed_on = np.where(lines.on_second_invoice, second_of_order[lines.order], first_of_order[lines.order])
    credit_invoice, credit_line = _credited_lines(rng, orders, lines, invoices)
    billed = np.flatnonzero(billed_on >= 0)
    invoice = np.concatenate([billed_on[billed], credit_invoice])
    line = np.concatenate([billed, credit_line])
    sign = np.repeat([1, -1], [len(billed), len(credit_line)])
    by_invoice = np.argsort(invoice, kind="stable")
    invoice, line, sign = invoice[by_invoice], line[by_invoice], sign[by_invoice]
    return _amounts(rng, lines, invoices, invoice, line, sign)


def _credited_lines(
    rng: np.random.Generator, orders: Orders, lines: Lines, invoices: Invoices
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of credit note and order line: the first line of the original, and each further one at even odds."""
    notes = np.flatnonzero(invoices.document_type == CREDIT_NOTE)
    order = invoices.order[notes]
    counts = orders.line_count[order]
    note = np.repeat(notes, counts)
    start = np.repeat(orders.first_line[order] - (np.cumsum(counts) - counts), counts)
    line = start + np.arange(counts.sum())
    on_original = lines.on_second_invoice[line] == invoices.is_second[note]
    note, line = note[on_original], line[on_original]
    is_first = np.ones(len(note), dtype=bool)
    is_first[1:] = note[1:] != note[:-1]
    kept = is_first | (rng.random(len(note)) < 0.5)
    return note[kept], line[kept]


def _amounts(
    rng: np.random.Generator, lines: Lines, invoices: Invoices, invoice: np.ndarray, line: np.ndarray, sign: np.ndarray
) -> InvoiceLines:
    """Amounts as ordered; two in five credited lines take back only part of the quantity."""
    quantity = lines.quantity[line]
    taken = quantity * sign
    amounts = {}
    credited = np.flatnonzero(sign < 0)
    partly = rng.random(len(credited)) < 0.4
    part = np.where(partly, (quantity[credited] + 1) // 2, quantity[credited])
    taken[credited] = -part
    for name in ("list_amount", "discount_amount", "cost_amount"):
        full = getattr(lines, name)[line]
        full[credited] = -(full[credited] * part // quantity[credited])
        amounts[name] = full
    new_invoice = np.ones(len(invoice), dtype=bool)
    new_invoice[1:] = invoice[1:] != invoice[:-1]
    starts = np.flatnonzero(new_invoice)
    line_number = np.arange(len(invoice)) - np.repeat(starts, np.diff(np.append(starts, len(invoice)))) + 1
    # Lines never land later than by the same delay as their header; a few headers arrive after their lines.
    waits = rng.random(len(invoices.date)) < 0.2
    nights_late = np.where(waits, 0, invoices.nights_late)[invoice]
    return InvoiceLines(
        invoice=invoice, line_number=line_number, line=line, quantity=taken, nights_late=nights_late, **amounts
    )


def make_block(
    seeds: list[np.random.SeedSequence],
    master: Master,
    rows: np.ndarray,
    orders_per_activity: float,
    counters: Counters,
    settings: Settings,
) -> Block:
    """All sales documents of the customers ``rows``; ``seeds`` are four independent streams."""
    order_rng, line_rng, invoice_rng, credit_rng = (np.random.default_rng(seed) for seed in seeds)
    customer, day = _draw_orders(order_rng, master, rows, orders_per_activity, settings)
    orders = _make_orders(order_rng, master, customer, day, counters, settings)
    lines = _make_lines(line_rng, master, orders, settings)
    invoices = _make_invoices(invoice_rng, credit_rng, master, rows, orders, counters, settings)
    invoice_lines = _bill_lines(credit_rng, orders, lines, invoices)
    return Block(rows, orders, lines, invoices, invoice_lines)


# --- as tables ------------------------------------------------------------------------------------------------


def order_ids(orders: Orders, index: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Native order ids, ``N00000001`` in the north and ``S00000001`` in the south."""
    return ids(ORDER_PREFIXES[orders.source[index]], orders.number[index], DOCUMENT_DIGITS, missing)


def invoice_ids(numbers: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Native invoice ids, which overlap between the ERPs."""
    return ids("I", numbers, DOCUMENT_DIGITS, missing)


def contract_ids(master: Master, contract: np.ndarray) -> pa.Array:
    """Native contract ids; -1 gives null."""
    return ids("V", contract.clip(min=0) + 1, master_data.contract_id_width(master), contract < 0)


def order_chunk(master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.orders``; counter sales have none."""
    orders, customers = block.orders, master.customers
    rows = np.flatnonzero(~orders.is_counter_sale)
    customer = orders.customer[rows]
    return chunk(
        "erp.orders",
        {
            "order_id": order_ids(orders, rows),
            "customer_id": master_data.customer_ids(customers, customer),
            "branch_id": master_data.branch_labels(orders.branch[rows]),
            "sales_rep_id": master_data.rep_labels(master, customers.sales_rep[customer]),
            "order_date": dates(orders.date[rows]),
            "requested_on": dates(orders.requested_on[rows]),
            "channel": labels(words.CHANNELS, orders.channel[rows]),
            "is_rush": pa.array(orders.is_rush[rows]),
            "status": labels(STATUSES, orders.status[rows]),
            "currency": labels(words.CURRENCIES, orders.currency[rows]),
            "contract_id": contract_ids(master, orders.contract[rows]),
            "source_system": master_data.source_labels(orders.source[rows]),
            "loaded_at": timestamps(settings.calendar.landed(orders.date[rows])),
        },
    )


def order_line_chunk(master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.order_lines``."""
    orders, lines = block.orders, block.lines
    rows = np.flatnonzero(~orders.is_counter_sale[lines.order])
    order = lines.order[rows]
    status = np.where(lines.on_second_invoice[rows], orders.status[order], np.minimum(orders.status[order] + 1, CLOSED))
    status = np.where(np.isin(orders.status[order], [OPEN, CANCELLED]), orders.status[order], status)
    status = np.where(status == PARTLY_SHIPPED, OPEN, status)
    return chunk(
        "erp.order_lines",
        {
            "order_id": order_ids(orders, order),
            "line_number": integers(lines.line_number[rows]),
            "product_id": master_data.product_labels(master, orders.source[order], lines.product[rows]),
            "quantity": integers(lines.quantity[rows]),
            "unit_price": decimals(lines.unit_price[rows]),
            "discount_amount": decimals(lines.discount_amount[rows]),
            "promised_on": dates(orders.promised_on[order]),
            "status": labels(STATUSES, status),
            "source_system": master_data.source_labels(orders.source[order]),
            "loaded_at": timestamps(settings.calendar.landed(orders.date[order])),
        },
    )


def invoice_chunk(master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.invoices``. ``paid_on`` is kept up to date in place; ``loaded_at`` stays that of the invoice."""
    orders, invoices, customers = block.orders, block.invoices, master.customers
    is_credit = invoices.document_type == CREDIT_NOTE
    without_order = is_credit | orders.is_counter_sale[invoices.order]
    original = invoices.number[invoices.original.clip(min=0)]
    return chunk(
        "erp.invoices",
        {
            "invoice_id": invoice_ids(invoices.number),
            "customer_id": master_data.customer_ids(customers, invoices.customer),
            "invoice_date": dates(invoices.date),
            "document_type": labels(DOCUMENT_TYPES, invoices.document_type),
            "order_id": order_ids(orders, invoices.order, without_order),
            "original_invoice_id": invoice_ids(original, invoices.original < 0),
            "branch_id": master_data.branch_labels(orders.branch[invoices.order]),
            "sales_rep_id": master_data.rep_labels(master, customers.sales_rep[orders.customer[invoices.order]]),
            "due_on": dates(invoices.due_on),
            "paid_on": dates(invoices.paid_on, invoices.paid_on == 0),
            "currency": labels(words.CURRENCIES, orders.currency[invoices.order]),
            "source_system": master_data.source_labels(invoices.source),
            "loaded_at": timestamps(settings.calendar.landed(invoices.date, invoices.nights_late)),
        },
    )


def invoice_line_chunk(master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.invoice_lines``: net = list - discount; two in a hundred costs are not known."""
    invoices, billed = block.invoices, block.invoice_lines
    source = invoices.source[billed.invoice]
    return chunk(
        "erp.invoice_lines",
        {
            "invoice_id": invoice_ids(invoices.number[billed.invoice]),
            "line_number": integers(billed.line_number),
            "product_id": master_data.product_labels(master, source, block.lines.product[billed.line]),
            "quantity": integers(billed.quantity),
            "list_amount": decimals(billed.list_amount),
            "discount_amount": decimals(billed.discount_amount),
            "net_amount": decimals(billed.list_amount - billed.discount_amount),
            "cost_amount": decimals(billed.cost_amount, block.lines.cost_unknown[billed.line]),
            "source_system": master_data.source_labels(source),
            "loaded_at": timestamps(settings.calendar.landed(invoices.date[billed.invoice], billed.nights_late)),
        },
    )
