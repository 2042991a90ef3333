"""One leg for each engine: a place where the project is built, and the hashes of what it says there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 1800


class CommandFailed(Exception):
    """A command of the project ended with an error; the message is the end of what it printed."""


@dataclass
class Leg:
    """An engine with a folder of its own. ``environment`` says how it is reached."""

    target: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)
    landed: str = ""
    variables: str = "{}"

    def dbt(self, *arguments: str, raw: str, configuration: Path) -> str:
        """Run dbt as a user would; returns what it printed, or raises CommandFailed."""
        shutil.copy(PROJECT / "profiles.example.yml", self.folder / "profiles.yml")
        paths = ["--profiles-dir", str(self.folder), "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        command = [str(self.python.parent / "dbt"), "--no-use-colors", *arguments, "--target", self.target, *paths]
        return self.run(command, {"STRATUM_RAW_DATA": raw, "STRATUM_CONFIGURATION": str(configuration)})

    def run(self, command: list[str], more: dict[str, str] | None = None) -> str:
        """Run any command in the environment of the leg."""
        environment = os.environ | {"STRATUM_WAREHOUSE": str(self.folder / "stratum.duckdb")} | self.environment | (more or {})
        result = subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        if result.returncode:
            raise CommandFailed(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout[-6000:]}")
        return result.stdout

    def build(self, raw: Path, configuration: Path, variables: dict[str, str], with_tests: bool = True) -> None:
        """Load the raw folder where the engine does not read it by itself, and build everything, as a rule with all data tests."""
        # dbt gets a copy: no run can touch the caller's files.
        own = self.folder / "configuration"
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(configuration, own)
        if self.target == "duckdb":
            landed = str(raw)
        else:
            landed = ""
            self.run([str(self.python), "-m", "tools.loader", "--target", self.target, "--raw", str(raw)])
        self.landed, self.variables = landed, json.dumps(variables)
        without = ["--exclude-resource-type", "unit_test"] + ([] if with_tests else ["--exclude-resource-type", "test"])
        self.dbt("build", *without, "--vars", self.variables, raw=landed, configuration=own)

    def hashes(self) -> dict[str, dict[str, object]]:
        """Rows and hash of every public mart and snapshot."""
        # With the vars of the build, for which the project has been parsed.
        output = self.dbt("--quiet", "run-operation", "mart_hashes", "--vars", self.variables, raw=self.landed, configuration=self.folder / "configuration")
        (line,) = re.findall(r"^\{.*\}$", output, flags=re.MULTILINE)
        return json.loads(line)


@contextlib.contextmanager
def postgres_leg(folder: Path) -> Iterator[Leg]:
    """A leg on a server that is there for it alone. Without a server program the test is skipped, and says what is not proven."""
    from engines.postgres_server import postgres_server, server_programs  # noqa: PLC0415 - beside the tests of other engines

    if server_programs() is None:
        pytest.skip("NOT PROVEN on PostgreSQL: no server is installed (on Debian: apt-get install postgresql)")
    with postgres_server() as environment:
        yield Leg("postgres", folder, environment)


@contextlib.contextmanager
def spark_leg(folder: Path) -> Iterator[Leg]:
    """A leg on a cluster that is there for it alone: a master, two workers and the Thrift server."""
    from engines.spark_cluster import ENVIRONMENT, SparkCluster  # noqa: PLC0415 - beside the tests of other engines

    with SparkCluster(folder / "cluster") as cluster:
        yield Leg("spark", folder, cluster.variables, python=ENVIRONMENT / "bin" / "python")
