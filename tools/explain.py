"""The story of one customer: ``python -m tools.explain --customer erp_north:C00148 --type sales_performance --as-of 2026-06-30``.

What was recorded about it, why, by which rule and by whose decision, what changed and what we would say today; every line names
the mart it was read from. Reads the warehouse and changes nothing. Ends with 1 where nothing is recorded, and says what there is.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import Any

from tools.warehouse import TARGETS, NoWarehouse, reader

FOR_EVER = date(9999, 12, 31)

REASONS = {
    "ranked": "it takes part in the ranking",
    "excluded": "it takes no part: internal, a test, or set aside by a decision",
    "default_new": "it is new, and not ranked yet",
    "no_sales_in_scope": "it has nothing in the window that counts",
    "non_positive_net_sales": "its amount is not above zero",
    "below_min_net_sales": "its net sales are below the minimum of the type",
}
CAUSES = {
    "hierarchy": "another parent moved it",
    "configuration": "other rules moved it",
    "own_metric": "its own metric moved it",
    "peers": "the others moved it",
    "override": "a decision moved it",
    "hysteresis": "hysteresis moved it",
}
SOURCES = {
    "computed": "what the rule computes",
    "default": "the tier of the new",
    "hysteresis": "held back by hysteresis until the computed tier has stood long enough",
    "override": "a decision",
    "floor": "a decision that raised it",
}


class Warehouse:
    """Rows of a warehouse, as dictionaries."""

    def __init__(self, target: str) -> None:
        """Open that of a target for reading; raises NoWarehouse where it is not there."""
        self.connection = reader(target)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        cursor = self.connection.execute(query, list(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def story(warehouse: Warehouse, customer: str, segment_type: str, day: date) -> list[str] | None:
    """The lines to print; none where nothing was recorded for the day."""
    history = warehouse.rows(
        "select * from segmentation.dim_customer_segment_history where customer_id = ? and segment_type_id = ? order by valid_from",
        customer,
        segment_type,
    )
    current = next((row for row in history if row["valid_from"] <= day < row["valid_to"]), None)
    if current is None:
        return None
    name = warehouse.rows("select name from core.dim_customers where customer_id = ?", customer)
    lines = [f"{customer}{' ' + name[0]['name'] if name and name[0]['name'] else ''} under {segment_type} on {day}", ""]
    lines += in_force(current)
    lines += decision(warehouse, current)
    lines += rule(warehouse, segment_type, day)
    lines += changes(history, day)
    lines += causes(warehouse, customer, segment_type, day)
    lines += today(warehouse, customer, segment_type)
    lines += proof(warehouse, customer, segment_type, current)
    return lines


def in_force(current: dict[str, Any]) -> list[str]:
    """The tier on the day and the numbers behind it."""
    place = "segmentation.dim_customer_segment_history"
    until = "and still is" if current["valid_to"] == FOR_EVER else f"until {current['valid_to']}"
    if current["is_gone"]:
        return [f"It was gone from {current['valid_from']} on, {until}: no tier.   [{place}]"]
    lines = [
        f"Tier {current['tier']} since {current['valid_from']}, {until}: {SOURCES[current['tier_source']]}.   [{place}]",
        f"The rule says {current['computed_tier']}: {REASONS[current['reason_code']]}.",
    ]
    if current["inherited_from"]:
        lines.append(f"The tier is that of {current['inherited_from']}, to which it belongs.")
    lines.append(
        f"Metric {current['metric_amount']:,.2f} from {current['window_from']} to {current['window_to']}, at {current['valid_from']}."
    )
    if current["share_before"] is not None:
        lines.append(f"Larger ones held {current['share_before']:.2%} of the total before it, {current['cumulative_share']:.2%} with it.")
    if current["distance_to_better_tier"] is not None:
        lines.append(f"To the next better tier it lacked {current['distance_to_better_tier']:,.2f}.")
    if current["distance_to_worse_tier"] is not None:
        lines.append(f"It could lose {current['distance_to_worse_tier']:,.2f} before the next worse one.")
    return lines


def decision(warehouse: Warehouse, current: dict[str, Any]) -> list[str]:
    """The decision that was consulted, word for word, as recorded."""
    if not current["override_id"]:
        return ["", "No decision was in force."]
    rows = warehouse.rows(
        "select row_content, cast(dbt_valid_from as date) as recorded_on from snapshots.snap_configuration"
        " where seed = 'segment_overrides' and row_key = ? and dbt_is_deleted = 'False' and cast(dbt_valid_from as date) <= ?"
        " order by dbt_valid_from desc limit 1",
        current["override_id"],
        max(current["valid_from"], current["window_to"]),
    )
    content = rows[0]["row_content"] if rows else "no longer on file"
    return ["", f"Decision consulted: {content}   [snapshots.snap_configuration]"]


def rule(warehouse: Warehouse, segment_type: str, day: date) -> list[str]:
    """The type and its tiers as they were configured on the day."""
    rows = warehouse.rows(
        "select row_content from snapshots.snap_configuration where dbt_is_deleted = 'False'"
        " and seed in ('segment_types', 'segment_tiers', 'segment_type_branches', 'segment_type_brands')"
        " and (row_key = ? or left(row_key, length(?) + 1) = ? || '|') and cast(dbt_valid_from as date) <= ?"
        " and coalesce(cast(dbt_valid_to as date), date '9999-12-31') > ? order by seed desc, row_key",
        *[segment_type] * 3,
        *[day] * 2,
    )
    return ["", "The rule on that day:   [snapshots.snap_configuration]", *(f"  {row['row_content']}" for row in rows)]


def changes(history: list[dict[str, Any]], day: date) -> list[str]:
    """Every period up to the day."""
    lines = ["", "What was recorded:   [segmentation.dim_customer_segment_history]"]
    for row in history:
        if row["valid_from"] <= day:
            tier = "gone" if row["is_gone"] else f"{row['tier']} ({row['tier_source']}, {row['reason_code']}), {row['metric_amount']:,.2f}"
            lines.append(f"  from {row['valid_from']}: {tier}")
    return lines


def causes(warehouse: Warehouse, customer: str, segment_type: str, day: date) -> list[str]:
    """What moved the tier up to the day, step by step."""
    rows = warehouse.rows(
        "select * from audit.fct_tier_changes where member_id = ? and segment_type_id = ? and to_date <= ? order by to_date",
        customer,
        segment_type,
        day,
    )
    if not rows:
        return ["", "Between no two evaluation dates anything moved its tier.   [audit.fct_tier_changes]"]
    lines = ["", "Why it changed:   [audit.fct_tier_changes]"]
    for row in rows:
        moves = [move.partition(":") for move in row["causes"].split("|")]
        told = "; ".join(f"{CAUSES[step]} {move.replace('>', ' to ')}" for step, _, move in moves)
        lines.append(f"  {row['from_date']} to {row['to_date']}, {row['tier_start']} to {row['tier_end']}: {told}")
        amounts = " to ".join("nothing" if row[name] is None else f"{row[name]:,.2f}" for name in ("metric_amount_start", "metric_amount_end"))
        numbers = [f"metric {amounts}"]
        for moment, name in (("at first", "distance_to_cut_start"), ("then", "distance_to_cut_end")):
            if row[name] is not None:
                numbers.append(f"{moment} {abs(row[name]):,.2f} {'inside' if row[name] >= 0 else 'outside'} the cut of {row['cut_tier']}")
        lines.append(f"    {', '.join(numbers)}{'' if row['is_recorded'] else ' (before the first record)'}")
    return lines


def today(warehouse: Warehouse, customer: str, segment_type: str) -> list[str]:
    """What we would say otherwise today."""
    rows = warehouse.rows(
        "select * from audit.fct_recorded_vs_restated where member_id = ? and segment_type_id = ? order by month_end",
        customer,
        segment_type,
    )
    if not rows:
        return ["", "Today we would say the same about every month-end.   [audit.fct_recorded_vs_restated]"]
    lines = ["", "Today we would say otherwise:   [audit.fct_recorded_vs_restated]"]
    for row in rows:
        lines.append(f"  {row['month_end']}: {row['restated_tier'] or 'no tier'} instead of {row['recorded_tier'] or 'no tier'} ({row['difference_cause']})")
    return lines


def proof(warehouse: Warehouse, customer: str, segment_type: str, current: dict[str, Any]) -> list[str]:
    """The build that recorded the tier in force, and the seal it stands under."""
    lines = ["", "How this came to be on record:"]
    # Two builds for one day: the last one counts.
    for run in warehouse.rows(
        "select * from audit.run_log where has_recorded and as_of_date = ? order by started_at desc limit 1", current["valid_from"]
    ):
        known = f"what had landed by {run['known_on']}" if run["known_on"] else "everything that had landed"
        lines.append(f"  by run {run['run_id']} of {run['started_at']:%Y-%m-%d %H:%M} UTC, from {known}   [audit.run_log]")
        lines.append(f"  code {run['code_version']}, configuration {run['configuration_hash']}")
    for seal in warehouse.rows(
        "select seals.seal_number, seals.as_of_date, seals.chain from audit.sealed_events as events"
        " inner join audit.seals as seals on events.seal_number = seals.seal_number"
        " where events.snapshot = 'snap_segment_tiers' and events.event_kind = 'opened' and events.row_key = ? and events.valid_from = ?"
        " order by seals.seal_number desc limit 1",
        f"{segment_type}|{customer}",
        current["valid_from"],
    ):
        lines.append(f"  under seal {seal['seal_number']} of {seal['as_of_date']}, head {seal['chain']}   [audit.seals]")
        lines.append("  make verify says whether it is still what was sealed.")
    return lines if len(lines) > 2 else []  # noqa: PLR2004 - the heading


def main(arguments: list[str] | None = None) -> int:
    """Print the story; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.explain", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--customer", required=True, help="<source_system>:<native id>")
    parser.add_argument("--type", dest="segment_type", required=True, help="segment_type_id")
    parser.add_argument("--as-of", dest="day", type=date.fromisoformat, help="ISO date [the last day recorded]")
    parser.add_argument("--target", choices=TARGETS, default="duckdb")
    options = parser.parse_args(arguments)
    try:
        warehouse = Warehouse(options.target)
    except NoWarehouse as fault:
        print(fault, file=sys.stderr)
        return 1
    day = options.day or warehouse.rows("select max(as_of_date) as day from intermediate.int_recording")[0]["day"]
    lines = story(warehouse, options.customer, options.segment_type, day)
    if lines is None:
        begun = warehouse.rows(
            "select segment_type_id, min(valid_from) as first_day from segmentation.dim_customer_segment_history"
            " where customer_id = ? group by segment_type_id order by segment_type_id",
            options.customer,
        )
        known = ", ".join(f"{row['segment_type_id']} from {row['first_day']}" for row in begun) or "nothing at all"
        print(
            f"Nothing was recorded about {options.customer} under {options.segment_type} on {day}; recorded is: {known}.",
            file=sys.stderr,
        )
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
