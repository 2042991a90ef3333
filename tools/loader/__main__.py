"""Loads a raw folder into the raw schemas of a server: ``python -m tools.loader --target postgres --raw sample_data``.

Tables are replaced one by one, each whole or not at all; a load that was stopped goes on where it was, for a table whose files are those
of the last load is left out (``--again`` loads it all the same). Cells of a CSV land as text, so that staging can judge them and
nothing is lost; Parquet lands with its types. Ends with 0, 2 where the folder does not meet the contract, 1 where the server refuses.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from tools.loader.raw_folder import RawFolderError, raw_tables

TARGETS = ["postgres", "spark"]


def sentence(fault: Exception) -> str:
    """What a driver has to say, without the stack of its server."""
    status = getattr(fault.args[0], "status", None) if fault.args else None
    return (getattr(status, "errorMessage", None) or str(fault)).strip()


def main(arguments: list[str] | None = None) -> int:
    """Load; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.loader", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--target", choices=TARGETS, required=True)
    parser.add_argument("--raw", type=Path, default=Path(os.environ.get("STRATUM_RAW_DATA") or "sample_data"), help="raw folder [STRATUM_RAW_DATA or sample_data]")
    parser.add_argument("--again", action="store_true", help="also load tables whose files have been loaded already")
    options = parser.parse_args(arguments)
    # Each engine's driver is installed where the engine is used.
    engine = importlib.import_module(f"tools.loader.{options.target}")
    try:
        tables = raw_tables(options.raw)
        connection = engine.connect()
    except RawFolderError as fault:
        print(fault, file=sys.stderr)
        return 2
    except Exception as fault:  # noqa: BLE001 - every driver has its own
        print(f"The server of target {options.target} cannot be reached: {sentence(fault)}", file=sys.stderr)
        return 1
    for table in tables:
        if not options.again and engine.is_loaded(connection, table):
            print(f"{table.full_name}: as loaded before", flush=True)
            continue
        begun = time.monotonic()
        try:
            rows = engine.load(connection, table)
        except Exception as fault:  # noqa: BLE001 - every driver has its own
            print(f"{table.full_name} was not loaded: {sentence(fault)}", file=sys.stderr)
            return 1
        print(f"{table.full_name}: {rows:,} rows in {time.monotonic() - begun:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
