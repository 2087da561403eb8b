"""Arrow tables in; Spark frames that the same checks can ask, and their answers as Arrow tables, out."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mercer.errors import MissingExtra
from mercer.quality.engine import BATCH_ROWS, BatchTask
from mercer.quality.stored import Stored

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pyarrow as pa

__all__ = ["SparkEngine", "java_is_there", "session"]

ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.ansi.enabled": "true",  # Spark 4's default, said aloud: both engines raise on overflow
}
LOCAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
}
THREADS = 4
"""Questions asked of Spark at once."""
SMALL = {
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
"""Three times as fast on the parity test's fixture as Spark's defaults."""


def java_is_there() -> bool:
    """Whether Spark will find a Java to run on."""
    home = os.environ.get("JAVA_HOME")
    return bool(home and shutil.which(os.path.join(home, "bin", "java"))) or shutil.which("java") is not None


def session(*, small: bool = False) -> Any:
    """The Spark session that is running, or a local one on all processors of this machine.

    Args:
        small: plan for a few thousand rows, where compiling a plan takes longer than running it.

    Raises:
        MissingExtra: pyspark or Java is not installed; one is of no use without the other.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtra("pyspark", extra="spark") from error
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if not java_is_there():
        raise MissingExtra("java", extra="spark", install="apt-get install openjdk-17-jre-headless, or set JAVA_HOME")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("mercer check")
    if "SPARK_REMOTE" not in os.environ and "MASTER" not in os.environ:
        builder = builder.master("local[*]")
        for name, value in LOCAL.items():
            builder = builder.config(name, value)
        partitions = 1 if small else 2 * (os.cpu_count() or 1)
        builder = builder.config("spark.sql.shuffle.partitions", str(partitions))
    for name, value in {**ALWAYS, **(SMALL if small else {})}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _is_running() -> bool:
    if "pyspark" not in sys.modules:
        return False
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession() is not None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what pyspark 4 says of every pandas 3, which Mercer does not use."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        yield


class SparkEngine:
    """Spark: relational checks as its plans, batch checks in its Python workers through mapInArrow."""

    name = "spark"

    def __init__(self, running: Any = None) -> None:
        """Use `running`, or the active session, or start one that `close` stops.

        Raises:
            MissingExtra: pyspark or Java is not installed.
        """
        self._own = running is None and not _is_running()
        self._session = running if running is not None else session()
        self._known: dict[int, tuple[pa.Table, Any]] = {}
        self._held: list[Any] = []

    def frames(self, tables: Mapping[str, pa.Table | Stored]) -> dict[str, nw.LazyFrame[Any]]:
        import narwhals.stable.v2 as nw

        return {name: nw.from_native(self._frame(table)) for name, table in tables.items()}

    def _frame(self, table: pa.Table | Stored) -> Any:
        """The Spark frame of a table; a table seen before is not sent again, as its first frame is kept."""
        if isinstance(table, Stored):
            return self._session.read.parquet(*(str(path.absolute()) for path in table.paths))
        known = self._known.get(id(table))
        if known is None:
            from pyspark.sql.pandas.types import from_arrow_schema

            with _quiet():
                made = self._session.createDataFrame(table, schema=from_arrow_schema(table.schema))
            known = self._known[id(table)] = (table, made.cache())
        return known[1]

    def hold(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        import narwhals.stable.v2 as nw

        self._held.append(frame.to_native().cache())
        held: nw.LazyFrame[Any] = nw.from_native(self._held[-1])
        return held

    def release(self) -> None:
        while self._held:
            self._held.pop().unpersist()

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        with _quiet():
            table: pa.Table = frame.to_native().toArrow()
        return table

    def collect_all(self, frames: Iterable[nw.LazyFrame[Any]]) -> Iterator[pa.Table]:
        from concurrent.futures import ThreadPoolExecutor

        # planning a small query takes longer than running it, and several are planned at once
        with _quiet(), ThreadPoolExecutor(THREADS) as threads:
            yield from list(threads.map(lambda frame: frame.to_native().toArrow(), frames))

    def map_batches(self, task: BatchTask, table: pa.Table) -> pa.Table:
        from pyspark.sql.pandas.types import from_arrow_schema

        from mercer.quality.finding import batch_schema

        with _quiet():
            mapped = self._frame(table).mapInArrow(partial(_each, task), from_arrow_schema(batch_schema()))
            found: pa.Table = mapped.toArrow().cast(batch_schema())
        return found

    def close(self) -> None:
        for _, frame in self._known.values():
            frame.unpersist()
        self._known.clear()
        if self._own:
            self._session.stop()


def _each(task: BatchTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield task(batch)
