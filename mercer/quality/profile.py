"""Arrow tables in; hashes of their values, and states of their columns that merge with another day's, out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mercer.quality.stored import BLOCK, Stored

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["joined_hash", "merge", "name_of", "states", "table_hash", "tables_hash"]


def name_of(*parts: str) -> str:
    """Sixteen hex digits (64 bits of BLAKE2b) of some texts."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        piece = part.encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def tables_hash(tables: Mapping[str, pa.Table | Stored]) -> str:
    """Sixteen hex digits of the values, whatever the engine, the chunks and the buffers behind them.

    >>> import pyarrow as pa
    >>> one = pa.table({"a": ["x", None]})
    >>> tables_hash({"t": one}) == tables_hash({"t": pa.concat_tables([one[:1], one[1:]])})
    True
    """
    return joined_hash({name: [table_hash(table)] for name, table in tables.items()})


def joined_hash(tables: Mapping[str, Sequence[str]]) -> str:
    """Sixteen hex digits of tables of which each is known by the hashes of its parts."""
    return name_of(*(text for name, hashes in sorted(tables.items()) for text in (name, *hashes, "")))


def table_hash(table: pa.Table | Stored) -> str:
    """Sixteen hex digits of one table's columns, types and values, worked out a block of rows at a time."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{table.num_rows} {[(field.name, str(field.type)) for field in table.schema]}".encode())
    for block in table.blocks() if isinstance(table, Stored) else _blocks(table):
        for column in block.column_names:
            for piece in _pieces(block[column]):
                digest.update(piece.tobytes())
    return digest.hexdigest()


def _blocks(table: pa.Table) -> Iterator[pa.Table]:
    return (table.slice(at, BLOCK) for at in range(0, table.num_rows, BLOCK))


def _pieces(column: pa.ChunkedArray) -> Iterable[NDArray[Any]]:
    """Which values are null, then the values, as plain numpy memory."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    yield np.packbits(column.is_null().to_numpy().astype(bool))
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        numbers = column.cast(pa.int64()) if pa.types.is_boolean(column.type) else column
        yield np.ascontiguousarray(pc.fill_null(numbers, 0).to_numpy())
        return
    whole = pa.concat_arrays(
        pc.fill_null(column.cast(pa.large_string()), "").chunks or [pa.array([], pa.large_string())]
    )
    yield pc.binary_length(whole).to_numpy(zero_copy_only=False).astype(np.int64)
    offsets = np.frombuffer(whole.buffers()[1] or b"\0" * 8, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    text = whole.buffers()[2]
    if text is not None and len(offsets):
        yield np.frombuffer(text, np.uint8)[offsets[0] : offsets[-1]]


def states(table: pa.Table) -> dict[str, dict[str, float]]:
    """Column → counts and sums from which rates, means and deviations follow, and which `merge` adds up."""
    return {name: _state(table[name]) for name in table.column_names if name != "row_id"}


def _state(column: pa.ChunkedArray) -> dict[str, float]:
    import pyarrow as pa
    import pyarrow.compute as pc

    state: dict[str, float] = {"count": len(column), "nulls": column.null_count}
    if pa.types.is_string(column.type):
        values = pc.utf8_length(column).cast(pa.float64())
    else:
        values = column.cast(pa.float64(), safe=False)
        values = values.filter(pc.is_finite(values.fill_null(float("nan"))))
    if len(values) > values.null_count:
        ends = pc.min_max(values).as_py()
        state |= {"sum": pc.sum(values).as_py(), "squares": pc.sum(pc.multiply(values, values)).as_py(), **ends}
    return state


def merge(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """The state of two days' rows together.

    >>> merge({"count": 2, "nulls": 0, "max": 5.0}, {"count": 3, "nulls": 1, "max": 4.0})
    {'count': 5, 'max': 5.0, 'nulls': 1}
    """
    both: dict[str, float] = {}
    for name in sorted({*one, *other}):
        pair = [state[name] for state in (one, other) if name in state]
        both[name] = min(pair) if name == "min" else max(pair) if name == "max" else sum(pair)
    return both
