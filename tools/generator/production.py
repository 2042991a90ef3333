"""The order of work: master data, then sales block by block, then what is planted. Memory holds one block."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from . import master as master_data
from . import sales, service
from .contract import FAULT_COLUMNS, TABLES
from .faults import Planter, Samples
from .landing import Landing
from .landing import TextRow as Row
from .master import Master
from .settings import Settings

#: Most customers in one block, whatever they buy: bounds the customers x months matrix.
CUSTOMERS_PER_BLOCK = 50_000
_STREAMS_PER_BLOCK = 7  # orders, lines, invoices, credit notes, logistics, CRM, planning


@dataclass
class Chunk:
    """Rows of one table: typed in ``table``, or as text in ``rows`` where they are planted."""

    table_name: str
    table: pa.Table | None = None
    rows: list[Row] = field(default_factory=list)


@dataclass
class Plan:
    """Blocks of customers, and how often one unit of activity orders."""

    orders_per_activity: float
    blocks: list[np.ndarray]


def table_names(settings: Settings) -> list[str]:
    """Tables a run writes."""
    return [name for name, table in TABLES.items() if table.is_core or settings.tables == "all"]


def make_plan(master: Master, settings: Settings) -> Plan:
    """Scale orders to the lines asked for, and cut blocks of about equal numbers of lines.

    Blocks are runs of customers; sizes are dealt at random over customers, so every block is a fair sample.
    """
    count = master.customers.count
    total = 0.0
    for first in range(0, count, CUSTOMERS_PER_BLOCK):
        rows = np.arange(first, min(first + CUSTOMERS_PER_BLOCK, count))
        total += float(sales.monthly_activity(master.customers, rows, settings.calendar).sum())
    lines_per_order = sales.MEAN_LINES_PER_ORDER * (sales.INVOICED_SHARE + sales.CREDIT_LINES_SHARE)
    block_count = max(1, round(settings.lines / settings.lines_per_block), -(-count // CUSTOMERS_PER_BLOCK))
    return Plan(settings.lines / lines_per_order / total, np.array_split(np.arange(count), min(block_count, count)))


def _master_chunks(master: Master, settings: Settings, seeds: list[np.random.SeedSequence]) -> Iterator[Chunk]:
    """Tables that do not depend on the blocks."""
    for table in master_data.customer_chunks(master, settings):
        yield Chunk("erp.customers", table)
    yield Chunk("erp.products", master_data.product_chunk(master, settings))
    yield Chunk("erp.branches", master_data.branch_chunk(settings))
    yield Chunk("erp.sales_reps", master_data.rep_chunk(master, settings))
    yield Chunk("erp.exchange_rates", service.rate_chunk(np.random.default_rng(seeds[0]), settings))
    if settings.tables == "core":
        return
    for table in master_data.account_chunks(master, settings):
        yield Chunk("crm.accounts", table)
    for table in service.inventory_chunks(np.random.default_rng(seeds[1]), master, settings):
        yield Chunk("erp.inventory", table)
    yield Chunk("erp.cost_ledger", service.ledger_chunk(np.random.default_rng(seeds[2]), settings))


def _block_chunks(
    master: Master,
    plan: Plan,
    rows: np.ndarray,
    seeds: list[np.random.SeedSequence],
    counters: sales.Counters,
    settings: Settings,
) -> Iterator[Chunk]:
    """Documents of one block. Core tables use streams of their own, so they do not change with ``tables``."""
    block = sales.make_block(seeds[:4], master, rows, plan.orders_per_activity, counters, settings)
    yield Chunk("erp.orders", sales.order_chunk(master, block, settings))
    yield Chunk("erp.invoices", sales.invoice_chunk(master, block, settings))
    yield Chunk("erp.invoice_lines", sales.invoice_line_chunk(master, block, settings))
    if settings.tables == "core":
        return
    yield Chunk("erp.order_lines", sales.order_line_chunk(master, block, settings))
    logistics_rng, crm_rng, planning_rng = (np.random.default_rng(seed) for seed in seeds[4:])
    for name, table in service.delivery_chunks(logistics_rng, master, block, counters, settings):
        yield Chunk(name, table)
    for name, table in service.crm_chunks(crm_rng, master, rows, counters, settings):
        yield Chunk(name, table)
    yield Chunk("erp.quotes", service.quote_chunk(planning_rng, master, block, counters, settings))
    yield Chunk("erp.forecasts", service.forecast_chunk(planning_rng, master, block, settings))
    yield Chunk("erp.driver_quantities", service.driver_chunk(planning_rng, master, block, settings))


def _traits(master: Master) -> dict[str, pa.Array]:
    """Keys of master rows that already show something planted, in both sources: no second fault for them."""
    customers = master.customers
    index = {
        on_account: np.array([fault.index for fault in master.faults if fault.on_account == on_account], np.int64)
        for on_account in (False, True)
    }
    return {
        "erp.customers": master_data.customer_ids(customers, index[False]),
        "crm.accounts": master_data.account_ids(customers.account[index[True]], customers),
    }


def _annual_sales_per_weight(master: Master, plan: Plan) -> float:
    """Yearly sales (cents) to expect of a steady customer whose frequency times order size is 1."""
    discounted, season = 0.93, 1.03
    return (
        plan.orders_per_activity * 12 * season * sales.MEAN_LINES_PER_ORDER * sales.MEAN_LINE_VALUE * 1.2 * discounted
    )


def generate(settings: Settings, report: Callable[[str], None] = lambda _: None) -> Iterator[Chunk]:
    """Yield the raw tables of a run in chunks; the last chunks hold what is planted, and ``planted_faults``.

    ``report`` is told about progress in plain sentences.
    """
    master_seed, tables_seed, fault_seed, sales_seed = np.random.SeedSequence(settings.seed).spawn(4)
    master = master_data.make_master(np.random.default_rng(master_seed), settings)
    plan = make_plan(master, settings)
    counters = sales.Counters.fresh()
    sample_seed, planter_seed = fault_seed.spawn(2)
    samples = Samples(sample_seed, 8 * settings.faults_per_kind, _traits(master))
    report(f"{settings.customers:,} customers, {master.products.count:,} articles, {len(plan.blocks):,} blocks")
    for chunk in _master_chunks(master, settings, tables_seed.spawn(3)):
        samples.offer(chunk.table_name, chunk.table)
        yield chunk
    if settings.tables == "all":
        contracts = service.contract_chunk(master, _annual_sales_per_weight(master, plan), settings)
        yield Chunk("erp.contracts", contracts)
    line_count = 0
    for number, (rows, seed) in enumerate(zip(plan.blocks, sales_seed.spawn(len(plan.blocks)), strict=True), start=1):
        for chunk in _block_chunks(master, plan, rows, seed.spawn(_STREAMS_PER_BLOCK), counters, settings):
            samples.offer(chunk.table_name, chunk.table)
            line_count += chunk.table.num_rows if chunk.table_name == "erp.invoice_lines" else 0
            yield chunk
        report(f"block {number:,} of {len(plan.blocks):,}: {line_count:,} invoice lines")
    if settings.plant_dirt:
        planter = Planter(np.random.default_rng(planter_seed), master, counters, samples, settings)
        planter.plant()
        for name in table_names(settings):
            yield Chunk(name, rows=planter.rows[name])
        yield Chunk("planted_faults", rows=planter.faults)


def write(settings: Settings, folder: Path, report: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Write a run below ``folder`` and return the number of rows per table.

    Files of an earlier run with the same names are replaced; others are left alone.
    """
    faults: list[Row] = []
    with Landing(folder, settings.file_format, table_names(settings)) as landing:
        for chunk in generate(settings, report):
            if chunk.table_name == "planted_faults":
                faults = chunk.rows
            elif chunk.table is not None:
                landing.write(chunk.table_name, chunk.table)
            else:
                landing.write_text(chunk.table_name, chunk.rows)
    with (folder / "planted_faults.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FAULT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(faults)
    return landing.row_counts
