"""The project beside a handwritten script and pandas: ``python -m benchmarks.core_results --lines 2000000``.

All three compute the same core results from the same Parquet files: net sales, cost and margin of every invoice line, every customer's
ultimate parent and VAT group, the tier of every customer and product under the eight types of ``benchmarks/configuration`` at
the as-of date, and the cost pools shared out to the cent. The raw data are faultless and the cost ledger is all there is to cost-to-serve, because the
other two judge no cell and match no party; the project runs as it always does.

The results are compared row by row, in exact decimals; only when all are equal is any time printed.

Writes ``core_results.json`` and ``core_results.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

from benchmarks.build import generate
from benchmarks.measuring import COST_HEADINGS, PROJECT, Cost, Workplace, add_data_arguments, cost_record, markdown_table, measure

ABSENT_TABLES = [
    "erp.quotes", "erp.contracts", "erp.inventory", "erp.forecasts", "crm.accounts", "crm.activities", "crm.opportunities",
    "tpl.shipments", "tpl.shipment_lines", "tpl.charges", "tpl.returns",
]  # fmt: skip

# What is compared: the columns, and where the project has them.
RESULTS = {
    "invoice_lines": (
        "invoice_id, cast(line_number as bigint), cast(invoice_date as date), document_type, customer_id, product_id, branch_id, brand,"
        " {quantity}, {net_sales}, {cost}, {gross_margin}",
        "stratum.core.fct_invoice_lines",
    ),
    "customers": (
        "customer_id, ultimate_parent_id, vat_group_id",
        "(select customer_id, rolled_up.ultimate_parent_id, identified.vat_group_id"
        " from stratum.intermediate.int_customers_identified as identified"
        " inner join stratum.intermediate.int_customers_rolled_up as rolled_up using (customer_id)"
        " inner join stratum.intermediate.int_evaluation_dates as dates using (hierarchy_date) where dates.is_as_of)",
    ),
    "segments": (
        "segment_type_id, member_id, entity_id, {metric_amount}, reason_code, tier",
        "(select segment_type_id, customer_id as member_id, entity_id, metric_amount, reason_code, tier"
        " from stratum.segmentation.fct_customer_segments union all"
        " select segment_type_id, product_id, entity_id, metric_amount, reason_code, tier from stratum.segmentation.fct_product_segments)",
    ),
    "cost_allocations": (
        "cost_pool_id, cast(cost_month as date), organisation_id, customer_id, unallocated_reason, {amount}",
        "stratum.cost_to_serve.fct_cost_allocations",
    ),
}
# Decimals that pandas holds as whole numbers of so many decimals.
SCALES = {"quantity": 4, "net_sales": 2, "cost": 2, "gross_margin": 2, "metric_amount": 2, "amount": 2}

HANDWRITTEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set threads = 2")
if sys.argv[4]:
    connection.execute(f"set memory_limit = '{sys.argv[4]}'")
connection.execute("set variable raw = ?", [sys.argv[2]])
connection.execute(open(sys.argv[3]).read())
"""


def fingerprints(connection: duckdb.DuckDBPyConnection, name: str, relation: str, whole_numbers: bool = False) -> tuple[int, int, int]:
    """Rows of a result and two sums of 64-bit hashes over all of its columns: equal where the rows are equal, in whatever order."""
    columns = RESULTS[name][0].format_map(
        {
            column: f"cast({column} * {10**-scale:.{scale}f} as decimal(18, {scale}))" if whole_numbers else f"cast({column} as decimal(18, {scale}))"
            for column, scale in SCALES.items()
        }
    )
    return connection.execute(
        f"select count(*), sum(cast(hash({columns}) as hugeint)), sum(cast(hash('again', {columns}) as hugeint)) from {relation}"
    ).fetchone()


def differences(project: Path, handwritten: Path, analyst: Path | None) -> list[str]:
    """A sentence for every result that is not the same in all of them."""
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{project}' as stratum (read_only)")
        connection.execute(f"attach '{handwritten}' as handwritten (read_only)")
        for name, (_, relation) in RESULTS.items():
            ours = fingerprints(connection, name, relation)
            others = {"handwritten.sql": fingerprints(connection, name, f"handwritten.{name}")}
            if analyst is not None:
                others["pandas"] = fingerprints(connection, name, f"read_parquet('{analyst}/{name}.parquet')", whole_numbers=True)
            for other, theirs in others.items():
                if ours != theirs or not ours[0]:
                    found.append(f"{name}: the project has {ours[0]:,} rows, {other} {theirs[0]:,}, and they are not the same")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run all three, compare, print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core_results", description=(__doc__ or "").split("\n\n")[0])
    add_data_arguments(parser, "core_results")
    parser.add_argument("--without-pandas", action="store_true", help="it needs about a gigabyte per million lines")
    options = parser.parse_args(arguments)
    folder = (options.folder or PROJECT / "build" / f"core_results_{options.lines}").resolve()
    raw = options.raw or folder / "raw"
    if options.raw is None:
        generate(raw, options.lines, options.customers or options.lines // 100, options.months, plant_dirt=False)
    workplace = Workplace(folder, raw, options.memory_limit)
    workplace.forget()
    handwritten, analyst = folder / "handwritten.duckdb", folder / "analyst"
    handwritten.unlink(missing_ok=True)
    costs: dict[str, Cost] = {}
    costs["handwritten.sql"] = measure(
        [sys.executable, "-c", HANDWRITTEN, str(handwritten), str(raw.resolve()), str(PROJECT / "benchmarks" / "handwritten.sql"), options.memory_limit or ""],
        {}, folder / "handwritten.log", folder / "handwritten.duckdb.tmp",
    )  # fmt: skip
    if not options.without_pandas:
        costs["pandas"] = measure([sys.executable, "-m", "benchmarks.analyst", str(raw.resolve()), str(analyst)], {}, folder / "analyst.log")
    variables = {"absent_tables": ABSENT_TABLES, "first_month_end": "2199-12-31"}
    costs["the project"], nodes = workplace.dbt("project", "build", "--selector", "core_results", variables=variables)
    found = differences(workplace.warehouse, handwritten, None if options.without_pandas else analyst)
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    base = costs["handwritten.sql"]
    rows = [
        [name, *cost.cells, f"{cost.wall_seconds / base.wall_seconds:.2f}", f"{cost.cpu_seconds / base.cpu_seconds:.2f}"]
        for name, cost in costs.items()
    ]
    text = markdown_table(["equal results by", *COST_HEADINGS, "wall ratio", "CPU ratio"], rows)
    text += "\n\n" + markdown_table(["node", "s"], [[f"`{node['node']}`", f"{node['seconds']:.1f}"] for node in nodes[:25]]) + "\n"
    (folder / "core_results.md").write_text(text)
    record = {"lines": options.lines, "costs": {name: cost_record(cost) for name, cost in costs.items()}, "nodes": nodes}
    (folder / "core_results.json").write_text(json.dumps(record, indent=1))
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
