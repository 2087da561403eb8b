"""What an injector did in, rows of the truth about dirt out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "Difficulty", "Ledger", "replaced", "taken", "victims"]

Difficulty = Literal["easy", "medium", "hard"]

COLUMNS = ("check", "family", "row_id", "field", "kind", "original", "twin")
"""check that should find it, family, 0-based data row in the raw file, field, what was done, what stood there, and the
row it repeats (-1 for none)."""


class Ledger:
    """Collects truth while an injector works on one family."""

    def __init__(self, check: str, family: str) -> None:
        self.check, self.family = check, family
        self.rows: list[tuple[str, str, int, str, str, str | None, int]] = []

    def add(self, row: int, field: str, kind: str, original: object, *, twin: int = -1) -> None:
        was = None if original is None else str(original)
        self.rows.append((self.check, self.family, int(row), field, kind, was, int(twin)))

    def table(self) -> pa.Table:
        """The truth as a table of COLUMNS."""
        import pyarrow as pa

        kinds = [pa.string(), pa.string(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.int64()]
        columns = list(zip(*self.rows, strict=True)) or [()] * len(COLUMNS)
        return pa.table(
            [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)], names=list(COLUMNS)
        )


def victims(count: int, rate: float, rng: np.random.Generator, *, among: NDArray[np.int64] | None = None) -> list[int]:
    """`rate` × `count` different rows (rounded by chance), of `among` where only these can be hurt."""
    wanted = int(rate * count + rng.random())
    rows = np.arange(count) if among is None else among
    return sorted(rng.permutation(rows)[:wanted].tolist())


def taken(frame: pa.Table, rows: Sequence[int]) -> pa.Table:
    """Copies of some rows, none if there are none."""
    import pyarrow as pa

    return frame.take(pa.array(rows, pa.int64()))


def replaced(frame: pa.Table, field: str, values: Mapping[int, object]) -> pa.Table:
    """`frame` with other values in some rows of one column."""
    import pyarrow as pa

    column = frame[field].to_pylist()
    for row, value in values.items():
        column[row] = value
    return frame.set_column(
        frame.schema.get_field_index(field),
        frame.schema.field(field),
        [pa.array(column, frame.schema.field(field).type)],
    )
