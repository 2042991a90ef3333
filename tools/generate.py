"""Write an invented wholesaler's raw data: ``python -m tools.generate --seed 42 --out sample_data``.

The defaults write the sample that is part of the repository. Equal arguments give equal bytes.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from .generator import Settings, write


def _month(text: str) -> date:
    """First day of a month given as 2026-06."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a month such as 2026-06") from None


def read_arguments(arguments: list[str] | None = None) -> tuple[Settings, Path]:
    """Settings and output folder from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=42, help="equal seeds give equal bytes (default 42)")
    parser.add_argument("--customers", type=int, default=300, help="ERP customers, at least 100 (default 300)")
    parser.add_argument("--months", type=int, default=26, help="whole months of data, at least 6 (default 26)")
    parser.add_argument("--lines", type=int, default=10_000, help="invoice lines aimed at (default 10000)")
    parser.add_argument("--last-month", type=_month, default=date(2026, 6, 1), help="last month (default 2026-06)")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv", help="default csv")
    parser.add_argument("--tables", choices=["all", "core"], default="all", help="core: what net sales need")
    parser.add_argument(
        "--plant-dirt",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="plant known faults and list them in planted_faults.csv (default)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write; files in it are replaced")
    given = parser.parse_args(arguments)
    try:
        settings = Settings(
            seed=given.seed,
            customers=given.customers,
            months=given.months,
            lines=given.lines,
            file_format=given.format,
            last_month=given.last_month,
            tables=given.tables,
            plant_dirt=given.plant_dirt,
        )
    except ValueError as error:
        parser.error(str(error))
    return settings, given.out


def main(arguments: list[str] | None = None) -> int:
    """Run the command; progress goes to stderr."""
    settings, folder = read_arguments(arguments)
    counts = write(settings, folder, lambda sentence: print(sentence, file=sys.stderr, flush=True))
    for table_name, count in counts.items():
        print(f"{table_name:<24}{count:>14,}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
