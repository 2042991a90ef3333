"""A PostgreSQL server for tests: a cluster of its own in a folder, on a free port of the loopback, gone afterwards.

The project logs in as a role that may create schemas in one database and nothing else, as a deployment would have it.
``python -m python_tests.engines.postgres_server`` starts one, prints the environment it is reached by, and stops it on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

BUILDER = "stratum_builder"
READER = "stratum_reader"
DATABASE = "stratum"
# The database sorts text by its bytes, as the other engines do; the kind of its letters is Unicode's.
DATABASE_LOCALE = "--template template0 --encoding UTF8 --lc-collate C --lc-ctype C.UTF-8"


def server_programs() -> Path | None:
    """The folder with initdb and pg_ctl; none where no server is installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    return installed[-1].parent if installed else None


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def as_server_user(command: list[str]) -> list[str]:
    """The server refuses to run as root, so root hands over to the user the packages made, or else to nobody."""
    if os.geteuid() != 0:
        return command
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in names else "nobody", "--", *command]


def run(command: list[str]) -> str:
    """Run as the user of the server; raises RuntimeError with what it said."""
    result = subprocess.run(as_server_user(command), capture_output=True, text=True, check=False, cwd="/")
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


@contextlib.contextmanager
def postgres_server(settings: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """A running server with a database and its builder; gives the environment that profiles.example.yml reads.

    ``settings`` are more parameters of the server. Raises RuntimeError where there is no server program or it does not start.
    """
    programs = server_programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed (on Debian: apt-get install postgresql)")
    port = str(free_port())
    # Directly under /tmp: the path of a socket has a hundred characters at most, and other users must get to it.
    folder = Path(tempfile.mkdtemp(prefix="stratum_postgres_", dir="/tmp"))
    folder.chmod(0o777)
    data = folder / "data"
    parameters = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "shared_buffers": "256MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        # A cluster that is thrown away need not survive a power cut.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_wal_size": "2GB",
        "log_min_messages": "warning",
    } | (settings or {})
    options = " ".join(f"-c {name}={value}" for name, value in parameters.items())
    try:
        run([str(programs / "initdb"), "-D", str(data), "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "trust", "--no-sync"])
        run([str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"])
        try:
            psql = [str(programs / "psql"), "-X", "-q", "-h", str(folder), "-p", port, "-v", "ON_ERROR_STOP=1"]
            found = run([*psql, "-At", "-d", "postgres", "-c", "show data_directory"]).strip()
            if Path(found) != data:
                raise RuntimeError(f"another server answers on port {port}: its data stand in {found}")
            run([*psql, "-d", "postgres", "-c", f"create role {BUILDER} login; create role {READER} login; alter role {BUILDER} set timezone to 'UTC'"])
            run([str(programs / "createdb"), "-h", str(folder), "-p", port, "-O", BUILDER, *DATABASE_LOCALE.split(), DATABASE])
            yield {
                "STRATUM_POSTGRES_HOST": "127.0.0.1",
                "STRATUM_POSTGRES_PORT": port,
                "STRATUM_POSTGRES_USER": BUILDER,
                "STRATUM_POSTGRES_PASSWORD": "",
                "STRATUM_POSTGRES_DATABASE": DATABASE,
            }
        finally:
            run([str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop"])
    finally:
        subprocess.run(as_server_user(["rm", "-rf", str(data)]), check=False, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Keep a server until Ctrl-C."""
    with postgres_server() as environment:
        print("\n".join(f"export {name}={value}" for name, value in environment.items()), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
