"""Fields to count and an answer in; counts by value, from which several of a field can be chosen, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mercer.retrieve.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["counted"]


def counted(
    columns: Columns,
    fields: Iterable[str],
    rows: NDArray[np.int64],
    *,
    held: Iterable[str],
    without: Callable[[str], NDArray[np.int64]],
) -> dict[str, dict[str, int]]:
    """Facets of an answer; a field that is filtered by is counted as if it were not, so that more can be chosen.

    Args:
        columns: of the index.
        fields: to count, in the order in which they come back.
        rows: of the answer, in the columns.
        held: fields that the answer is filtered by.
        without: the rows that the answer would have without the filters on a field.

    Raises:
        RequestError: a field that cannot be counted.
    """
    asked = list(dict.fromkeys(fields))
    apart = set(asked) & set(held)
    found = columns.facets(rows, [name for name in asked if name not in apart])
    for name in apart:
        found |= columns.facets(without(name), [name])
    return {name: found[name] for name in asked}
