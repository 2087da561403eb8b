"""Texts in, unit vectors out: the one promise every encoder keeps, and the encoder of words that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.errors import ModelError, UsageError

if TYPE_CHECKING:
    from mercer.encode.tokens import Tokens

__all__ = ["TOLERANCE", "Encoder", "Engine", "Side", "TextEncoder", "Tick"]

Side = Literal["query", "passage"]
Tick = Callable[[int], None]
"""Told after each batch how many more texts are done."""

TOLERANCE = 1e-4
"""Largest difference in any number of a vector between engines, or between a text alone and in a batch.

Float32 sums in another order; 1e-6 is what is seen (benchmarks/encode_engines.py)."""

WINDOW = 8192
"""Texts tokenized and sorted together: long enough to fill batches of equal length, short enough for memory."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their likeness.

    The rows have length 1. The same text gives the same vector within `TOLERANCE`, alone or in a batch, on
    every engine, so `name` leaves the engine out and vectors may be kept under it.
    """

    @property
    def name(self) -> str:
        """Identity of the vectors: weights, tokenizer, prefixes and cut, as a label and a hash."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def engine(self) -> str:
        """What does the sums: ``onnx``, ``torch``, or ``static`` where queries are looked up."""
        ...

    def __call__(
        self, texts: Iterable[str], *, side: Side = "passage", tick: Tick | None = None
    ) -> NDArray[np.float32]:
        """Vectors of `texts`, in their order: (n, dimension), float32; (0, dimension) for none.

        Raises:
            ModelError: the model gave numbers that are not finite.
        """
        ...


class Engine(Protocol):
    """The body of a model: word vectors (n, tokens, hidden) and mask (n, tokens) in, unit rows (n, hidden) out."""

    name: str

    def __call__(self, embedded: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]: ...


class TextEncoder:
    """Tokens, a table of word vectors on disk and an engine, made one encoder. Safe to call from several threads.

    The table stays a memory map: only the rows of the words that occur are read, processes share the pages,
    and neither engine holds a copy (for multilingual-e5-small it is 384 of 470 MB). Nothing is rounded.
    """

    def __init__(
        self,
        name: str,
        *,
        tokens: Tokens,
        table: NDArray[np.generic],
        engine: Engine,
        batch_tokens: int,
        dimension: int = 0,
    ) -> None:
        """`dimension` is the engine's where it is not the table's (0)."""
        self.name = name
        self.dimension = dimension or int(table.shape[1])
        self.engine = engine.name
        self._tokens = tokens
        self._table = table
        self._engine = engine
        self._batch_tokens = batch_tokens
        self(["probe"])  # a model with broken weights fails here, not in the middle of an index

    def __call__(
        self, texts: Iterable[str], *, side: Side = "passage", tick: Tick | None = None
    ) -> NDArray[np.float32]:
        """See `Encoder`."""
        if isinstance(texts, str):
            raise UsageError(f"texts is one string ({texts[:20]!r})", cure="give a list of strings")
        stream = iter(texts)
        windows = [self._window(window, side, tick) for window in iter(lambda: list(islice(stream, WINDOW)), [])]
        return np.concatenate(windows) if windows else np.zeros((0, self.dimension), np.float32)

    def _window(self, texts: Sequence[str], side: Side, tick: Tick | None) -> NDArray[np.float32]:
        ids = self._tokens(texts, side)
        vectors = np.empty((len(ids), self.dimension), np.float32)
        for rows in batches([len(row) for row in ids], self._batch_tokens):
            vectors[rows] = self._batch([ids[row] for row in rows])
            if tick is not None:
                tick(len(rows))
        return vectors

    def _batch(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        longest = max(map(len, ids))
        padded = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest), np.int64)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        embedded = np.asarray(self._table[padded], np.float32)
        vectors = self._engine(embedded, mask)
        if not np.isfinite(vectors).all():
            raise ModelError(
                f"model {self.name} gave vectors with NaN or infinite numbers",
                cure="its weights are damaged: install or train it again",
            )
        return vectors


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers, shortest first, in batches whose padded size (rows times longest) stays within `budget` tokens.

    >>> list(batches([9, 2, 3, 2], 6))
    [[1, 3], [2], [0]]
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
