"""The run log: one row per build, whatever became of it; and the notices that a completed build leaves.

One warehouse lives through everything that can happen to a run, from the first one on. The log only grows, so each test
looks at the row of its step. The notices are posted to a real HTTP server on this machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROJECT, Build, build, read_rows
from worlds import (
    DBT_TESTS,
    Cells,
    Raw,
    assert_same_values,
    kill_when,
    read_csv,
    segment_type,
    start_dbt,
    tiers,
    write_configuration,
    write_csv,
)

from tools import notify

AWKWARD_NAME = 'Sales "north" \\ o\'clock, Übersicht'
LATEST_INVOICE = "2026-02-28"


def world() -> Raw:
    """Three customers, five sales, and four records that take no part."""
    raw = Raw()
    raw.product("erp_north", "P1")
    for number, amount in enumerate((8000, 1500, 500), start=1):
        raw.customer("erp_north", f"C{number}", loaded_at=f"2025-01-0{number} 02:00:00")
        raw.sale("erp_north", f"C{number}", f"2025-06-{number:02}", amount)
    raw.sale("erp_north", "C1", LATEST_INVOICE, "10")
    raw.sale("erp_north", "C2", "2025-07-02", "-20")
    raw.customer("erp_north", "C4", credit_limit="1,000.00")
    raw.sale("erp_north", "C9", "2026-03-15", "70", invoice_id="STRANGER")
    raw.line("erp_north", "HEADLESS", 1, "700", "2026-03-20 02:00:00")
    return raw


# What takes no part: the customer, the stranger's invoice and its line, the line without a header.
QUARANTINED = {"erp.customers": 1, "erp.invoices": 1, "erp.invoice_lines": 2, "erp.products": 0}


def configuration(folder: Path, **first_type: str) -> Path:
    """Four types: two of them give notice, one does not, and a challenger would if it were active."""
    types = [
        segment_type("customers", name=AWKWARD_NAME, notify="true", **first_type),
        segment_type("goods", entity="product", name="Goods", notify="true"),
        segment_type("quiet"),
        segment_type("challenger", status="challenger", notify="true"),
    ]
    rows = [row for one in types for row in tiers(one["segment_type_id"], default="N")]
    filters = {"segment_type_branches": [], "segment_type_brands": []}
    return write_configuration(folder, replace={"segment_types": types, "segment_tiers": rows} | filters)


def shuffled(source: Path, folder: Path) -> Path:
    """The same configuration: rows and columns in another order, blanks around cells, one more column that is empty."""
    shuffle = random.Random(7).shuffle
    for path in source.glob("*.csv"):
        rows = read_csv(path)
        columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        shuffle(rows)
        shuffle(columns)
        write_csv(folder / path.name, [*columns, "remark"], rows)
    return folder


def hash_in_plain_python(folder: Path) -> str:
    """The configuration hash as docs/history.md describes it."""
    lines = []
    for path in folder.glob("*.csv"):
        for row in read_csv(path):
            cells = sorted((name.lower(), cell.strip()) for name, cell in row.items() if cell.strip())
            lines.append(path.stem + "".join(f"|{name}={len(cell)}:{cell}" for name, cell in cells))
    return sha256("\n".join(sorted(lines, key=str.encode)).encode()).hexdigest()


@dataclass
class Life:
    """One warehouse and what its log said after each step."""

    folder: Path
    raw: Path
    configuration: Path
    variables: Cells
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / "stratum.duckdb"

    def step(self, name: str, **changes: Any) -> None:
        """One command over the warehouse."""
        arguments = {"raw": self.raw, "configuration": self.configuration, "vars": self.variables, "exclude": DBT_TESTS}
        self.builds[name] = build(warehouse_dir=self.folder, **(arguments | changes))
        self.look(name)

    def look(self, name: str) -> None:
        """Keep what the log says now."""
        self.logs[name] = read_rows(self.path, "select * from audit.run_log order by started_at")

    def row(self, name: str) -> dict[str, Any]:
        """The row of a step: the last one there was after it."""
        return self.logs[name][-1]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Everything that can happen to a run, one after the other."""
    folder = tmp_path_factory.mktemp("run_log")
    raw = world()
    found = Life(
        folder / "warehouse",
        raw.write(folder / "raw"),
        configuration(folder / "first"),
        {"absent_tables": raw.absent_tables()},
    )
    found.step("partial", command="run", select="stg_erp__products", exclude=None)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STRATUM_TRIGGER", "nightly")
        environment.setenv("STRATUM_CODE_VERSION", "4f2a91c")
        found.step("first")
    shutil.copy(found.path, folder / "after_first.duckdb")
    found.step("tested", command="test", select="source:audit", exclude=None)

    seeds = {"select": "resource_type:seed", "exclude": None}
    found.step("shuffled", configuration=shuffled(found.configuration, folder / "shuffled"), **seeds)
    found.step("changed", configuration=configuration(folder / "changed", used_for="Something else"), **seeds)

    process = start_dbt(found.raw, found.configuration, found.folder, found.variables)
    kill_when(process, "START sql table model intermediate.int_")
    found.look("killed")
    found.step("after the kill", **seeds)

    broken = configuration(folder / "broken", metric_basis="guesswork")
    found.step("failed", configuration=broken, expect_success=False)
    # Other vars mean that dbt parses the whole project again, so these two come last and share theirs.
    known = found.variables | {"known_on": "2026-03-10"}
    found.step("snapshot", command="snapshot", exclude=None, vars=known)
    found.step("not landed", raw=folder / "nowhere", vars=known, expect_success=False)
    return found


def test_the_first_run_of_an_empty_warehouse_may_be_a_partial_one(life: Life) -> None:
    (row,) = life.logs["partial"]
    assert (row["command"], row["status"], row["model_count"], row["failed_count"]) == ("run", "success", 1, 0)
    unknown = ("as_of_date", "known_on", "configuration_hash", "record_count", "quarantined_count")
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)


def test_a_build_leaves_one_row(life: Life) -> None:
    assert len(life.logs["first"]) == 2
    row = life.row("first")
    assert (row["command"], row["status"], row["trigger"]) == ("build", "success", "nightly")
    assert row["as_of_date"] == date.fromisoformat(LATEST_INVOICE)
    assert row["code_version"] == f"{project_version()}+4f2a91c"
    assert row["variables"].startswith("absent_tables:\n- ")
    assert row["failed_count"] == 0
    assert row["record_count"] == sum(len(rows) for rows in world().rows.values())
    assert row["quarantined_count"] == sum(QUARANTINED.values())
    manifest = json.loads((life.folder / "target" / "manifest.json").read_text())
    kinds = [node["resource_type"] for node in manifest["nodes"].values()]
    assert row["model_count"] == sum(kind in {"model", "seed", "snapshot"} for kind in kinds)


def project_version() -> str:
    """As dbt reads it."""
    (line,) = [line for line in (PROJECT / "dbt_project.yml").read_text().splitlines() if line.startswith("version:")]
    return line.split('"')[1]


def test_moments_and_durations_are_those_of_the_run(life: Life) -> None:
    now = datetime.now().astimezone()
    now_in_utc = now.replace(tzinfo=None) - (now.utcoffset() or timedelta())
    for row in life.logs["not landed"]:
        if row["status"] == "interrupted":
            continue
        assert now_in_utc - timedelta(minutes=30) < row["started_at"] < row["ended_at"] < now_in_utc
        assert row["duration_seconds"] == pytest.approx(
            Decimal((row["ended_at"] - row["started_at"]).total_seconds()), abs=Decimal("0.002")
        )


def test_the_inputs_are_what_has_landed(life: Life) -> None:
    run_id = life.row("first")["run_id"]
    found = {
        row["source_table"]: (row["record_count"], row["quarantined_count"], row["latest_loaded_at"].isoformat(" "))
        for row in read_rows(life.path, f"select * from audit.run_log_inputs where run_id = '{run_id}'")
    }
    expected = {
        table: (len(rows), QUARANTINED[table], max(row["loaded_at"] for row in rows))
        for table, rows in world().rows.items()
    }
    assert_same_values(found, expected, "inputs")
    runs_with_inputs = read_rows(life.path, "select distinct run_id from audit.run_log_inputs")
    assert [row["run_id"] for row in runs_with_inputs] == [run_id], "no other run has counted what landed"


def test_dbt_test_leaves_no_row(life: Life) -> None:
    assert life.logs["tested"] == life.logs["first"]
    assert "Nothing to do" not in life.builds["tested"].stdout


def test_a_snapshot_leaves_a_row_and_says_what_was_known(life: Life) -> None:
    row = life.row("snapshot")
    assert (row["command"], row["status"], row["trigger"]) == ("snapshot", "success", "manual")
    assert row["known_on"] == date(2026, 3, 10)
    assert row["as_of_date"] == date.fromisoformat(LATEST_INVOICE)
    assert (row["record_count"], row["code_version"]) == (None, project_version())


def test_the_configuration_hash_follows_the_content_and_nothing_else(life: Life) -> None:
    first = life.row("first")["configuration_hash"]
    assert first == hash_in_plain_python(life.configuration)
    assert life.row("shuffled")["configuration_hash"] == first
    changed = life.row("changed")["configuration_hash"]
    assert changed != first
    assert changed == hash_in_plain_python(life.configuration.parent / "changed")
    assert life.row("after the kill")["configuration_hash"] == first
    # A run that loads no seed goes by what stands in the warehouse.
    assert life.row("snapshot")["configuration_hash"] == life.row("failed")["configuration_hash"] != first


def test_a_killed_build_is_found_by_the_next(life: Life) -> None:
    row = life.row("killed")
    assert (row["status"], row["ended_at"]) == ("running", None), "the row has to be there before the models start"
    *_, killed, following = life.logs["after the kill"]
    assert killed == row | {"status": "interrupted"}
    assert following["status"] == "success"
    assert len(life.logs["after the kill"]) == len(life.logs["killed"]) + 1


def test_a_failed_build_is_failed(life: Life) -> None:
    row = life.row("failed")
    assert life.builds["failed"].returncode == 1
    assert "metric_basis 'guesswork' is unknown" in life.builds["failed"].stdout
    assert (row["status"], row["failed_count"]) == ("failed", 1)
    # The gate fell before the dates were found, and what stands there is of an earlier night.
    assert row["as_of_date"] is None
    assert row["configuration_hash"] == hash_in_plain_python(life.configuration.parent / "broken")


def test_a_build_without_its_raw_tables_is_failed(life: Life) -> None:
    assert "has not landed" in life.builds["not landed"].stdout
    row = life.row("not landed")
    assert (row["status"], row["model_count"], row["as_of_date"]) == ("failed", None, None)
    assert row["ended_at"] is not None


def test_no_step_has_touched_the_row_of_another(life: Life) -> None:
    last = {row["run_id"]: row for row in life.logs["not landed"]}
    for name, rows in life.logs.items():
        for row in rows:
            if row["status"] != "running":
                assert last[row["run_id"]] == row, name


# ---- Notices ----


def test_a_completed_build_leaves_a_notice_per_active_type_that_asks_for_it(life: Life) -> None:
    rows = read_rows(life.path, "select * from audit.run_notices order by segment_type_id")
    run_id = life.row("first")["run_id"]
    assert [(row["run_id"], row["segment_type_id"]) for row in rows] == [(run_id, "customers"), (run_id, "goods")]
    assert {(row["delivery_status"], row["delivered_at"], row["detail"]) for row in rows} == {("pending", None, None)}
    # 8010, 1480 and 500 of 9990: the second begins at 80.2 %, the third just before 95 %.
    assert json.loads(rows[0]["payload"]) == {
        "run_id": run_id,
        "segment_type_id": "customers",
        "family": "customers",
        "version": 1,
        "name": AWKWARD_NAME,
        "entity": "customer",
        "as_of_date": LATEST_INVOICE,
        "known_on": None,
        "member_count": 3,
        "tiers": [{"tier": "A", "member_count": 1}, {"tier": "B", "member_count": 2}],
        "text": f"{AWKWARD_NAME} as of {LATEST_INVOICE}: A 1, B 2",
    }


@dataclass
class Endpoint:
    """A webhook: what it has received, and how it answers."""

    url: str
    answers: list[int] = field(default_factory=list)
    received: list[Any] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A real HTTP server on this machine that answers as told, and then with 204."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - named by http.server
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append((self.headers["Content-Type"], json.loads(body)))
            code = found.answers.pop(0) if found.answers else 204
            self.send_response(code)
            if 300 <= code < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found = Endpoint(f"http://127.0.0.1:{server.server_port}/hooks/secret")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def warehouse(life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The warehouse as the first build left it, two notices pending, in the environment of the tool."""
    path = tmp_path / "stratum.duckdb"
    shutil.copy(life.folder.parent / "after_first.duckdb", path)
    monkeypatch.setenv("STRATUM_WAREHOUSE", path.as_posix())
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0)
    return path


def deliveries(path: Path) -> dict[str, tuple[str, bool, str | None]]:
    """Status, whether there is a moment of delivery, and the reason of a failure, by type."""
    return {
        row["segment_type_id"]: (row["delivery_status"], row["delivered_at"] is not None, row["detail"])
        for row in read_rows(path, "select * from audit.run_notices")
    }


def test_notices_are_posted_once(
    warehouse: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    payloads = [json.loads(row["payload"]) for row in read_rows(warehouse, "select payload from audit.run_notices")]
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", endpoint.url)
    assert notify.main([]) == 0
    assert [kind for kind, _ in endpoint.received] == ["application/json; charset=utf-8"] * 2
    assert sorted(body["segment_type_id"] for _, body in endpoint.received) == ["customers", "goods"]
    assert all(body in payloads for _, body in endpoint.received)
    assert_same_values(deliveries(warehouse), dict.fromkeys(("customers", "goods"), ("delivered", True, None)), "first")
    assert notify.main(["--failed"]) == 0
    assert len(endpoint.received) == 2
    assert "No notice is waiting." in capsys.readouterr().out


def test_a_busy_endpoint_is_asked_again(
    warehouse: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers = [500, 429, 200]
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", endpoint.url)
    assert notify.main([]) == 0
    assert {status for status, *_ in deliveries(warehouse).values()} == {"delivered"}
    assert len(endpoint.received) == 4


def test_an_endpoint_with_a_fault_of_its_own_fails_the_notice_and_not_the_command(
    warehouse: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.answers = [500] * 6
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", endpoint.url)
    assert notify.main([]) == 0
    reason = "127.0.0.1 answered 500 Internal Server Error (3 attempts)"
    assert_same_values(deliveries(warehouse), dict.fromkeys(("customers", "goods"), ("failed", False, reason)), "500")
    printed = capsys.readouterr().out
    assert reason in printed
    assert "secret" not in printed
    # What failed waits until somebody asks for it.
    assert notify.main([]) == 0
    assert len(endpoint.received) == 6
    assert notify.main(["--failed"]) == 0
    assert_same_values(deliveries(warehouse), dict.fromkeys(("customers", "goods"), ("delivered", True, None)), "again")


@pytest.mark.parametrize("answer", [302, 404])
def test_what_will_not_change_is_not_asked_again(
    warehouse: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    endpoint.answers = [answer] * 2
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", endpoint.url)
    assert notify.main([]) == 0
    assert len(endpoint.received) == 2
    for status, _, reason in deliveries(warehouse).values():
        assert status == "failed"
        assert f"answered {answer} " in str(reason)


def test_a_dead_endpoint_fails_the_notice_and_not_the_command(warehouse: Path) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets the port, and whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        result = run_tool(STRATUM_WEBHOOK_URL=f"http://127.0.0.1:{taken.getsockname()[1]}/hooks/secret")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("127.0.0.1 cannot be reached: [Errno 111] Connection refused (3 attempts)") == 2
    assert "secret" not in result.stdout
    assert {status for status, *_ in deliveries(warehouse).values()} == {"failed"}


def run_tool(**environment: str) -> subprocess.CompletedProcess[str]:
    """The tool as ``make notify`` runs it."""
    return subprocess.run(
        [sys.executable, "-m", "tools.notify"],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "STRATUM_WEBHOOK_URL is not set"),
        ("chat.example/hooks", "STRATUM_WEBHOOK_URL is no address"),
        ("ftp://chat.example/hooks", "STRATUM_WEBHOOK_URL is no address"),
        ("https://user:secret@chat.example/hooks", "STRATUM_WEBHOOK_URL is no address"),
        ("http://chat.example:many/hooks", "STRATUM_WEBHOOK_URL is no address"),
        ("http://[::1/hooks", "STRATUM_WEBHOOK_URL is no address"),
    ],
)
def test_without_an_address_the_caller_is_told(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, words: str
) -> None:
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", url)
    assert notify.main([]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert "secret" not in printed.err
    assert {status for status, *_ in deliveries(warehouse).values()} == {"pending"}


def test_without_a_warehouse_the_caller_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRATUM_WEBHOOK_URL", "https://chat.example/hooks")
    monkeypatch.setenv("STRATUM_WAREHOUSE", (tmp_path / "none.duckdb").as_posix())
    assert notify.main([]) == 2
    assert "There is no warehouse at" in capsys.readouterr().err
    duckdb.connect((tmp_path / "none.duckdb").as_posix()).close()
    assert notify.main([]) == 2
    assert "has no run log yet" in capsys.readouterr().err
