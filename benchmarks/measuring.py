"""One command measured: wall clock, CPU seconds, peak memory and spilled bytes of it and its children."""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
CONFIGURATION = PROJECT / "benchmarks" / "configuration"
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Cost:
    """What a command cost. Of memory and spill the largest at any moment."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    peak_spill_bytes: int

    @property
    def cells(self) -> list[str]:
        """For a row of a table: wall, CPU, memory, spill."""
        return [
            f"{self.wall_seconds:,.1f}",
            f"{self.cpu_seconds:,.1f}",
            f"{self.peak_memory_bytes / 1e9:,.2f}",
            f"{self.peak_spill_bytes / 1e9:,.2f}",
        ]


COST_HEADINGS = ["wall s", "CPU s", "peak memory GB", "spill GB"]


class CommandFailed(RuntimeError):
    """The measured command ended with another exit code than 0."""


def measure(command: list[str], environment: dict[str, str], log: Path, spill_folder: Path | None = None) -> Cost:
    """Run a command in a process of its own, its output in ``log``.

    The peak of each process is the kernel's own (VmHWM), asked for often enough that none is missed by much; processes that live
    at the same time add up. ``ru_maxrss`` would count the process the command was started from as well.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    peaks: dict[int, int] = {}
    peak, spill = 0, 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            alive = {number: _peak_of(number) for number in _tree(process.pid)}
            peaks |= alive
            peak = max(peak, sum(peaks[number] for number in alive))
            if spill_folder is not None:
                spill = max(spill, _size_of(spill_folder))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise CommandFailed(f"{' '.join(command)}\nended with {process.returncode}:\n{log.read_text()[-3000:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak, spill)


def _tree(number: int) -> list[int]:
    """A process and all below it."""
    try:
        children = [int(child) for task in Path(f"/proc/{number}/task").iterdir() for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [number, *(below for child in children for below in _tree(child))]


def _peak_of(number: int) -> int:
    """The largest resident memory a process ever had, in bytes; 0 where it is over."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{number}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found.group(1)) * 1024 if found else 0


def _size_of(folder: Path) -> int:
    """Bytes in a folder of files that come and go."""
    total = 0
    try:
        for entry in os.scandir(folder):
            total += entry.stat().st_size
    except FileNotFoundError:
        pass
    return total


class Workplace:
    """A folder for one benchmark: its warehouse, its profile and what dbt writes."""

    def __init__(self, folder: Path, raw: Path, memory_limit: str | None = None, configuration: Path = CONFIGURATION) -> None:
        """The profile is the project's own, with a memory limit where one is asked for."""
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.warehouse = self.folder / "stratum.duckdb"
        self.raw = raw.resolve()
        self.configuration = configuration
        self.memory_limit = memory_limit
        profile = yaml.safe_load((PROJECT / "profiles.example.yml").read_text())
        if memory_limit:
            profile["stratum"]["outputs"]["duckdb"]["settings"]["memory_limit"] = memory_limit
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profile))

    @property
    def spill_folder(self) -> Path:
        """Where DuckDB puts what does not fit into memory."""
        return self.warehouse.with_name(self.warehouse.name + ".tmp")

    @property
    def environment(self) -> dict[str, str]:
        """What dbt is told by the environment."""
        return {
            "STRATUM_WAREHOUSE": str(self.warehouse),
            "STRATUM_RAW_DATA": str(self.raw),
            "STRATUM_CONFIGURATION": os.path.relpath(self.configuration, PROJECT),
        }

    def forget(self) -> None:
        """Back to no warehouse at all."""
        for path in self.folder.glob("stratum.duckdb*"):
            if path.is_file():
                path.unlink()

    def dbt(self, step: str, *arguments: str, variables: dict[str, Any] | None = None) -> tuple[Cost, list[dict[str, Any]]]:
        """One command of dbt: what it cost, and its nodes, the longest first."""
        target = self.folder / "target"
        command = [
            str(PROJECT / ".venv" / "bin" / "dbt"), "--quiet", *arguments, "--target", "duckdb", "--profiles-dir", str(self.folder),
            "--target-path", str(target), "--log-path", str(self.folder / "logs"), "--vars", json.dumps(variables or {}),
        ]  # fmt: skip
        cost = measure(command, self.environment, self.folder / f"{step}.log", self.spill_folder)
        results = json.loads((target / "run_results.json").read_text())["results"]
        nodes = [
            {"node": result["unique_id"].split(".", 2)[2], "kind": result["unique_id"].split(".")[0], "seconds": result["execution_time"]}
            for result in results
        ]
        return cost, sorted(nodes, key=lambda node: -node["seconds"])


def seconds_by_kind(nodes: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds of all nodes of a kind, added up; as many run at a time as there are threads."""
    kinds: dict[str, float] = {}
    for node in nodes:
        kinds[node["kind"]] = kinds.get(node["kind"], 0) + node["seconds"]
    return kinds


def cost_record(cost: Cost) -> dict[str, float | int]:
    """For JSON."""
    return asdict(cost)


def add_data_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    """What both benchmarks ask for: how many data, or which, and where everything is written."""
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--customers", type=int, help="[a hundredth of the lines]")
    parser.add_argument("--months", type=int, default=26)
    parser.add_argument("--folder", type=Path, help=f"where everything is written [build/{folder}_<lines>]")
    parser.add_argument("--raw", type=Path, help="raw data that are there already")
    parser.add_argument("--memory-limit", help="of DuckDB, such as 10GB [its own: four fifths of the machine]")


def markdown_table(headings: list[str], rows: list[list[Any]]) -> str:
    """A table: the first column is words, all others are numbers."""
    lines = ["| " + " | ".join(headings) + " |", "|---|" + "---:|" * (len(headings) - 1)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])
