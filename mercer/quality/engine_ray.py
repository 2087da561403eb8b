"""Arrow tables in; batch checks run by Ray Data on a cluster, relational ones by DuckDB, and their answers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mercer.errors import MissingExtra
from mercer.quality.engine import BATCH_ROWS, BatchTask, DuckEngine

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RayEngine"]


class RayEngine(DuckEngine):
    """Ray Data for batch checks; relational checks stay with DuckDB, as Ray has no relational frames."""

    name = "ray"

    def __init__(self) -> None:
        """Join the running Ray cluster, or start one on this machine that `close` stops.

        Raises:
            MissingExtra: ray is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("ray", extra="ray") from error
        super().__init__()
        self._own = not ray.is_initialized()
        if self._own:
            ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False, configure_logging=False)
        ray.data.DataContext.get_current().enable_progress_bars = False

    def map_batches(self, task: BatchTask, table: pa.Table) -> pa.Table:
        import pyarrow as pa
        import ray

        from mercer.quality.finding import batch_schema

        if not table.num_rows:
            return batch_schema().empty_table()
        slices = [table.slice(at, BATCH_ROWS) for at in range(0, table.num_rows, BATCH_ROWS)]
        mapped = ray.data.from_arrow(slices).map_batches(_Task(task), batch_format="pyarrow", batch_size=None)
        pieces = [ray.get(reference).cast(batch_schema()) for reference in mapped.to_arrow_refs()]
        return pa.concat_tables([batch_schema().empty_table(), *pieces])

    def close(self) -> None:
        super().close()
        if self._own:
            import ray

            ray.shutdown()


class _Task:
    """A batch check over the tables that Ray Data hands on."""

    def __init__(self, task: BatchTask) -> None:
        self._task = task

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        pieces = [self._task(batch) for batch in table.to_batches()]
        return pa.Table.from_batches(pieces)
