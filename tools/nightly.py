"""The night on DuckDB: ``make nightly``, or ``python -m tools.nightly``. It blocks no reader, and no reader blocks it.

The published file (STRATUM_WAREHOUSE) is copied, everything happens to the copy, and the copy takes its place in one rename:
copy → source freshness → seals of yesterday → build → seals of today → publish → Parquet → notices. Whoever has the old file open
goes on reading it; whoever opens it now reads the new one. Until the rename, whatever goes wrong leaves yesterday's file as it is.

What the night needs stands beside the warehouse, for ``warehouse/stratum.duckdb`` in ``warehouse/stratum.nightly/``: the lock, the copy
(under the same file name, which views embed), after a night that failed ``failed/`` with its copy, dbt's target and logs, and ``nights.jsonl``
with two lines per night, one as it begins and one as it ends.

Exit codes, those of sysexits.h where one fits:
  0   published; also where notices could not be delivered
  1   the build failed
  2   the command cannot be read
  65  the recorded history is not what was sealed
  66  raw data are too old, or have not landed
  74  the file could not be copied or published: no space, no permission, or somebody else has written into it
  75  another night is running, or somebody is writing into the warehouse: try again later
  78  the configuration, the profile or the project is at fault
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tools import notify
from tools.warehouse import warehouse_file

PROJECT = Path(__file__).resolve().parents[1]
PUBLIC_SCHEMAS = ("core", "segmentation", "cost_to_serve", "audit")
# ioctl of Linux: a copy that shares its blocks with the original, on file systems that can (XFS, btrfs).
FICLONE = 0x40049409


class Code(IntEnum):
    """Exit codes; the head of this file says what they mean."""

    PUBLISHED = 0
    BUILD_FAILED = 1
    HISTORY_ALTERED = 65
    DATA_TOO_OLD = 66
    FILE_FAULT = 74
    TRY_LATER = 75
    CONFIGURATION_FAULT = 78


class Ended(Exception):
    """The night ends here: the exit code and the sentence to print."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Stamp(NamedTuple):
    """What changes when somebody writes into a file."""

    inode: int
    size: int
    modified: int


class Night:
    """Where everything stands, and what the log will say."""

    def __init__(self, published: Path) -> None:
        self.published = published
        self.folder = notify.night_folder(published)
        self.copy = self.folder / published.name
        self.failed = self.folder / "failed" / published.name
        self.log = self.folder / "nights.jsonl"
        self.begun = datetime.now(UTC)
        self.entry: dict[str, Any] = {"night": f"{self.begun:%Y-%m-%dT%H-%M-%SZ}"}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print that a step begins, and keep how long it took."""
        print(f"{datetime.now(UTC):%H:%M:%S} {name}", flush=True)
        begun = time.monotonic()
        try:
            yield
        finally:
            self.entry.setdefault("seconds", {})[name] = round(time.monotonic() - begun, 1)

    def write_log(self, **cells: Any) -> None:
        """A line of the log, there for good once this returns."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.entry | cells, ensure_ascii=False, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def kept_head(self) -> str | None:
        """The head of the last published night, as the log kept it."""
        heads = [entry["head"] for entry in notify.read_lines(self.log) if entry.get("is_published")]
        return heads[-1] if heads else None


# ---- Files ----


@contextmanager
def alone(night: Night) -> Iterator[None]:
    """One night at a time. The kernel gives the lock back however the process ends."""
    night.folder.mkdir(parents=True, exist_ok=True)
    with (night.folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Ended(Code.TRY_LATER, f"Another night of {night.published} is running.") from error
        yield


@contextmanager
def without_writers(published: Path) -> Iterator[None]:
    """Holds the file as a reader does: others can read meanwhile, and nobody can write."""
    try:
        connection = duckdb.connect(published.as_posix(), read_only=True)
    except duckdb.Error as error:
        is_locked = "Could not set lock" in str(error)
        sentence = f"Somebody is writing into {published}" if is_locked else f"{published} cannot be opened"
        raise Ended(Code.TRY_LATER if is_locked else Code.FILE_FAULT, f"{sentence}: {str(error).splitlines()[0]}") from error
    with connection:
        yield


def wal(path: Path) -> Path:
    """What DuckDB has not yet written into a file; it is opened with whatever file has the name."""
    return path.with_name(path.name + ".wal")


def stamp(path: Path) -> Stamp:
    """The state of a file, to be compared with a later one."""
    status = path.stat()
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def remove(path: Path) -> None:
    """A DuckDB file and what belongs to it."""
    for file in (wal(path), path):
        file.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + ".tmp"), ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_file(source: Path, target: Path) -> None:
    """A copy with the rights of the original, sharing its blocks where the file system can."""
    size = source.stat().st_size
    with source.open("rb") as original, target.open("wb") as copied:
        try:
            fcntl.ioctl(copied, FICLONE, original.fileno())
            needed = size
        except OSError:
            needed = 2 * size
        free = shutil.disk_usage(target.parent).free
        if free < needed:
            raise Ended(
                Code.FILE_FAULT,
                f"There is no space for the night: {target.parent} has {free:,} bytes free, and a copy of {source} and its growth need {needed:,}.",
            )
        if needed > size:
            shutil.copyfileobj(original, copied, 16 * 1024 * 1024)
    shutil.copymode(source, target)
    try:
        os.chown(target, -1, source.stat().st_gid)
    except PermissionError:
        print(f"{target} could not be given the group of {source}.", file=sys.stderr)


def set_aside(night: Night) -> None:
    """The copy of a night that failed or died goes to ``failed/``, under its name, until the next night has read its run log."""
    if night.copy.exists():
        shutil.rmtree(night.failed.parent, ignore_errors=True)
        night.failed.parent.mkdir()
        if wal(night.copy).exists():
            wal(night.copy).rename(wal(night.failed))
        night.copy.rename(night.failed)
    remove(night.copy)


def prepare(night: Night) -> Stamp | None:
    """Today's copy of yesterday's file, with the run log of nights that failed since. Returns the state of the file; none if there is none."""
    set_aside(night)
    part = night.copy.with_name(night.copy.name + ".part")
    remove(part)
    state = None
    if night.published.exists():
        with without_writers(night.published):
            state = stamp(night.published)
            if wal(night.published).exists():
                # Somebody died while writing into the published file.
                copy_file(wal(night.published), wal(part))
            copy_file(night.published, part)
    # A new file is left to dbt, which makes it in the format that the profile names.
    if state is not None or night.failed.exists():
        with duckdb.connect(part.as_posix()) as connection:
            carry_runs(connection, night.failed)
            notify.carry_outcomes(connection, night.published)
            connection.execute("checkpoint")
        part.rename(night.copy)
    shutil.rmtree(night.failed.parent, ignore_errors=True)
    return state


def carry_runs(connection: duckdb.DuckDBPyConnection, failed: Path) -> None:
    """Runs of nights that failed belong into the run log, though what they made is thrown away: they recorded nothing."""
    if not failed.exists():
        return
    try:
        with duckdb.connect(failed.as_posix()) as earlier:
            made = earlier.execute("select sql from duckdb_tables() where schema_name = 'audit' and table_name in ('run_log', 'run_log_inputs')").fetchall()
            found = {table: earlier.sql(f"from audit.{table}") for table in (("run_log_inputs", "run_log") if len(made) == 2 else ())}
            rows = {table: [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()] for table, relation in found.items()}
    except duckdb.Error as error:
        print(f"The run log of the night that failed cannot be read: {str(error).splitlines()[0]}", file=sys.stderr)
        return
    connection.begin()
    connection.execute("create schema if not exists audit")
    for (definition,) in made:
        connection.execute(definition.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
    known = {run_id for (run_id,) in connection.sql("select run_id from audit.run_log").fetchall()}
    for table, runs in rows.items():
        # A release may have added columns since.
        columns = set(connection.sql(f"from audit.{table}").columns)
        for run in runs:
            if run["run_id"] not in known:
                if run.get("status") in {"success", "failed"}:
                    run |= {"status": "failed", "has_recorded": False}
                cells = {name: value for name, value in run.items() if name in columns}
                connection.execute(f"insert into audit.{table} ({', '.join(cells)}) values ({', '.join('?' * len(cells))})", list(cells.values()))
    connection.commit()


def publish(night: Night, state: Stamp | None) -> None:
    """The copy takes the place of the published file. There is no moment without a file, nor one with half of it."""
    with duckdb.connect(night.copy.as_posix()) as connection:
        connection.execute("checkpoint")
    if wal(night.copy).exists():
        raise Ended(Code.FILE_FAULT, f"{wal(night.copy)} is still there after the checkpoint: something has the copy open.")
    sync(night.copy)
    if state is None:
        if night.published.exists():
            raise Ended(Code.FILE_FAULT, f"Somebody has made {night.published} since the night began; it stays, and the next night starts from it.")
        night.copy.rename(night.published)
    else:
        with without_writers(night.published):
            if stamp(night.published) != state:
                raise Ended(
                    Code.FILE_FAULT, f"Somebody has written into {night.published} since it was copied; it stays, and the next night starts from it."
                )
            # What it held is in the copy since prepare(); beside the new file it would be read a second time.
            wal(night.published).unlink(missing_ok=True)
            night.copy.replace(night.published)
    sync(night.published.parent)
    notify.forget_outcomes(night.published)


# ---- dbt ----


class Dbt:
    """dbt in this process, so that nothing of a night outlives its kill; the project is read once."""

    def __init__(self, night: Night, variables: str) -> None:
        # Imported here: it takes seconds, which somebody who finds the lock taken does not have to wait.
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415
        from dbt.cli.main import dbtRunner  # noqa: PLC0415

        os.environ |= {"STRATUM_WAREHOUSE": night.copy.as_posix(), "STRATUM_TRIGGER": os.environ.get("STRATUM_TRIGGER") or "nightly"}
        self.common = ["--quiet", "--target", "duckdb", "--project-dir", str(PROJECT), "--vars", variables]
        self.common += ["--target-path", str(night.folder / "target"), "--log-path", str(night.folder / "logs")]
        self.close_connections: Callable[[], None] = DuckDBConnectionManager.close_all_connections
        read = dbtRunner().invoke(["parse", *self.common])
        if not read.success:
            raise Ended(Code.CONFIGURATION_FAULT, "dbt cannot read the project; what it says stands above.")
        self.runner = dbtRunner(manifest=read.result)

    def run(self, *arguments: str) -> Any:
        """A command of dbt; afterwards nothing holds the file."""
        try:
            return self.runner.invoke([*arguments, *self.common])
        finally:
            self.close_connections()
            gc.collect()


def check_freshness(dbt: Dbt) -> None:
    """Stops the night where a source is older than its ``error_after``, or has not landed as the contract has it."""
    # Silent, for dbt complains of every table in absent_tables.
    result = dbt.run("source", "freshness", "--log-level", "none")
    if result.exception is not None:
        is_raw_data = "The raw data does not meet the contract" in str(result.exception)
        raise Ended(Code.DATA_TOO_OLD if is_raw_data else Code.CONFIGURATION_FAULT, str(result.exception))
    found: dict[str, list[str]] = {}
    # dbt gives them in the order in which its threads were done.
    for one in sorted(result.result.results, key=lambda one: one.node.unique_id):
        # What is not there is in absent_tables: every other table has been looked for by now.
        if one.node.resource_type == "source" and "Catalog Error" not in (one.message or ""):
            found.setdefault(str(one.status), []).append(f"{one.node.source_name}.{one.node.name}")
    for status, words in {"warn": "These are getting old", "runtime error": "How old these are cannot be told"}.items():
        if status in found:
            print(f"{words}: {', '.join(found[status])}.")
    if "error" in found:
        raise Ended(Code.DATA_TOO_OLD, f"Raw data are too old, nothing was built: {', '.join(found['error'])}.")


def check_seals(night: Night, dbt: Dbt, head: str | None) -> None:
    """Holds the recorded history of the copy against its seals and against the head that the log kept."""
    with duckdb.connect(night.copy.as_posix()) as connection:
        seals = connection.sql("select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'seals'").fetchall()
        night.entry["head"] = connection.sql("select max_by(chain, seal_number) from audit.seals").fetchone()[0] if seals else None
    if (seals or head) and not dbt.run("run-operation", "verify_seals", *(("--args", json.dumps({"head": head})) if head else ())).success:
        raise Ended(
            Code.HISTORY_ALTERED,
            "The recorded history is not what was sealed; what dbt says stands above. If a build by hand was stopped before it sealed what it "
            f"recorded, make build does it; if the warehouse was made anew on purpose, move {night.log} away.",
        )


def build(night: Night, dbt: Dbt, selection: list[str]) -> None:
    """The build on the copy, with its tests."""
    result = dbt.run("build", "--exclude-resource-type", "unit_test", *selection)
    nodes = [one.node for one in result.result.results if one.status in {"error", "fail", "runtime error"}] if result.result else []
    if result.success and not nodes:
        return
    names = ", ".join(node.name for node in nodes[:5]) + (f" and {len(nodes) - 5} more" if len(nodes) > 5 else "")
    if any(node.resource_type == "seed" or "configuration" in node.fqn or node.name.endswith("_gate") for node in nodes):
        raise Ended(Code.CONFIGURATION_FAULT, f"The configuration has faults; what dbt says stands above ({names}).")
    raise Ended(Code.BUILD_FAILED, f"The build failed; what dbt says stands above ({names or 'before the first model'}).")


def note_run(night: Night) -> None:
    """Which run the copy holds. None of this night means that dbt has written elsewhere."""
    with duckdb.connect(night.copy.as_posix()) as connection:
        run = connection.execute(
            "select run_id, as_of_date from audit.run_log where started_at >= $1 order by started_at desc limit 1", [night.begun.replace(tzinfo=None)]
        ).fetchone()
    if run is None:
        raise Ended(Code.CONFIGURATION_FAULT, "dbt has not built the copy: the path in profiles.yml has to be env_var('STRATUM_WAREHOUSE').")
    night.entry |= {"run_id": run[0], "as_of_date": run[1]}


# ---- After the publication ----


def publish_parquet(published: Path, folder: Path, version: str, keep: int) -> None:
    """Every public mart as a Parquet file in a folder of this night; then ``current`` leads there. Nights before the last ``keep`` are removed."""
    part = folder / f"{version}.part"
    for leftover in folder.glob("*Z.part"):
        shutil.rmtree(leftover)
    part.mkdir(parents=True)
    with duckdb.connect(published.as_posix(), read_only=True) as connection:
        marts = connection.execute(
            "select table_schema, table_name from information_schema.tables where list_contains($1, table_schema) order by all", [list(PUBLIC_SCHEMAS)]
        ).fetchall()
        for schema, name in marts:
            file = part / schema / f"{name}.parquet"
            file.parent.mkdir(exist_ok=True)
            connection.sql(f'from "{schema}"."{name}"').write_parquet(file.as_posix(), compression="zstd")
            sync(file)
    for schema_folder in (*part.iterdir(), part):
        sync(schema_folder)
    part.rename(folder / version)
    link = folder / "current.part"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.replace(folder / "current")
    sync(folder)
    versions = sorted(path for path in folder.iterdir() if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ", path.name))
    for old in versions[:-keep]:
        shutil.rmtree(old)


def run(night: Night, options: argparse.Namespace) -> None:
    """The night, step by step; raises Ended where it ends early."""
    parquet = os.environ.get("STRATUM_PUBLISH_PARQUET", "").strip()
    keep = os.environ.get("STRATUM_PUBLISH_PARQUET_KEEP", "").strip() or "3"
    if not keep.isdecimal() or keep == "0":
        raise Ended(Code.CONFIGURATION_FAULT, f"STRATUM_PUBLISH_PARQUET_KEEP is {keep!r}; it is the number of nights to keep, 1 or more.")
    # Before dbt, which changes the working directory.
    folder = Path(parquet).resolve()
    with night.step("copy"):
        state = prepare(night)
    # A new warehouse begins a history of its own.
    head = night.kept_head() if state else None
    with night.step("parse"):
        dbt = Dbt(night, options.vars)
    with night.step("freshness"):
        check_freshness(dbt)
    with night.step("seals before"):
        check_seals(night, dbt, head)
    with night.step("build"):
        build(night, dbt, [*(("--select", options.select) if options.select else ()), *(("--exclude", options.exclude) if options.exclude else ())])
        note_run(night)
    with night.step("seals after"):
        check_seals(night, dbt, head)
    with night.step("publish"):
        publish(night, state)
    night.entry["is_published"] = True
    print(f"Published {night.published} as of {night.entry['as_of_date']}. Keep elsewhere: head {night.entry['head']}", flush=True)
    try:
        if parquet:
            with night.step("parquet"):
                publish_parquet(night.published, folder, night.entry["night"], int(keep))
    except (OSError, duckdb.Error) as error:
        raise Ended(Code.FILE_FAULT, f"The warehouse is published, and its Parquet files are not: {error}") from error
    finally:
        with night.step("notices"):
            notify.post_beside(night.published)


def main(arguments: list[str] | None = None) -> int:
    """The night; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.nightly", description=(__doc__ or "").split("\n\n")[0], epilog="Exit codes: docs/running_every_night.md."
    )
    parser.add_argument("--vars", default="{}", help="vars of dbt, as YAML")
    parser.add_argument("--select", help="what to build, as dbt selects it [everything]")
    parser.add_argument("--exclude", help="what not to build")
    options = parser.parse_args(arguments)
    night = Night(warehouse_file().resolve())
    try:
        with alone(night):
            night.write_log(outcome="begun")
            code, sentence = Code.PUBLISHED, None
            try:
                run(night, options)
            except Ended as ended:
                code, sentence = ended.code, str(ended)
            except (OSError, duckdb.Error) as error:
                code, sentence = Code.FILE_FAULT, f"{type(error).__name__}: {error}"
            if code != Code.PUBLISHED:
                set_aside(night)
            night.write_log(outcome=code.name.lower(), exit_code=code, reason=sentence, ended=f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}")
    except Ended as ended:
        code, sentence = ended.code, str(ended)
    except OSError as error:
        code, sentence = Code.FILE_FAULT, f"{night.folder} cannot be written: {error}"
    if sentence:
        print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
