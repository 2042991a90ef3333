"""Post the notices of completed builds: ``make notify``, or ``python -m tools.notify`` after a build.

A successful build leaves a notice in audit.run_notices for every active segment type with ``notify``. This posts those
that are pending, as JSON, to the address in STRATUM_WEBHOOK_URL and writes down what became of them. It runs after dbt
and never inside it, so an endpoint that is dead cannot fail a build; it does not fail this command either (exit code
0, with the reason in words). Exit code 2 means that there is something to mend here: no address, or no warehouse.

The nightly must not write into a file that others read. It posts with ``post_beside``, which writes down beside the warehouse what became
of the notices; the next night brings it into the file, or this command, whichever comes first.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import duckdb

from tools.warehouse import warehouse_file

ATTEMPTS = 3
TIMEOUT_SECONDS = 5
PAUSE_SECONDS = 0.5
# Answers after which another attempt may succeed: the endpoint is busy or has a fault of its own.
WORTH_ANOTHER_ATTEMPT = {408, 425, 429}


class UsageError(Exception):
    """Something the caller has to mend; the message is the sentence to print."""


class Notice(NamedTuple):
    """A row of audit.run_notices."""

    run_id: str
    segment_type_id: str
    payload: str


class NoRedirects(HTTPRedirectHandler):
    """A redirected POST arrives as a GET without its body, and would count as delivered."""

    def redirect_request(self, *_: object) -> None:
        return None


def webhook_url() -> str:
    """The address from the environment. It may hold a secret, so no message repeats more of it than its host."""
    url = os.environ.get("STRATUM_WEBHOOK_URL", "").strip()
    if not url:
        raise UsageError("STRATUM_WEBHOOK_URL is not set: it says where notices are posted, such as https://chat.example/hooks/…")
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or any(character.isspace() or not character.isascii() for character in url):
        raise UsageError("STRATUM_WEBHOOK_URL is no address that can be posted to; it starts with https:// or http:// and names a host, without a user.")
    return url


def open_warehouse(warehouse: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """The DuckDB file, for as short as possible: nobody else can write while it is open."""
    if not warehouse.is_file():
        raise UsageError(f"There is no warehouse at {warehouse}; run make build first.")
    try:
        return duckdb.connect(warehouse.as_posix(), read_only=read_only)
    except duckdb.IOException as error:
        raise UsageError(f"The warehouse {warehouse} cannot be opened: {str(error).splitlines()[0]}") from error


def waiting_notices(warehouse: Path, *, with_failed: bool) -> list[Notice]:
    """The notices to post, the oldest first."""
    with open_warehouse(warehouse, read_only=True) as connection:
        try:
            rows = connection.execute(
                """
                select notices.run_id, notices.segment_type_id, notices.payload
                from audit.run_notices as notices
                inner join audit.run_log as runs
                    on notices.run_id = runs.run_id
                where notices.delivery_status = 'pending' or ($1 and notices.delivery_status = 'failed')
                order by runs.started_at, notices.segment_type_id
                """,
                [with_failed],
            ).fetchall()
        except duckdb.CatalogException as error:
            raise UsageError(f"The warehouse {warehouse} has no run log yet; run make build first.") from error
    return [Notice(*row) for row in rows]


def post(url: str, payload: str) -> str | None:
    """Post once. Returns nothing where it was accepted, else the reason; raises HTTPError as the endpoint answers."""
    request = Request(url, payload.encode("utf-8"), {"Content-Type": "application/json; charset=utf-8", "User-Agent": "stratum"})
    try:
        with build_opener(NoRedirects).open(request, timeout=TIMEOUT_SECONDS):
            return None
    except HTTPError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return f"{urlsplit(url).hostname} cannot be reached: {reason or type(error).__name__}"


def deliver(url: str, payload: str, pause: Callable[[float], None] = time.sleep) -> str | None:
    """Post, a few times where that may help. Returns nothing where it was accepted, else the reason of the last failure."""
    reason = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            reason = post(url, payload)
        except HTTPError as error:
            reason = f"{urlsplit(url).hostname} answered {error.code} {error.reason}".strip()
            error.close()
            if error.code < 500 and error.code not in WORTH_ANOTHER_ATTEMPT:
                return reason
        if reason is None:
            return None
        if attempt < ATTEMPTS:
            pause(PAUSE_SECONDS * attempt)
    return f"{reason} ({ATTEMPTS} attempts)"


def outcome_of(notice: Notice, reason: str | None) -> list[str | None]:
    """What became of a notice just now: delivery_status, delivered_at, detail and the two keys of audit.run_notices."""
    delivered_at = None if reason else datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    return ["failed" if reason else "delivered", delivered_at, reason, notice.run_id, notice.segment_type_id]


def write_down(connection: duckdb.DuckDBPyConnection, outcome: list[str | None]) -> None:
    """Write down what became of a notice."""
    connection.execute(
        """
        update audit.run_notices set delivery_status = $1, delivered_at = cast($2 as timestamp), detail = $3
        where run_id = $4 and segment_type_id = $5
        """,
        outcome,
    )


def say(notice: Notice, reason: str | None) -> None:
    """Print what became of a notice."""
    outcome = f"not delivered: {reason}. Post it again with --failed." if reason else "delivered."
    print(f"Notice of {notice.segment_type_id}, run {notice.run_id}: {outcome}")


# ---- Beside the warehouse ----


def night_folder(warehouse: Path) -> Path:
    """Where the nightly keeps what belongs to a warehouse."""
    return warehouse.with_suffix(".nightly")


def read_lines(path: Path) -> list[Any]:
    """What stands in a file of JSON lines; a line that a kill has cut short is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def kept_outcomes(warehouse: Path) -> list[list[str | None]]:
    """Outcomes that stand beside the warehouse."""
    return read_lines(night_folder(warehouse) / "notices.jsonl")


def post_beside(warehouse: Path) -> None:
    """Post what is waiting in a published warehouse and keep the outcomes beside it. Nothing here fails the night."""
    try:
        known = {(outcome[3], outcome[4]) for outcome in kept_outcomes(warehouse)}
        notices = [notice for notice in waiting_notices(warehouse, with_failed=False) if (notice.run_id, notice.segment_type_id) not in known]
        url = webhook_url() if notices else ""
    except UsageError as error:
        print(f"No notice was posted. {error}")
        return
    for notice in notices:
        reason = deliver(url, notice.payload)
        with (night_folder(warehouse) / "notices.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(outcome_of(notice, reason), ensure_ascii=False) + "\n")
        say(notice, reason)


def carry_outcomes(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Bring the outcomes that stand beside a warehouse into it, or into a copy of it."""
    try:
        for outcome in kept_outcomes(warehouse):
            write_down(connection, outcome)
    except duckdb.CatalogException:
        print(f"{warehouse} has no notices; what became of earlier ones is forgotten.", file=sys.stderr)


def forget_outcomes(warehouse: Path) -> None:
    """The outcomes stand in the warehouse now."""
    (night_folder(warehouse) / "notices.jsonl").unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Post what is waiting. Returns 2 where the caller has to mend something, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.notify", description=__doc__.splitlines()[0])
    parser.add_argument("--failed", action="store_true", help="post those again that could not be delivered before")
    options = parser.parse_args(arguments)
    warehouse = warehouse_file()
    try:
        url = webhook_url()
        if kept_outcomes(warehouse):
            with open_warehouse(warehouse) as connection:
                carry_outcomes(connection, warehouse)
            forget_outcomes(warehouse)
        notices = waiting_notices(warehouse, with_failed=options.failed)
        if not notices:
            print("No notice is waiting.")
        for notice in notices:
            reason = deliver(url, notice.payload)
            # At once: who is stopped half-way posts no more than one notice twice.
            with open_warehouse(warehouse) as connection:
                write_down(connection, outcome_of(notice, reason))
            say(notice, reason)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
