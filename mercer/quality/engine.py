"""Arrow tables in; frames that a relational check can ask, and their answers as Arrow tables, out."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from mercer.errors import SettingsError
from mercer.quality.check import Check, CheckSettings, find
from mercer.quality.stored import Stored

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    import narwhals.stable.v2 as nw
    import pyarrow as pa

__all__ = ["ENGINES", "BatchTask", "DuckEngine", "Engine", "EngineName", "open_engine"]

EngineName = Literal["duckdb", "spark", "ray"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

BATCH_ROWS = 16_384
"""Rows of one RecordBatch given to a batch check: some 2 to 30 MB of catalogue text."""
LEAST = 100
"""MB of memory below which DuckDB could hardly answer."""
POOL_ROWS = 40_000
"""Rows of a table below which starting processes (1 to 2 s) costs more than it saves."""


class Engine(Protocol):
    """Where checks run. Every engine finds the same rows; a parity test holds them to it."""

    name: str

    def frames(self, tables: Mapping[str, pa.Table | Stored]) -> dict[str, nw.LazyFrame[Any]]:
        """The tables as lazy frames of this engine."""

    def hold(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """A frame whose rows are worked out once, until `release`; they may be kept on disk."""

    def release(self) -> None:
        """Forget what `hold` has worked out."""

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """The answer to a question."""

    def collect_all(self, frames: Iterable[nw.LazyFrame[Any]]) -> Iterator[pa.Table]:
        """The answers to some questions, in their order."""

    def map_batches(self, task: BatchTask, table: pa.Table) -> pa.Table:
        """`task` over every RecordBatch of a table; the answers in any order."""

    def close(self) -> None:
        """Give back what the engine holds."""


@dataclass(frozen=True)
class BatchTask:
    """A batch check with its settings, as other processes can be sent it: by name, not by code."""

    id: str
    module: str
    settings: CheckSettings

    @classmethod
    def of(cls, declared: Check, settings: CheckSettings) -> BatchTask:
        return cls(declared.id, declared.function.__module__, settings)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        importlib.import_module(self.module)
        found: pa.RecordBatch = find(self.id).function(batch, settings=self.settings)
        return found


def open_engine(name: str, *, workers: int | None = None, memory: float = 2.0) -> Engine:
    """An engine by name.

    Args:
        name: duckdb, spark or ray.
        workers: processes for batch checks on DuckDB; all processors where None.
        memory: GB that DuckDB may fill before it writes to disk.

    Raises:
        SettingsError: no such engine.
        MissingExtra: its package, or Java for Spark, is not installed.
    """
    if name == "duckdb":
        return DuckEngine(workers=workers or os.cpu_count() or 1, memory=memory)
    if name == "spark":
        from mercer.quality.engine_spark import SparkEngine

        return SparkEngine()
    if name == "ray":
        from mercer.quality.engine_ray import RayEngine

        return RayEngine()
    raise SettingsError(f"engine {name!r} is unknown", cure=f"give one of {', '.join(ENGINES)}")


class DuckEngine:
    """DuckDB in this process, over Arrow memory: nothing to start, nothing to install."""

    name = "duckdb"

    def __init__(self, *, workers: int = 1, memory: float = 2.0) -> None:
        """Open a database in memory.

        Args:
            memory: GB that it may fill before it writes to a temporary folder.
            workers: processes that share batch checks over large tables. They are spawned, so a script that gives
                more than 1 needs ``if __name__ == "__main__":`` around its own code.
        """
        import duckdb

        self._connection = duckdb.connect()
        self._spill = tempfile.TemporaryDirectory(prefix="mercer-", ignore_cleanup_errors=True)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET preserve_insertion_order = false")
        self._limit = max(LEAST, int(memory * 1000))
        self._connection.execute(f"SET memory_limit = '{self._limit}MB'")
        self._connection.execute(f"SET temp_directory = '{self._spill.name}'")
        self._count = 0
        self._held: list[str] = []
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def frames(self, tables: Mapping[str, pa.Table | Stored]) -> dict[str, nw.LazyFrame[Any]]:
        import narwhals.stable.v2 as nw

        frames = {}
        for name, table in tables.items():
            self._count += 1
            view = f"t{self._count}"
            if isinstance(table, Stored):
                frames[name] = nw.from_native(self._connection.read_parquet([str(path) for path in table.paths]))
                continue
            self._connection.register(view, table)
            frames[name] = nw.from_native(self._connection.table(view))
        return frames

    def hold(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        import narwhals.stable.v2 as nw

        self._count += 1
        name = f"held{self._count}"
        frame.to_native().create(name)
        self._held.append(name)
        return nw.from_native(self._connection.table(name))

    def release(self) -> None:
        while self._held:
            self._connection.execute(f"DROP TABLE {self._held.pop()}")
        # DuckDB keeps what it has freed, up to its limit, until the limit falls: 1 to 2 GB that Arrow and numpy need
        for limit in (LEAST, self._limit):
            self._connection.execute(f"SET memory_limit = '{limit}MB'")

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        import pyarrow as pa

        table = frame.collect("pyarrow").to_native()
        assert isinstance(table, pa.Table)
        return table

    def collect_all(self, frames: Iterable[nw.LazyFrame[Any]]) -> Iterator[pa.Table]:
        return map(self.collect, frames)

    def map_batches(self, task: BatchTask, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        from mercer.quality.finding import batch_schema

        batches = table.to_batches(max_chunksize=BATCH_ROWS)
        pieces = self._shared(task, batches) if table.num_rows >= POOL_ROWS else map(task, batches)
        return pa.Table.from_batches(pieces, schema=batch_schema())

    def _shared(self, task: BatchTask, batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if self._workers < 2:
            return map(task, batches)
        if self._pool is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            # fork would copy the threads of DuckDB and Arrow in whatever state they are
            self._pool = ProcessPoolExecutor(self._workers, mp_context=multiprocessing.get_context("spawn"))
        return self._pool.map(task, batches)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._connection.close()
        self._spill.cleanup()
