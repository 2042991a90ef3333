"""The night on DuckDB: readers see yesterday or today, whole, whatever becomes of the night.

A small warehouse lives through nights that succeed, fail, meet somebody else or are killed. Every file of raw data names its night, so
that a reader can tell which night it sees and whether all it sees is of the same one.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import PROJECT, read_rows
from worlds import Cells, Raw, segment_type, tiers, write_configuration

from tools import nightly
from tools.nightly import Code

# What readers look at: everything with a notice and a seal, or only two tables, for nights that are about files.
MARTS = ("--select", "+seals +fct_segment_summary +dim_products", "--exclude", "resource_type:test")
LITTLE = ("--select", "stg_erp__customers stg_erp__products")
# Where nights are killed, twice each, and how many seconds a step takes; the others are over at once.
STEPS = ("copy", "build", "publish", "parse", "seals after", "parquet", "freshness", "notices", "build", "publish")
STEPS_TAKE = {"parse": 2.0, "freshness": 1.0, "build": 1.5, "seals after": 0.5}

# The night by every table that tells it: more than one row, and the reader sees two nights at once.
NIGHTS_OF_MARTS = """
    select distinct night from (
        select name as night from core.dim_products where product_id = 's:P1'
        union all select 'night ' || cast(metric_amount as integer) from segmentation.fct_customer_segments where customer_id = 's:C1'
    )
"""
PARQUET_FILES = """
    select table_schema || '/' || table_name || '.parquet' from information_schema.tables
    where table_schema in ('core', 'segmentation', 'cost_to_serve', 'audit')
"""
NIGHTS_OF_STAGING = "select name from staging.stg_erp__customers union select name from staging.stg_erp__products"

READER = """
import json, sys, time
import duckdb
from pathlib import Path
path, query, stop = sys.argv[1], sys.argv[2], Path(sys.argv[3])
seen, errors, queries = [], [], 0
while not stop.exists():
    try:
        with duckdb.connect(path, read_only=True) as connection:
            for _ in range(3):
                nights = [row[0] for row in connection.execute(query).fetchall()]
                queries += 1
                if not seen or seen[-1] != nights:
                    seen.append(nights)
    except Exception as error:
        errors.append(repr(error))
    time.sleep(0.05)
print(json.dumps({"seen": seen, "errors": errors, "queries": queries}))
"""

DYING_WRITER = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("create table audit.remark as select 1 as one")
os.kill(os.getpid(), 9)
"""


def landed(night: int, loaded_at: datetime | None = None) -> Raw:
    """A customer and a product that bear the name of the night, and a customer who buys for as much as the number of the night."""
    now = (loaded_at or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S")
    raw = Raw()
    raw.product("s", "P1", name=f"night {night}")
    raw.customer("s", "C1", name=f"night {night}")
    raw.sale("s", "C1", "2025-06-10", night, loaded_at=now)
    raw.sale("s", "C1", "2026-03-31", 0, loaded_at=now)
    return raw


@dataclass
class Warehouse:
    """A published file, and what its nights are made from."""

    folder: Path
    def __post_init__(self) -> None:
        """Profile and configuration; the night has to be landed."""
        self.folder.mkdir()
        shutil.copy(PROJECT / "profiles.example.yml", self.folder / "profiles.yml")
        types = [segment_type("plain", notify="true")]
        empty: dict[str, list[Cells]] = {"segment_type_branches": [], "segment_type_brands": []}
        write_configuration(self.folder / "seeds", replace={"segment_types": types, "segment_tiers": tiers("plain")} | empty)

    @property
    def path(self) -> Path:
        """The published file."""
        return self.folder / "stratum.duckdb"

    @property
    def work(self) -> Path:
        """What the night keeps beside it."""
        return self.folder / "stratum.nightly"

    def land(self, night: int, loaded_at: datetime | None = None) -> None:
        """What has landed by a night."""
        landed(night, loaded_at).write(self.folder / "raw")

    def start(
        self, selection: tuple[str, ...], command: tuple[str, ...] = (sys.executable, "-m", "tools.nightly"), stdin: int | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        """A night that has begun, as a scheduler starts it."""
        variables = {"absent_tables": landed(1).absent_tables(), "first_month_end": "2026-03-31"}
        own = {"STRATUM_WAREHOUSE": self.path, "STRATUM_RAW_DATA": self.folder / "raw", "STRATUM_CONFIGURATION": self.folder / "seeds"}
        return subprocess.Popen(
            [*command, "--vars", json.dumps(variables), *selection],
            cwd=PROJECT,
            env=os.environ | {name: str(path) for name, path in own.items()} | {"DBT_PROFILES_DIR": str(self.folder), "NO_PROXY": "*"} | environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def night(self, selection: tuple[str, ...] = LITTLE, expected: Code = Code.PUBLISHED, **environment: str) -> str:
        """A whole night; returns what it printed."""
        process = self.start(selection, **environment)
        printed, _ = process.communicate(timeout=600)
        assert process.returncode == expected, printed[-6000:]
        return printed

    def entries(self) -> list[dict[str, Any]]:
        """The log of the nights."""
        return [json.loads(line) for line in (self.work / "nights.jsonl").read_text(encoding="utf-8").splitlines()]

    def runs(self) -> list[dict[str, Any]]:
        """The run log of the published file."""
        return read_rows(self.path, "select * from audit.run_log order by started_at")

    def sees(self, query: str = NIGHTS_OF_STAGING) -> list[str]:
        """What a reader who comes now is told."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return [row[0] for row in connection.execute(query).fetchall()]


def wait_for(process: subprocess.Popen[str], step: str) -> None:
    """Until a night prints that a step begins."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.rstrip().endswith(f" {step}"):
            return
    pytest.fail(f"The night ended before '{step}':\n{''.join(printed)[-6000:]}", pytrace=False)


@dataclass
class Lived:
    """A warehouse after its first night and after a night with readers, and what was seen meanwhile."""

    warehouse: Warehouse
    readers: list[dict[str, Any]]
    old_reader: list[str]
    received: list[tuple[str, list[str]]]
    nights_of_parquet: list[list[str]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The first night of all, then one while two readers query in a loop, one holds the file and a webhook looks at it."""
    warehouse = Warehouse(tmp_path_factory.mktemp("nightly") / "warehouse")
    received: list[tuple[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - named by http.server
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            # In a process of its own: this one holds yesterday's file open, and DuckDB would give it that.
            look = f"import duckdb; print(duckdb.connect({str(warehouse.path)!r}, read_only=True).sql('''{NIGHTS_OF_MARTS}''').fetchall()[0][0])"
            received.append((body["text"], subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split("\n")[:1]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parquet = {"STRATUM_PUBLISH_PARQUET": str(warehouse.folder / "parquet"), "STRATUM_PUBLISH_PARQUET_KEEP": "1"}
    nights_of_parquet = []

    warehouse.land(1)
    warehouse.night(MARTS, **parquet)
    nights_of_parquet.append(parquet_nights(warehouse.folder / "parquet" / "current"))
    warehouse.path.chmod(0o640)

    stop = warehouse.folder / "stop"
    command = [sys.executable, "-c", READER, str(warehouse.path), NIGHTS_OF_MARTS, str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    with duckdb.connect(str(warehouse.path), read_only=True) as old_reader:
        old_reader.execute(NIGHTS_OF_MARTS).fetchall()
        warehouse.land(2)
        try:
            warehouse.night(MARTS, **parquet, STRATUM_WEBHOOK_URL=f"http://127.0.0.1:{server.server_port}/hooks")
            time.sleep(1)
            seen_by_old_reader = [row[0] for row in old_reader.execute(NIGHTS_OF_MARTS).fetchall()]
        finally:
            stop.touch()
            reports = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
            server.shutdown()
            server.server_close()
    nights_of_parquet.append(parquet_nights(warehouse.folder / "parquet" / "current"))
    yield Lived(warehouse, reports, seen_by_old_reader, received, nights_of_parquet)


def files_below(folder: Path) -> set[str]:
    """The files of a published folder."""
    return {path.relative_to(folder.resolve()).as_posix() for path in folder.resolve().rglob("*.*")}


def parquet_nights(folder: Path) -> list[str]:
    """The nights that the Parquet files of a folder tell."""
    query = NIGHTS_OF_MARTS
    for mart in ("core.dim_products", "segmentation.fct_customer_segments"):
        query = query.replace(mart, f"'{folder}/{mart.replace('.', '/')}.parquet'")
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


# ---- Nights that succeed ----


def test_readers_see_one_night_after_the_other_and_no_error(lived: Lived) -> None:
    for report in lived.readers:
        assert report["errors"] == []
        assert report["seen"] == [["night 1"], ["night 2"]]
        assert report["queries"] > 20


def test_who_has_the_old_file_open_goes_on_reading_it(lived: Lived) -> None:
    assert lived.old_reader == ["night 1"]


def test_notices_are_posted_when_the_new_file_is_there_and_once(lived: Lived) -> None:
    # The first night had no address: its notice waited.
    assert [night for _, night in lived.received] == [["night 2"]] * 2
    assert [text.split(" as of ")[1] for text, _ in lived.received] == ["2026-03-31: A 1"] * 2


def test_the_published_file_is_never_written_into_and_keeps_its_rights(lived: Lived) -> None:
    assert not Path(f"{lived.warehouse.path}.wal").exists()
    assert lived.warehouse.path.stat().st_mode & 0o777 == 0o640
    assert {entry.name for entry in lived.warehouse.work.iterdir()} == {"lock", "logs", "target", "nights.jsonl", "notices.jsonl"}


def test_a_new_file_has_the_format_that_the_profile_names(lived: Lived) -> None:
    profile = yaml.safe_load((PROJECT / "profiles.example.yml").read_text())["stratum"]["outputs"]["duckdb"]
    with duckdb.connect(str(lived.warehouse.path), read_only=True) as connection:
        ((version,),) = connection.execute("select tags['storage_version'] from duckdb_databases() where not internal").fetchall()
    assert version == profile["config_options"]["storage_compatibility_version"] + "+"


def test_parquet_files_are_of_one_night_and_only_so_many_nights_are_kept(lived: Lived) -> None:
    assert lived.nights_of_parquet == [["night 1"], ["night 2"]]
    folder = lived.warehouse.folder / "parquet"
    last = lived.warehouse.entries()[3]["night"]
    assert {path.name for path in folder.iterdir()} == {"current", last}
    assert os.readlink(folder / "current") == last
    assert set(lived.warehouse.sees(PARQUET_FILES)) == files_below(folder / last)


def test_the_log_of_the_nights_keeps_the_head(lived: Lived) -> None:
    first, second = (entry for entry in lived.warehouse.entries()[:4] if entry["outcome"] != "begun")
    chains = [row["chain"] for row in read_rows(lived.warehouse.path, "select chain from audit.seals order by seal_number")]
    assert (first["head"], second["head"]) == (chains[0], chains[-1])
    assert (second["outcome"], second["exit_code"], second["as_of_date"], second["reason"]) == ("published", 0, "2026-03-31", None)
    assert [run["run_id"] for run in lived.warehouse.runs()][:2] == [first["run_id"], second["run_id"]]
    assert {run["trigger"] for run in lived.warehouse.runs()} == {"nightly"}


# ---- Nights that do not ----


@pytest.fixture
def warehouse(lived: Lived) -> Iterator[Warehouse]:
    """The warehouse as the readers left it, at the same place, which dbt therefore need not read anew."""
    kept = lived.warehouse.folder.parent / "kept"
    if not kept.exists():
        shutil.copytree(lived.warehouse.folder, kept, symlinks=True)
    yield lived.warehouse
    for name in ("stratum.duckdb", "stratum.duckdb.wal", "stratum.nightly/nights.jsonl", "stratum.nightly/notices.jsonl"):
        (lived.warehouse.folder / name).unlink(missing_ok=True)
        if (kept / name).exists():
            shutil.copy2(kept / name, lived.warehouse.folder / name)
    shutil.rmtree(lived.warehouse.work / "failed", ignore_errors=True)
    shutil.copytree(kept / "seeds", lived.warehouse.folder / "seeds", dirs_exist_ok=True)


def test_a_fault_in_the_configuration_leaves_yesterday_and_a_row_in_the_run_log(warehouse: Warehouse) -> None:
    before = nightly.stamp(warehouse.path)
    warehouse.land(3)
    fault = warehouse.folder / "seeds" / "segment_types.csv"
    right = fault.read_text(encoding="utf-8")
    fault.write_text(right.replace(",net_sales,", ",guesswork,"), encoding="utf-8")
    printed = warehouse.night(MARTS, Code.CONFIGURATION_FAULT)
    assert "metric 'guesswork' is unknown" in printed
    assert nightly.stamp(warehouse.path) == before
    assert warehouse.sees(NIGHTS_OF_MARTS) == ["night 2"]
    entry = warehouse.entries()[-1]
    assert (entry["outcome"], entry["exit_code"]) == ("configuration_fault", 78)
    assert (warehouse.work / "failed" / "stratum.duckdb").exists(), "it can be looked at"

    # Somebody has died while writing into the published file as well; what he had committed is not lost.
    subprocess.run([sys.executable, "-c", DYING_WRITER, str(warehouse.path)], check=False)
    assert Path(f"{warehouse.path}.wal").exists()
    fault.write_text(right, encoding="utf-8")
    warehouse.night()
    assert warehouse.sees() == ["night 3"]
    assert warehouse.sees("select count(*) from audit.remark") == [1]
    assert not Path(f"{warehouse.path}.wal").exists()
    assert not (warehouse.work / "failed").exists()
    *_, failed, last = warehouse.runs()
    assert (failed["status"], failed["has_recorded"], failed["failed_count"]) == ("failed", False, 1)
    assert last["status"] == "success"
    # And the notices that were posted beside the file are in it.
    assert {row["delivery_status"] for row in read_rows(warehouse.path, "select delivery_status from audit.run_notices")} == {"delivered"}
    assert not (warehouse.work / "notices.jsonl").exists()


def test_old_raw_data_are_not_built(warehouse: Warehouse) -> None:
    before = nightly.stamp(warehouse.path)
    warehouse.land(3, datetime(2026, 4, 1, tzinfo=UTC))
    printed = warehouse.night(expected=Code.DATA_TOO_OLD)
    assert "nothing was built: erp.invoice_lines, erp.invoices." in printed
    shutil.rmtree(warehouse.folder / "raw")
    printed = warehouse.night(expected=Code.DATA_TOO_OLD)
    assert "Raw table erp.invoices has not landed" in printed
    assert nightly.stamp(warehouse.path) == before


def test_an_altered_history_is_not_built_upon(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("update snapshots.snap_segment_tiers set tier = 'C'")
    warehouse.land(3)
    printed = warehouse.night(expected=Code.HISTORY_ALTERED)
    assert "was altered" in printed
    # Who takes the seals away as well is found by the head that the log has kept.
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("drop table audit.seals; drop table audit.sealed_events")
    assert "audit.seals is not there" in warehouse.night(expected=Code.HISTORY_ALTERED)
    assert warehouse.sees(NIGHTS_OF_MARTS) == ["night 2"]


def test_who_comes_second_is_told_and_what_somebody_writes_meanwhile_is_not_lost(warehouse: Warehouse) -> None:
    warehouse.land(3)
    first = warehouse.start(LITTLE)
    wait_for(first, "parse")
    assert "Another night of" in warehouse.night(expected=Code.TRY_LATER)
    wait_for(first, "build")
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("create table audit.remark as select 1 as one")
    printed, _ = first.communicate(timeout=600)
    assert first.returncode == Code.FILE_FAULT, printed
    assert "Somebody has written into" in printed
    assert warehouse.sees("select count(*) from audit.remark") == [1]
    with duckdb.connect(str(warehouse.path)):
        assert "Somebody is writing into" in warehouse.night(expected=Code.TRY_LATER)


def test_without_space_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(5000, 4001, 999))  # noqa: SLF001
    with pytest.raises(nightly.Ended, match="has 999 bytes free"):
        nightly.copy_file(source, tmp_path / "target")


# ---- Nights that are killed ----


class Forked:
    """Nights as children of a process that has imported dbt, which would be most of the time of a night that is killed.

    What it says is a line of its own in one piece, whatever the processes of a night that was killed write to the same pipe.
    """

    SCRIPT = """
import os, sys
import dbt.adapters.duckdb.connections, dbt.cli.main
from tools import nightly
for _ in sys.stdin:
    if not (child := os.fork()):
        os._exit(nightly.main(sys.argv[1:]))
    print(f"\\nchild {child}\\n", end="", flush=True)
    print(f"\\nended {os.waitpid(child, 0)[1]}\\n", end="", flush=True)
"""

    def __init__(self, warehouse: Warehouse, **environment: str) -> None:
        self.process = warehouse.start(LITTLE, (sys.executable, "-c", self.SCRIPT), stdin=subprocess.PIPE, **environment)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.orders, self.said = self.process.stdin, self.process.stdout

    def read_until(self, word: str) -> str:
        """The line that begins or ends with a word."""
        lines = []
        for line in self.said:
            lines.append(line.rstrip())
            if lines[-1].startswith(f"{word} ") or lines[-1].endswith(f" {word}"):
                return lines[-1]
        pytest.fail("\n".join(lines)[-6000:], pytrace=False)

    def kill_in(self, step: str, delay: float) -> bool:
        """Begin a night and kill it (SIGKILL: no handler, no clean-up) so long after a step has begun; false where it had ended by then."""
        self.orders.write("night\n")
        self.orders.flush()
        child = int(self.read_until("child").split()[1])
        self.read_until(step)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return int(self.read_until("ended").split()[1]) == signal.SIGKILL

    def close(self) -> None:
        """No more nights."""
        self.process.communicate()


def test_a_killed_night_leaves_yesterday_or_today_and_the_next_one_works(warehouse: Warehouse) -> None:
    source = random.Random(6)
    standing = ["night 2"]
    before = []
    parquet = warehouse.folder / "parquet"
    environment = {"STRATUM_PUBLISH_PARQUET": str(parquet)}
    marts = set(warehouse.sees(PARQUET_FILES))
    runs_before, entries_before = len(warehouse.runs()), len(warehouse.entries())
    nights = Forked(warehouse, **environment)
    night = 2
    for step in STEPS * 2:
        delay = source.uniform(0, 1.5) * STEPS_TAKE.get(step, 0.1)
        is_killed = False
        while not is_killed:
            night += 1
            warehouse.land(night)
            is_killed = nights.kill_in(step, delay)
            # A night that was faster is none of the twenty.
            delay /= 2
            seen = warehouse.sees()
            assert seen in ((standing, [f"night {night}"]) if is_killed else ([f"night {night}"],)), f"killed in '{step}'"
            before.append(seen == standing)
            standing = seen
            assert files_below(parquet / "current") == marts
    nights.close()
    assert set(before) == {True, False}, "kills before and after the publication"
    warehouse.land(99)
    warehouse.night(**environment)
    assert warehouse.sees() == ["night 99"]
    assert not list(parquet.glob("*.part"))
    assert files_below(parquet / "current") == marts
    runs = warehouse.runs()
    assert len({run["run_id"] for run in runs}) == len(runs)
    assert {run["status"] for run in runs[runs_before:]} == {"success", "failed", "interrupted"}
    assert not any(run["has_recorded"] for run in runs[runs_before:] if run["status"] != "success")
    assert runs[-1]["status"] == "success"
    assert {path.name for path in warehouse.folder.glob("stratum*")} == {"stratum.duckdb", "stratum.nightly"}
    assert {path.name for path in warehouse.work.iterdir()} == {"lock", "logs", "target", "nights.jsonl"}
    assert sum(entry["outcome"] == "begun" for entry in warehouse.entries()[entries_before:]) == night - 2 + 1
