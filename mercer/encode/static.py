"""A table of one vector a word piece in; query vectors in microseconds, beside the model's own of products, out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Encoder, Side, Tick
from mercer.encode.model import Model, mapped
from mercer.errors import ModelError, UsageError

if TYPE_CHECKING:
    from mercer.encode.tokens import Tokens

__all__ = ["TENSOR", "StaticEncoder", "looked_up", "table_of"]

TENSOR = "table"


class StaticEncoder:
    """Queries are sums of word-piece vectors; products go through the model that the table was distilled from.

    The sum's weights are in the lengths of the rows. An `Encoder`; `passages` is the name under which vectors of
    products may be kept, as they do not depend on the table.
    """

    engine = "static"

    def __init__(self, whole: Encoder, *, tokens: Tokens, table: NDArray[np.float32], passages: str) -> None:
        """`table` is (pieces, dimension).

        Raises:
            ModelError: it does not fit the model, or has numbers that are not finite.
        """
        if table.shape != (tokens.size, whole.dimension):
            wanted = (tokens.size, whole.dimension)
            raise ModelError(f"query table has shape {table.shape}, not {wanted}", cure="run mercer compress again")
        if not np.isfinite(table).all():
            raise ModelError("query table has NaN or infinite numbers", cure="run mercer compress again")
        self.name, self.passages, self.dimension = whole.name, passages, whole.dimension
        self._whole, self._tokens, self._table = whole, tokens, table

    def __call__(
        self, texts: Iterable[str], *, side: Side = "passage", tick: Tick | None = None
    ) -> NDArray[np.float32]:
        """See `Encoder`."""
        if side == "passage":
            return self._whole(texts, side=side, tick=tick)
        if isinstance(texts, str):
            raise UsageError(f"texts is one string ({texts[:20]!r})", cure="give a list of strings")
        held = list(texts)
        vectors = np.empty((len(held), self.dimension), np.float32)
        for row, ids in enumerate(self._tokens(held, side) if held else ()):
            vectors[row] = looked_up(self._table, ids)
        if tick is not None:
            tick(len(held))
        return vectors


def looked_up(table: NDArray[np.float32], ids: list[int]) -> NDArray[np.float32]:
    """Unit sum of the rows `ids`, (dimension,); what has no length at all becomes the first axis."""
    total = table[ids].sum(axis=0)
    length = float(np.sqrt(total @ total))
    if length < np.finfo(np.float32).tiny:
        total[:], total[0], length = 0, 1, 1.0
    vector: NDArray[np.float32] = total / length
    return vector


def table_of(model: Model) -> NDArray[np.float32]:
    """The table of a model that has one, (pieces, dimension), in memory.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    if model.static is None:
        raise ModelError(f"{model.folder} has no table of queries", cure="run: mercer compress SHOP --static")
    return np.asarray(mapped(model.static, TENSOR), np.float32)
