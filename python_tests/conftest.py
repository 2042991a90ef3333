"""What every Python test needs: a build of the project from any folders, and the sample warehouse built once.

``build`` runs the project's own ``dbt build`` in a subprocess, as the README tells a user to; nothing is mocked.
Set ``STRATUM_TEST_WAREHOUSE`` to a DuckDB file already built from the sample to save that build during development.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

PROJECT = Path(__file__).resolve().parents[1]
SAMPLE_RAW = PROJECT / "sample_data"
SAMPLE_CONFIGURATION = PROJECT / "seeds"

# The sample takes well under a minute; a build that hangs should fail its test and not the whole night.
BUILD_TIMEOUT_SECONDS = 900


class Build(NamedTuple):
    """What a build left behind."""

    returncode: int
    stdout: str
    path: Path


def build(
    raw: Path | str,
    configuration: Path | str,
    warehouse_dir: Path | str,
    vars: dict[str, Any] | None = None,  # noqa: A002 - named as dbt names it
    select: str | None = None,
    command: str = "build",
    expect_success: bool = True,
    exclude: str | None = None,
) -> Build:
    """Run dbt on any raw folder and configuration folder, into ``<warehouse_dir>/stratum.duckdb``.

    A second call with the same ``warehouse_dir`` is the next night of the same warehouse. ``select`` and ``exclude``
    take one or more dbt selectors, separated by blanks. Unless ``expect_success`` is false, a failed run fails
    the calling test with the end of what dbt printed.

    dbt gets a copy of the configuration, ``<warehouse_dir>/configuration``: no run can touch the caller's files, and
    what a warehouse was built with stays beside it.
    """
    folder = Path(warehouse_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stratum.duckdb"
    shutil.copy(PROJECT / "profiles.example.yml", folder / "profiles.yml")
    own_configuration = folder / "configuration"
    shutil.rmtree(own_configuration, ignore_errors=True)
    shutil.copytree(configuration, own_configuration)
    arguments = [
        str(Path(sys.executable).parent / "dbt"),
        "--no-use-colors",
        command,
        *("--profiles-dir", str(folder)),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    ]
    if vars:
        arguments += ["--vars", json.dumps(vars)]
    if select:
        arguments += ["--select", *select.split()]
    if exclude:
        arguments += ["--exclude", *exclude.split()]
    environment = os.environ | {
        "STRATUM_RAW_DATA": Path(raw).resolve().as_posix(),
        "STRATUM_CONFIGURATION": own_configuration.as_posix(),
        "STRATUM_WAREHOUSE": path.as_posix(),
    }
    result = subprocess.run(
        arguments,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_TIMEOUT_SECONDS,
        check=False,
    )
    if expect_success and result.returncode != 0:
        pytest.fail(f"dbt {command} ended with {result.returncode}:\n{result.stdout[-6000:]}", pytrace=False)
    return Build(result.returncode, result.stdout, path)


def read_rows(path: Path | str, query: str) -> list[dict[str, Any]]:
    """The rows of a query against a warehouse file, as dictionaries by column name."""
    with duckdb.connect(str(path), read_only=True) as connection:
        cursor = connection.execute(query)
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def read_mart(path: Path | str, mart: str) -> list[dict[str, Any]]:
    """Every row of a mart, such as ``core.dim_customers``."""
    return read_rows(path, f"select * from {mart}")  # noqa: S608 - the name comes from a test, not from outside


@pytest.fixture(scope="session")
def sample_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DuckDB file of the sample, built once per session (or taken from ``STRATUM_TEST_WAREHOUSE``)."""
    already_built = os.environ.get("STRATUM_TEST_WAREHOUSE")
    if already_built:
        path = Path(already_built).resolve()
        if not path.is_file():
            pytest.fail(f"STRATUM_TEST_WAREHOUSE names {path}, which does not exist.", pytrace=False)
        return path
    return build(SAMPLE_RAW, SAMPLE_CONFIGURATION, tmp_path_factory.mktemp("sample")).path


@pytest.fixture(scope="session")
def wide_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample under a wide configuration, in the middle of a month (``proof_data.py``); dbt's own tests left out."""
    # Imported here: ``proof_data`` needs the generator's table list, which not every test does.
    from proof_data import PROOF_VARS, wide_configuration  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("wide")
    return build(
        SAMPLE_RAW,
        wide_configuration(folder / "wide_configuration"),
        folder / "warehouse",
        vars=PROOF_VARS,
        exclude="resource_type:test resource_type:unit_test",
    )


@pytest.fixture(scope="session")
def firms_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small firms with costs (``cost_worlds.py``) in one build, which passes every test dbt has for its data."""
    from cost_worlds import small_firms  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("firms")
    worlds = small_firms()
    raw, configuration = worlds.write(folder)
    return build(raw, configuration, folder / "warehouse", vars=worlds.variables(), exclude="resource_type:unit_test").path
