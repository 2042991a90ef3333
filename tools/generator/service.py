"""What goes with the sales: deliveries and their charges, CRM work, quotes, forecasts and counted effort."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from . import master as master_data
from . import vocabulary as words
from .columns import chunk, dates, decimals, ids, integers, labels, timestamps
from .master import Customers, Master
from .sales import CREDIT_NOTE, Block, Counters, contract_ids, contract_years, order_ids
from .settings import Settings, next_working_day, weekday, year_of

DIGITS = 8
FREIGHT, PICK, PACK, STORAGE, RETURN, ACCESSORIAL = range(6)
CHARGE_TYPES = ["freight", "pick", "pack", "storage", "return", "accessorial"]
ACTIVITY_TYPES = ["visit", "call", "email", "support_case", "feedback"]
ACTIVITIES_PER_LINE = 0.10
STAGES = ["open", "won", "lost"]


def _runs(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and length of each run of equal neighbours."""
    changes = np.ones(len(keys), dtype=bool)
    changes[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(changes)
    return starts, np.diff(np.append(starts, len(keys)))


# --- third-party logistics --------------------------------------------------------------------------------------


def delivery_chunks(
    rng: np.random.Generator, master: Master, block: Block, counters: Counters, settings: Settings
) -> Iterator[tuple[str, pa.Table]]:
    """Shipments of seven in ten invoiced orders (the rest is fetched or goes by own van), charges and returns."""
    orders, invoices, calendar = block.orders, block.invoices, settings.calendar
    by_3pl = rng.random(len(orders.customer)) < 0.7
    shipped = (invoices.document_type != CREDIT_NOTE) & by_3pl[invoices.order] & ~orders.is_counter_sale[invoices.order]
    rows = np.flatnonzero(shipped)
    order = invoices.order[rows]
    number = counters.take("shipments", len(rows))
    shipped_on = invoices.date[rows] - rng.integers(0, 2, len(rows))
    shipped_on -= np.maximum(0, weekday(shipped_on) - 4)  # not on a weekend
    shipped_on = np.maximum(shipped_on, orders.date[order])
    place = np.full(len(invoices.date), -1)
    place[rows] = np.arange(len(rows))
    line_rows = np.flatnonzero(place[block.invoice_lines.invoice] >= 0)
    shipment = place[block.invoice_lines.invoice[line_rows]]
    product = block.lines.product[block.invoice_lines.line[line_rows]]
    quantity = block.invoice_lines.quantity[line_rows]
    grams = np.bincount(shipment, quantity * master.products.weight[product], len(rows)).astype(np.int64)
    pieces = np.bincount(shipment, minlength=len(rows))
    expedited = orders.is_rush[order] | (rng.random(len(rows)) < 0.04)
    without_order = rng.random(len(rows)) < 0.01
    landed = calendar.landed(shipped_on, np.where(rng.random(len(rows)) < 0.02, rng.integers(3, 26, len(rows)), 0))
    promised_on = np.maximum(orders.promised_on[order], shipped_on + 1)
    delivered_on = next_working_day(shipped_on + np.where(expedited, 1, rng.integers(1, 6, len(rows))))
    packages = 1 + grams // 15_000 + pieces // 6
    yield (
        "tpl.shipments",
        chunk(
            "tpl.shipments",
            {
                "shipment_id": ids("T", number, DIGITS),
                "erp_source_system": master_data.source_labels(orders.source[order]),
                "order_id": order_ids(orders, order, without_order),
                "consignee_code": master_data.consignee_codes(master.customers, orders.customer[order]),
                "carrier": labels(words.CARRIERS, rng.choice(3, len(rows), p=[0.5, 0.3, 0.2])),
                "service_level": labels(["standard", "expedited"], expedited),
                "shipped_on": dates(shipped_on),
                "promised_on": dates(promised_on),
                "delivered_on": dates(delivered_on, delivered_on > calendar.last_day),
                "weight_kg": decimals(grams, None, "weight"),
                "package_count": integers(packages),
                "source_system": labels(["tpl"], np.zeros(len(rows))),
                "loaded_at": timestamps(landed),
            },
        ),
    )
    yield (
        "tpl.shipment_lines",
        chunk(
            "tpl.shipment_lines",
            {
                "shipment_id": ids("T", number[shipment], DIGITS),
                "order_id": order_ids(orders, order[shipment]),
                "line_number": integers(block.lines.line_number[block.invoice_lines.line[line_rows]]),
                "product_id": master_data.product_labels(master, orders.source[order[shipment]], product),
                "quantity": integers(quantity),
                "source_system": labels(["tpl"], np.zeros(len(shipment))),
                "loaded_at": timestamps(landed[shipment]),
            },
        ),
    )
    returned = rng.random(len(shipment)) < 0.02
    received_on = next_working_day(delivered_on[shipment] + rng.integers(3, 30, len(shipment)))
    returned = np.flatnonzero(returned & (received_on <= calendar.last_day))
    yield (
        "tpl.returns",
        _returns(
            rng,
            master,
            block,
            counters,
            settings,
            order[shipment[returned]],
            product[returned],
            quantity[returned],
            received_on[returned],
        ),
    )
    yield (
        "tpl.charges",
        _charges(
            rng,
            counters,
            settings,
            number,
            orders.source[order],
            shipped_on,
            grams,
            pieces,
            expedited,
            shipment[returned],
            received_on[returned],
        ),
    )


def _returns(
    rng: np.random.Generator,
    master: Master,
    block: Block,
    counters: Counters,
    settings: Settings,
    order: np.ndarray,
    product: np.ndarray,
    quantity: np.ndarray,
    received_on: np.ndarray,
) -> pa.Table:
    """``tpl.returns``: parts of shipped lines that come back."""
    orders = block.orders
    return chunk(
        "tpl.returns",
        {
            "return_id": ids("X", counters.take("returns", len(order)), DIGITS),
            "order_id": order_ids(orders, order),
            "consignee_code": master_data.consignee_codes(master.customers, orders.customer[order]),
            "product_id": master_data.product_labels(master, orders.source[order], product),
            "quantity": integers((quantity * rng.uniform(0.1, 1.0, len(order))).astype(np.int64).clip(1)),
            "received_on": dates(received_on),
            "reason": labels(words.RETURN_REASONS, rng.integers(0, 4, len(order))),
            "source_system": labels(["tpl"], np.zeros(len(order))),
            "loaded_at": timestamps(settings.calendar.landed(received_on)),
        },
    )


def _charges(
    rng: np.random.Generator,
    counters: Counters,
    settings: Settings,
    number: np.ndarray,
    source: np.ndarray,
    shipped_on: np.ndarray,
    grams: np.ndarray,
    pieces: np.ndarray,
    expedited: np.ndarray,
    returned_shipment: np.ndarray,
    returned_on: np.ndarray,
) -> pa.Table:
    """``tpl.charges``: the 3PL bills days after the work, and some of its files arrive weeks late."""
    calendar, count = settings.calendar, len(number)
    everyone = np.arange(count)
    some = {
        kind: np.flatnonzero(rng.random(count) < share)
        for kind, share in [(PACK, 0.5), (STORAGE, 0.04), (ACCESSORIAL, 0.06)]
    }
    freight = (550 + grams // 28 + 90 * pieces) * np.where(expedited, 190, 100) // 100
    amounts = {
        FREIGHT: freight,
        PICK: 90 + 65 * pieces,
        PACK: 120 + grams[some[PACK]] // 90,
        STORAGE: 300 + 40 * pieces[some[STORAGE]],
        RETURN: np.full(len(returned_shipment), 890),
        ACCESSORIAL: rng.integers(500, 4500, len(some[ACCESSORIAL])),
    }
    shipments = {FREIGHT: everyone, PICK: everyone, RETURN: returned_shipment, **some}
    kinds = range(len(CHARGE_TYPES))
    shipment = np.concatenate([shipments[kind] for kind in kinds])
    charge_type = np.repeat(kinds, [len(shipments[kind]) for kind in kinds])
    amount = np.concatenate([amounts[kind] for kind in kinds])
    day = shipped_on[shipment]
    day[charge_type == RETURN] = returned_on
    day = day + rng.integers(2, 12, len(day))
    late = np.where(rng.random(len(day)) < 0.03, rng.integers(5, 40, len(day)), 0)
    # What is billed after the end of the data has not arrived.
    kept = np.flatnonzero(day <= calendar.last_day)
    kept = kept[np.lexsort((charge_type[kept], shipment[kept], day[kept]))]
    shipment, charge_type = shipment[kept], charge_type[kept]
    varied = (amount[kept] * rng.uniform(0.9, 1.15, len(kept))).astype(np.int64)
    return chunk(
        "tpl.charges",
        {
            "charge_id": ids("H", counters.take("charges", len(kept)), DIGITS),
            "shipment_id": ids("T", number[shipment], DIGITS),
            "charge_type": labels(CHARGE_TYPES, charge_type),
            "amount": decimals(varied),
            "currency": labels(words.CURRENCIES, source[shipment]),
            "charged_on": dates(day[kept]),
            "source_system": labels(["tpl"], np.zeros(len(kept))),
            "loaded_at": timestamps(calendar.landed(day[kept], late[kept])),
        },
    )


# --- CRM --------------------------------------------------------------------------------------------------------


def crm_chunks(
    rng: np.random.Generator, master: Master, rows: np.ndarray, counters: Counters, settings: Settings
) -> Iterator[tuple[str, pa.Table]]:
    """Activities and opportunities of the customers that have an account."""
    customers, calendar = master.customers, settings.calendar
    holders = rows[customers.account[rows] > 0]
    # Small customers get nearly as many calls as large ones: what makes them dear to serve.
    weight = customers.frequency[holders] ** 0.5 * customers.service_need[holders]
    expected_weight = 1.45 * customers.count  # mean of the product above, measured
    counts = rng.poisson(weight * settings.lines * ACTIVITIES_PER_LINE / expected_weight)
    customer = np.repeat(holders, counts)
    first = np.maximum(customers.created_on[customer], calendar.first_day)
    day = next_working_day(
        first + (rng.random(len(customer)) * (calendar.last_day - 2 - first).clip(0)).astype(np.int64)
    )
    order = np.argsort(day, kind="stable")
    customer, day = customer[order], day[order].clip(max=calendar.last_day)
    kind = rng.choice(5, len(customer), p=[0.18, 0.36, 0.25, 0.16, 0.05])
    minutes = np.array([75, 14, 6, 35, 5])[kind] * rng.uniform(0.5, 1.8, len(customer))
    yield (
        "crm.activities",
        chunk(
            "crm.activities",
            {
                "activity_id": ids("Y", counters.take("activities", len(customer)), DIGITS),
                "account_id": master_data.account_ids(customers.account[customer], customers),
                "activity_type": labels(ACTIVITY_TYPES, kind),
                "performed_on": dates(day),
                "duration_minutes": integers(minutes.astype(np.int64), (kind == 2) | (kind == 4)),
                "owner_id": master_data.owner_labels(customers.account[customer]),
                "source_system": labels(["crm"], np.zeros(len(customer))),
                "loaded_at": timestamps(calendar.landed(day)),
            },
        ),
    )
    yield "crm.opportunities", _opportunities(rng, customers, holders, counters, settings)


def _opportunities(
    rng: np.random.Generator, customers: Customers, holders: np.ndarray, counters: Counters, settings: Settings
) -> pa.Table:
    """``crm.opportunities``: half a handful per hundred customers and month, decided within half a year."""
    calendar = settings.calendar
    counts = rng.poisson(0.03 * settings.months, len(holders))
    customer = np.repeat(holders, counts)
    first = np.maximum(customers.created_on[customer], calendar.first_day)
    created = first + (rng.random(len(customer)) * (calendar.last_day - first)).astype(np.int64)
    closed = created + rng.integers(10, 180, len(customer))
    stage = np.where(closed > calendar.last_day, 0, 1 + (rng.random(len(customer)) < 0.55))
    amount = customers.order_size[customer] * rng.uniform(1, 12, len(customer))
    return chunk(
        "crm.opportunities",
        {
            "opportunity_id": ids("O", counters.take("opportunities", len(customer)), DIGITS),
            "account_id": master_data.account_ids(customers.account[customer], customers),
            "stage": labels(STAGES, stage),
            "amount": decimals(np.round(amount * 10) * 10_000),
            "currency": labels(words.CURRENCIES, customers.currency[customer]),
            "created_on": dates(created),
            "closed_on": dates(closed, stage == 0),
            "source_system": labels(["crm"], np.zeros(len(customer))),
            "loaded_at": timestamps(calendar.landed(created)),
        },
    )


# --- quotes, forecasts, counted effort ----------------------------------------------------------------------------


def quote_chunk(
    rng: np.random.Generator, master: Master, block: Block, counters: Counters, settings: Settings
) -> pa.Table:
    """``erp.quotes``: one order in twelve was quoted before; as many quotes again were lost or are still open."""
    orders, customers, calendar = block.orders, master.customers, settings.calendar
    count = len(orders.customer)
    net = np.bincount(block.lines.order, block.lines.list_amount - block.lines.discount_amount, count)
    won = np.flatnonzero((rng.random(count) < 0.08) & ~orders.is_counter_sale)
    other = np.flatnonzero(rng.random(count) < 0.08)
    order = np.concatenate([won, other])
    is_won = np.arange(len(order)) < len(won)
    quoted = orders.date[order] - rng.integers(2, 30, len(order))
    quoted = np.maximum(quoted, customers.created_on[orders.customer[order]])
    decided = np.where(is_won, orders.date[order], orders.date[order] + rng.integers(0, 30, len(order)))
    status = np.where(is_won, 1, np.where(decided > calendar.last_day, 0, 2))
    by_date = np.argsort(quoted, kind="stable")
    order, is_won, quoted, decided, status = (part[by_date] for part in (order, is_won, quoted, decided, status))
    customer, source = orders.customer[order], orders.source[order]
    return chunk(
        "erp.quotes",
        {
            "quote_id": ids("Q", counters.take_by_source("quotes", source), DIGITS),
            "customer_id": master_data.customer_ids(customers, customer),
            "sales_rep_id": master_data.rep_labels(master, customers.sales_rep[customer]),
            "quoted_on": dates(quoted),
            "status": labels(STAGES, status),
            "decided_on": dates(decided, status == 0),
            "amount": decimals(np.round(net[order] * np.where(is_won, 1.0, 1.08))),
            "currency": labels(words.CURRENCIES, orders.currency[order]),
            "order_id": order_ids(orders, order, ~is_won),
            "source_system": master_data.source_labels(source),
            "loaded_at": timestamps(calendar.landed(quoted)),
        },
    )


def forecast_chunk(rng: np.random.Generator, master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.forecasts``: for one order line in forty, what was expected of that customer and article in that month.

    Those of the last month are for the month after the data ends.
    """
    orders, lines, calendar = block.orders, block.lines, settings.calendar
    picked = np.flatnonzero(rng.random(len(lines.order)) < 0.025)
    month = calendar.month_of(orders.date[lines.order[picked]])
    month = np.where(month == calendar.month_count - 1, month + 1, month)
    customer, product = orders.customer[lines.order[picked]], lines.product[picked]
    key = (month * master.customers.count + customer) * master.products.count + product
    _, distinct = np.unique(key, return_index=True)
    picked, month, customer, product = picked[distinct], month[distinct], customer[distinct], product[distinct]
    made_on = calendar.month_starts[month] - 12
    known = made_on >= master.customers.created_on[customer]
    picked, customer, product, month, made_on = (part[known] for part in (picked, customer, product, month, made_on))
    source = master.customers.source[customer]
    expected = lines.quantity[picked] * np.exp(rng.normal(0, 0.35, len(picked)))
    return chunk(
        "erp.forecasts",
        {
            "product_id": master_data.product_labels(master, source, product),
            "customer_id": master_data.customer_ids(master.customers, customer),
            "branch_id": master_data.branch_labels(master.customers.branch[customer]),
            "forecast_month": dates(calendar.month_starts[month]),
            "made_on": dates(made_on),
            "quantity": integers(np.rint(expected).astype(np.int64).clip(1)),
            "source_system": master_data.source_labels(source),
            "loaded_at": timestamps(calendar.landed(made_on)),
        },
    )


def driver_chunk(rng: np.random.Generator, master: Master, block: Block, settings: Settings) -> pa.Table:
    """``erp.driver_quantities``: handling minutes per customer and month with orders."""
    orders, calendar = block.orders, settings.calendar
    key = orders.customer * calendar.month_count + calendar.month_of(orders.date)
    order = np.argsort(key, kind="stable")
    starts, counts = _runs(key[order])
    lines = np.add.reduceat(orders.line_count[order], starts) if len(starts) else starts
    customer, month = np.divmod(key[order[starts]], calendar.month_count)
    need = master.customers.service_need[customer].clip(0.3, 4)
    minutes = (counts * 6 + lines * 2) * need * rng.uniform(0.8, 1.2, len(customer))
    return chunk(
        "erp.driver_quantities",
        {
            "driver": labels(["handling_minutes"], np.zeros(len(customer))),
            "customer_id": master_data.customer_ids(master.customers, customer),
            "driver_month": dates(calendar.month_starts[month]),
            "quantity": integers(np.rint(minutes).astype(np.int64).clip(1)),
            "source_system": master_data.source_labels(master.customers.source[customer]),
            "loaded_at": timestamps(calendar.landed(calendar.month_starts[month + 1])),
        },
    )


def contract_chunk(master: Master, annual_sales_per_weight: float, settings: Settings) -> pa.Table:
    """``erp.contracts``: one per calendar year for each contract customer.

    ``annual_sales_per_weight`` is what a customer whose frequency times order size is 1 buys a year, in cents.
    """
    customers, calendar = master.customers, settings.calendar
    signed = np.flatnonzero(customers.contract >= 0)
    signed = signed[np.argsort(customers.contract[signed])]
    years = contract_years(settings)
    customer = np.repeat(signed, years)
    contract = np.arange(len(customer))
    year = year_of(np.array([calendar.first_day]))[0] + contract % years
    starts, ends = (
        (value - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) for value in (year, year + 1)
    )
    weight = customers.frequency[customer] * customers.order_size[customer]
    # Rounded to thousands, as people negotiate; some promise more than they buy.
    promise = weight * annual_sales_per_weight * (0.7 + 0.6 * ((contract * 37) % 11) / 10)
    amount = np.maximum(np.round(promise / 100_000), 1) * 100_000
    landed = np.maximum(starts - 20, calendar.first_day - 32)
    return chunk(
        "erp.contracts",
        {
            "contract_id": contract_ids(master, contract),
            "customer_id": master_data.customer_ids(customers, customer),
            "valid_from": dates(starts),
            "valid_to": dates(ends - 1),
            "committed_annual_amount": decimals(amount),
            "currency": labels(words.CURRENCIES, customers.currency[customer]),
            "service_terms": labels(words.SERVICE_TERMS, (contract // years) % 3),
            "source_system": master_data.source_labels(customers.source[customer]),
            "loaded_at": timestamps(calendar.landed(landed)),
        },
    )


# --- figures of the whole company ---------------------------------------------------------------------------------


def rate_chunk(rng: np.random.Generator, settings: Settings) -> pa.Table:
    """``erp.exchange_rates``: GBP to EUR and EUR to USD (never the inverse) for every working day.

    The north ERP keeps them for both organisations. They start three weeks before the first document.
    """
    calendar = settings.calendar
    days = np.arange(calendar.first_day - 21, calendar.last_day + 1)
    days = days[next_working_day(days) == days]
    tables = []
    for start, low, high in ((1.162, 1.10, 1.24), (1.087, 1.02, 1.18)):
        drift = np.cumsum(rng.normal(0, 0.0025, len(days)))
        tables.append((start * np.exp(drift - np.linspace(0, drift[-1] * 0.7, len(days)))).clip(low, high))
    # Four to six decimals, as the sources of such rates differ.
    pounds, dollars = (
        np.round(tables[0] * 100_000).astype(np.int64) * 10,
        np.round(tables[1] * 10_000).astype(np.int64) * 100,
    )
    rate_date = np.repeat(days, 2)
    pair = np.tile([0, 1], len(days))
    same_evening = (rate_date * 24 + 18) * 3_600_000_000
    return chunk(
        "erp.exchange_rates",
        {
            "rate_date": dates(rate_date),
            "from_currency": labels(["GBP", "EUR"], pair),
            "to_currency": labels(["EUR", "USD"], pair),
            "rate": decimals(np.stack([pounds, dollars], axis=1).ravel(), None, "rate"),
            "source_system": labels(words.SOURCES, np.zeros(len(pair))),
            "loaded_at": timestamps(same_evening),
        },
    )


def inventory_chunks(rng: np.random.Generator, master: Master, settings: Settings) -> Iterator[pa.Table]:
    """``erp.inventory``: counts on the last day of the last four quarters, of the articles a branch keeps."""
    calendar = settings.calendar
    ends = calendar.month_starts[1:] - 1
    quarter_ends = ends[(ends + 1).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 3 == 0][-4:]
    for source, branches in enumerate(words.BRANCHES):
        for counted_on in quarter_ends:
            branch, product = np.divmod(np.arange(len(branches) * master.products.count), master.products.count)
            kept = np.flatnonzero((product * 7 + branch * 5) % 10 < 6)
            count = len(kept)
            on_hand = np.rint(np.exp(rng.normal(4.0, 1.1, count))).astype(np.int64) * (rng.random(count) > 0.04)
            yield chunk(
                "erp.inventory",
                {
                    "product_id": master_data.product_labels(master, np.full(count, source), product[kept]),
                    "branch_id": master_data.branch_labels(branch[kept]),
                    "counted_on": dates(np.full(count, counted_on)),
                    "on_hand_quantity": integers(on_hand),
                    "source_system": master_data.source_labels(np.full(count, source)),
                    "loaded_at": timestamps(calendar.landed(np.full(count, counted_on))),
                },
            )


def ledger_chunk(rng: np.random.Generator, settings: Settings) -> pa.Table:
    """``erp.cost_ledger``: a pool's cost per organisation and month, in its currency.

    Proportional to the planned number of lines; one month's credit management is negative (a provision released).
    """
    calendar = settings.calendar
    months, pools = calendar.month_count, len(words.COST_POOLS)
    organisation, rest = np.divmod(np.arange(2 * months * pools), months * pools)
    month, pool = np.divmod(rest, pools)
    lines_a_month = settings.lines / months * np.array([0.6, 0.4])[organisation]
    cents_per_line = np.array([900, 1300, 800, 1200, 280, 220, 750])[pool]
    steadiness = np.array([0.08, 0.06, 0.10, 0.09, 0.20, 0.25, 0.0])[pool]
    amount = np.rint(lines_a_month * cents_per_line * (1 + steadiness * rng.standard_normal(len(pool))).clip(0.3))
    released = (pool == words.COST_POOLS.index("credit_management")) & (month == months // 2) & (organisation == 0)
    amount = np.where(released, -amount // 2, amount).astype(np.int64)
    return chunk(
        "erp.cost_ledger",
        {
            "cost_pool_id": labels(words.COST_POOLS, pool),
            "ledger_month": dates(calendar.month_starts[month]),
            "organisation_id": labels(words.ORGANISATIONS, organisation),
            "amount": decimals(amount),
            "currency": labels(words.CURRENCIES, np.array(words.HOME_CURRENCY)[organisation]),
            "source_system": master_data.source_labels(organisation),
            "loaded_at": timestamps(calendar.landed(calendar.month_starts[month + 1])),
        },
    )
