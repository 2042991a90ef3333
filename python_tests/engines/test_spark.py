"""Spark says the same as DuckDB: on a real cluster with Iceberg tables, after a first night and after a second one with other data.

A file of its own, because a cluster takes its time: the tests of the other engines run beside it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from engines.legs import PROJECT, CommandFailed, Leg, spark_leg
from engines.test_engines import differences, duckdb_nights, second_night, two_nights  # noqa: F401 - two are fixtures


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    """A leg on a cluster of its own."""
    if not shutil.which("java"):
        pytest.skip("NOT PROVEN on Spark: there is no Java (on Debian: apt-get install openjdk-17-jre-headless)")
    result = subprocess.run(["make", "install-spark"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip(f"NOT PROVEN on Spark: its environment cannot be installed: {result.stderr.strip()[-300:]}")
    with spark_leg(tmp_path_factory.mktemp("spark")) as leg:
        yield leg


def test_spark_says_the_same(spark: Leg, duckdb_nights: list[dict], second_night: tuple[Path, Path]) -> None:  # noqa: F811
    """Both nights with all data tests."""
    assert differences(duckdb_nights, two_nights(spark, second_night)) == []


def test_the_seals_made_on_spark_are_verified(spark: Leg) -> None:
    """After two nights, by the queries of every engine."""
    output = spark.dbt("run-operation", "verify_seals", "--vars", spark.variables, raw="", configuration=spark.folder / "configuration")
    assert "Seals verified: 2 seals" in output


def test_a_server_that_reads_moments_otherwise_is_refused(spark: Leg) -> None:
    """The zone of the session is said, and nothing is built."""
    profile = (PROJECT / "profiles.example.yml").read_text(encoding="utf-8")
    folder = spark.folder / "another_zone"
    folder.mkdir()
    (folder / "profiles.yml").write_text(
        profile.replace("      poll_interval: 0\n", "      poll_interval: 0\n      server_side_parameters: {'set:hiveconf:spark.sql.session.timeZone': Europe/Berlin}\n"), encoding="utf-8"
    )
    command = [str(spark.python.parent / "dbt"), "run", "--select", "stg_erp__branches", "--target", "spark", "--profiles-dir", str(folder)]
    paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--vars", spark.variables]
    with pytest.raises(CommandFailed, match="time zone Europe/Berlin"):
        spark.run([*command, *paths], {"STRATUM_RAW_DATA": "", "STRATUM_CONFIGURATION": str(spark.folder / "configuration")})


def test_what_is_loaded_is_not_loaded_again(spark: Leg, second_night: tuple[Path, Path]) -> None:  # noqa: F811
    """The loader knows the files it has loaded by a property of the table."""
    output = spark.run([str(spark.python), "-m", "tools.loader", "--target", "spark", "--raw", str(second_night[0])])
    assert output.count("as loaded before") == len(output.strip().splitlines()) == 22


def test_parquet_lands_with_its_types(spark: Leg, tmp_path: Path) -> None:
    """Exact decimals, dates and moments in UTC; what Spark has no type for lands as text."""
    (tmp_path / "erp").mkdir()
    with duckdb.connect() as writer:
        writer.execute("set timezone = 'UTC'")
        writer.execute(
            "copy (select 'erp_north' as source_system, date '2026-01-31' as rate_date, 'USD' as from_currency, 'EUR' as to_currency,"
            " 0.0000000001::decimal(18, 10) as rate, timestamptz '2026-02-01 00:30:00+02:00' as loaded_at, 5::ubigint as version)"
            f" to '{tmp_path}/erp/exchange_rates.parquet' (format parquet)"
        )
    spark.run([str(spark.python), "-m", "tools.loader", "--target", "spark", "--raw", str(tmp_path)])
    question = (
        "from tools.loader.spark import connect\ncursor = connect().cursor()\n"
        "cursor.execute('select rate_date, rate, cast(loaded_at as string), version from erp.exchange_rates')\nprint(cursor.fetchall())\n"
        "cursor.execute('describe erp.exchange_rates')\nprint([row[1] for row in cursor.fetchall()])"
    )
    row, types = spark.run([str(spark.python), "-c", question]).strip().splitlines()
    assert row == "[('2026-01-31', Decimal('1E-10'), '2026-01-31 22:30:00', '5')]"
    assert types == "['string', 'date', 'string', 'string', 'decimal(18,10)', 'timestamp', 'string']"
