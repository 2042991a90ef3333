"""dbt 2, which refuses what 1.12 reads past, accepts the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engines.legs import PROJECT

VERSION = "2.0.0a1"


@pytest.fixture(scope="module")
def dbt_2() -> Path:
    """The program, in an environment of its own."""
    environment = PROJECT / "build" / f"dbt-{VERSION}"
    program = environment / "bin" / "dbt"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        result = subprocess.run([*pip, "--no-deps", "--only-binary", ":all:", f"dbt-core=={VERSION}"], capture_output=True, text=True, check=False)
        if result.returncode or not program.exists():
            pytest.skip(f"NOT PROVEN on dbt {VERSION}: it cannot be installed: {result.stderr.strip()[-300:]}")
    return program


def parse(program: Path, project: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """``dbt parse``, which holds every key against what dbt 2 knows."""
    shutil.copy(PROJECT / "profiles.example.yml", folder / "profiles.yml")
    return subprocess.run(
        [str(program), "parse", "--profiles-dir", str(folder), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")],
        cwd=project,
        env=os.environ | {"STRATUM_WAREHOUSE": str(folder / "stratum.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dbt_2_accepts_the_project(dbt_2: Path, tmp_path: Path) -> None:
    """Without a warning."""
    result = parse(dbt_2, PROJECT, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "warning" not in result.stdout.lower(), result.stdout


def test_dbt_2_would_have_said_so(dbt_2: Path, tmp_path: Path) -> None:
    """A key that 1.12 reads past on every engine of ours."""
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".venv*", ".git", "build", "target", "logs", "warehouse", "python_tests", "__pycache__"))
    path = copy / "models" / "marts" / "core" / "_core__models.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("data_tests:", "data_tets:", 1), encoding="utf-8")
    assert text.count("data_tests:")
    result = parse(dbt_2, copy, tmp_path)
    assert result.returncode != 0 or "data_tets" in result.stdout + result.stderr
