"""Print what a build has found, short enough to read: the last step of ``make build``.

Reads the warehouse of a target (duckdb: the file named by STRATUM_WAREHOUSE, default warehouse/stratum.duckdb) and prints the as-of date,
the tiers of every type with their customers or products and their share of net sales, what was earned, and what was quarantined.
"""

import argparse
import sys
from collections import defaultdict

from tools.warehouse import TARGETS, NoWarehouse, Reader, place, reader


def tier_lines(connection: Reader) -> list[str]:
    """One line per tier of the types others rely on: members, share of members, share of net sales."""
    rows = connection.execute("""
        select types.name, types.entity, summary.window_from, summary.window_to, summary.tier, summary.member_count,
            summary.member_share, summary.net_sales_share
        from (
            select summary.*, segments.window_from, segments.window_to
            from segmentation.fct_segment_summary as summary
            inner join (
                select segment_type_id, min(window_from) as window_from, min(window_to) as window_to
                from (
                    select segment_type_id, window_from, window_to from segmentation.fct_customer_segments
                    union all
                    select segment_type_id, window_from, window_to from segmentation.fct_product_segments
                ) as members
                group by segment_type_id
            ) as segments
                on summary.segment_type_id = segments.segment_type_id
        ) as summary
        inner join core.dim_segment_types as types
            on summary.segment_type_id = types.segment_type_id
        where types.is_shared and types.status = 'active'
            and summary.as_of_date = (select max(as_of_date) from segmentation.fct_segment_summary)
        order by types.entity, types.is_default desc, types.segment_type_id, summary.tier_rank
    """).fetchall()
    lines = []
    previous = None
    for name, entity, window_from, window_to, tier, members, member_share, sales_share in rows:
        if name != previous:
            lines.append(f"\n{name} ({window_from} to {window_to})")
            previous = name
        sales = "" if sales_share is None else f"{float(sales_share):8.1%} of net sales"
        lines.append(f"  {tier:<3}{members:>9,} {entity}s {float(member_share):7.1%}{sales}")
    return lines


def decision_lines(connection: Reader) -> list[str]:
    """How many types were evaluated on how many dates, and how many tiers are not as computed."""
    types, months = connection.execute("""
        select count(distinct segment_type_id), count(distinct month_end) from segmentation.fct_segment_summary
    """).fetchone()
    lines = [f"\n{types} segment types evaluated at {months} month-ends"]
    for source, count in connection.execute("""
        select tier_source, count(*) from (
            select tier_source from segmentation.fct_customer_segments
            union all
            select tier_source from segmentation.fct_product_segments
        ) as members where tier_source not in ('computed', 'default') group by tier_source order by count(*) desc, tier_source
    """).fetchall():
        lines.append(f"  {count:>9,}  tiers by {source}")
    return lines


def profit_lines(connection: Reader) -> list[str]:
    """From gross margin to net profit, and how much of it the unprofitable customers give away again."""
    period_from, period_to, customers, net_sales, gross_margin, cost_to_serve, net_profit = connection.execute("""
        select min(period_from), min(period_to), count(*), sum(net_sales), sum(gross_margin), sum(cost_to_serve), sum(net_profit)
        from cost_to_serve.fct_customer_profitability
    """).fetchone()
    if not customers:
        return []
    (unallocated,) = connection.execute(
        "select coalesce(sum(amount), 0) from cost_to_serve.fct_cost_allocations"
        " where customer_id is null and cost_month between ? and ?",
        [period_from, period_to],
    ).fetchone()
    losers, loss = connection.execute("""
        select count(*), coalesce(sum(net_profit), 0) from cost_to_serve.fct_customer_profitability where net_profit < 0
    """).fetchone()
    return [
        f"\nProfit of the customers ({period_from} to {period_to})",
        f"  {net_sales:>14,} net sales",
        f"  {gross_margin:>14,} gross margin",
        f"  {-cost_to_serve:>14,} cost to serve",
        f"  {net_profit:>14,} net profit, in which {losers:,} customers lose {-loss:,}",
        f"  {-unallocated:>14,} cost of the company that no customer causes",
    ]


def record_lines(connection: Reader) -> list[str]:
    """What became of the landed rows, and the quarantined ones by rule."""
    counts = dict(connection.execute("select record_status, sum(record_count) from audit.fct_record_counts group by record_status").fetchall())
    lines = [
        f"\nLanded rows: {sum(counts.values()):,} = {counts.get('staged', 0):,} staged"
        f" + {counts.get('superseded', 0):,} superseded + {counts.get('quarantined', 0):,} quarantined"
    ]
    rules = defaultdict(dict)
    for rule, table, count in connection.execute("""
        select quarantine_rule, source_table, count(*) from audit.quarantined_records group by quarantine_rule, source_table
    """).fetchall():
        rules[rule][table] = count
    for rule, tables in sorted(rules.items(), key=lambda found: (-sum(found[1].values()), found[0])):
        lines.append(f"  {sum(tables.values()):>9,}  {rule} ({', '.join(sorted(tables))})")
    return lines


def finding_lines(connection: Reader) -> list[str]:
    """How many findings there are in each mart of findings that has any."""
    found = connection.execute("""
        select finding_kind, open_count + accepted_count from audit.fct_findings_summary where finding_kind <> '(all)' order by finding_kind
    """).fetchall()
    lines = [f"  {count:>9,}  audit.{mart}" for mart, count in found if count]
    return ["\nFindings for a person to look at", *lines] if lines else []


def seal_lines(connection: Reader) -> list[str]:
    """The last seal of the recorded history; its head is what is worth keeping elsewhere."""
    last = connection.execute("""
        select seal_number, as_of_date, event_count, chain from audit.seals order by seal_number desc limit 1
    """).fetchone()
    if not last:
        return []
    number, as_of_date, events, chain = last
    return [f"\nRecorded history: seal {number} of {as_of_date}, {events:,} events, head {chain}"]


def main() -> int:
    """Print the summary; returns the exit code, 2 where there is no warehouse."""
    parser = argparse.ArgumentParser(prog="python -m tools.summary", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--target", choices=TARGETS, default="duckdb")
    target = parser.parse_args().target
    try:
        connection = reader(target)
    except NoWarehouse as fault:
        print(fault, file=sys.stderr)
        return 2
    (as_of_date,) = connection.execute("select max(as_of_date) from core.dim_customers").fetchone()
    print(f"Tiers as of {as_of_date}")
    print(
        "\n".join(
            tier_lines(connection)
            + decision_lines(connection)
            + profit_lines(connection)
            + record_lines(connection)
            + finding_lines(connection)
            + seal_lines(connection)
        )
    )
    print("\nLook further: segmentation.fct_customer_segments, core.dim_customers, audit.quarantined_records")
    print(f"Warehouse: {place(target)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
