"""Nothing in; the two things that every format reader hands on, raw columns and rows that did not parse, out."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as filled
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Bad", "Batch"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, column by column, as the file has them."""

    rows: NDArray[np.int64]
    """0-based data row in the file of each value."""
    columns: dict[str, Any]
    """Raw name → Arrow array (chunked or not), as long as `rows`."""
    read: int
    """Rows the reader went through for this batch, the ones that did not parse included."""

    def keep(self, mask: NDArray[np.bool_]) -> Batch:
        """The rows where `mask` holds."""
        import pyarrow as pa

        columns = {name: column.filter(pa.array(mask)) for name, column in self.columns.items()}
        return Batch(self.rows[mask], columns, self.read)


@dataclass(slots=True)
class Bad:
    """Rows that could not be parsed, collected while a file is read."""

    rows: list[tuple[int, int, str, str]] = filled(default_factory=list)
    """Row, line (1-based), text, problem."""

    def add(self, row: int, line: int, text: str, problem: str) -> None:
        self.rows.append((row, line, text, problem))

    def table(self) -> pa.Table:
        import pyarrow as pa

        schema = pa.schema(
            [("row_id", pa.int64()), ("line", pa.int64()), ("text", pa.string()), ("problem", pa.string())]
        )
        columns = list(zip(*sorted(self.rows), strict=True)) or [(), (), (), ()]
        return pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)], schema)
