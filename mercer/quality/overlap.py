"""A training table with a split in; rows to learn from that are held out too out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.quality.finding import Found
from mercer.quality.near import families
from mercer.quality.one_feature import codes_of
from mercer.quality.roles import TRAINING, TrainingInputs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["both_sides"]

TELLING = 0.98
"""Share of the rows to learn from that have inputs of their own; below it equal inputs are a matter of course."""
DIFFERENT = 0.8
"""Share of different texts from which a column is compared as text."""
TEXT = 3.0
"""Mean words of a column from which it is text."""


def both_sides(inputs: TrainingInputs) -> Iterator[Found]:
    """Rows to learn from with the inputs, nearly the text, or the group of a held-out row."""
    learned = inputs.training_rows()
    if learned is None:
        return
    table, roles = inputs.table, inputs.roles
    plain = [name for name in roles.inputs if name != roles.label]
    key = _joined(table, [*dict.fromkeys([*plain, *roles.ids])])
    telling = len(np.unique(key[learned])) >= TELLING * learned.sum()
    same = _shared(key, learned) if telling else np.zeros(len(key), dtype=bool)
    yield Found(_rows(same), TRAINING, "", "row_held_out_too")
    for name in plain:
        texts = _texts(table[name])
        if texts is None:
            continue
        found = families(texts)
        place = np.array([-1 if one is None else one for one in found], dtype=np.int64)
        near = _shared(place, learned) & (place >= 0) & ~same
        yield Found(_rows(near), TRAINING, name, "near_held_out", 0.8)
        same = same | near
    if roles.time is None:  # with a time, whoever comes again later is no leak
        for group in roles.groups:
            codes, _ = codes_of(table[group])
            yield Found(_rows(_shared(codes, learned) & (codes >= 0) & ~same), TRAINING, group, "group_held_out_too")


def _shared(codes: NDArray[np.int64], learned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows to learn from whose code a held-out row has."""
    return np.asarray(learned & np.isin(codes, codes[~learned]))


def _joined(table: pa.Table, names: list[str]) -> NDArray[np.int64]:
    """One code for the values of several columns together."""
    key = np.zeros(table.num_rows, dtype=np.int64)
    for name in names:
        codes, count = codes_of(table[name])
        _, key = np.unique(key * (count + 1) + codes + 1, return_inverse=True)
    return key.astype(np.int64)


def _texts(column: pa.ChunkedArray) -> list[str | None] | None:
    """The values of a column of texts that are mostly different; None of any other column."""
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    values: list[str | None] = column.to_pylist()
    present = [value for value in values if value]
    wordy = sum(value.count(" ") + 1 if value.isascii() else len(value) / 2 for value in present)
    if not present or wordy < TEXT * len(present) or len(set(present)) < DIFFERENT * len(present):
        return None
    return values


def _rows(chosen: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.table({"row_id": pa.array(np.flatnonzero(chosen), pa.int64())})
