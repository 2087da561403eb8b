"""A query and the passages found for it in; how right each is, read together with the query, out, in the time given."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.encode import EncodeSettings
from mercer.encode.head import Judge, open_judge
from mercer.encode.pair import Pieces
from mercer.errors import UsageError

__all__ = ["CrossEncoder", "Reranker", "open_reranker"]

SLICE = 16
"""Passages between two looks at the clock: a batch of fewer is slower a passage."""
LEARNT = 0.3
"""Share of the last measured pace in what the next passages are expected to take."""


class Reranker(Protocol):
    """Judges passages one by one together with the query: slower and better than vectors.

    The same pair gives the same number within `encode.TOLERANCE`, whatever the other passages are.
    """

    @property
    def name(self) -> str:
        """Identity of its numbers: weights, tokenizer and scale, as a label and a hash."""
        ...

    def __call__(self, query: str, passages: Sequence[str], *, budget: float = math.inf) -> NDArray[np.float32]:
        """Probability, 0 to 1, that each passage is right: (m,), of the first m passages.

        Args:
            query: as the shopper wrote it.
            passages: as `retrieve.text.passage` makes them, the likeliest first.
            budget: milliseconds; m is less than their number where no more fit.
        """
        ...


class CrossEncoder:
    """A `Reranker` that is a BERT with a head (Nogueira and Cho 2019). Safe to call from several threads."""

    def __init__(self, judge: Judge, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Take an open model whose head says relevance, or grades or ratings that mean it; learn its pace."""
        self._judge = judge
        self._clock = clock
        self.name = judge.name
        probe = judge.tokens(["probe"] * SLICE, ["two short words"] * SLICE)
        judge.head.relevance(judge.outputs(probe))  # the first run of an engine is slower than all others
        started = clock()
        judge.outputs(probe)
        self._pace = (clock() - started) * 1000 / _area(probe)

    def __call__(self, query: str, passages: Sequence[str], *, budget: float = math.inf) -> NDArray[np.float32]:
        """See `Reranker`."""
        if isinstance(passages, str):
            raise UsageError(f"passages is one string ({passages[:20]!r})", cure="give a list of strings")
        end = self._clock() + budget / 1000
        rows = self._judge.tokens([query] * len(passages), passages)
        if math.isinf(budget):
            return self._judge.head.relevance(self._judge.outputs(rows))
        parts: list[NDArray[np.float32]] = []
        done = 0
        while done < len(rows):
            now = self._clock()
            fitting = self._fitting(rows[done : done + SLICE], (end - now) * 1000)
            if not fitting:
                if not done:  # what never runs would never be seen to be fast again
                    self._pace *= 1 - LEARNT
                break
            parts.append(self._judge.outputs(fitting))
            taken = (self._clock() - now) * 1000 / _area(fitting)
            self._pace = (1 - LEARNT) * self._pace + LEARNT * taken
            done += len(fitting)
        said = np.concatenate(parts) if parts else np.zeros((0, self._judge.head.outputs), np.float32)
        return self._judge.head.relevance(said)

    def _fitting(self, rows: Sequence[Pieces], left: float) -> Sequence[Pieces]:
        """As many of the next passages as `left` milliseconds are enough for."""
        many = len(rows)
        while many and _area(rows[:many]) * self._pace > left:
            many -= 1
        return rows[:many]


def _area(rows: Sequence[Pieces]) -> int:
    """Word pieces of a batch, padding included."""
    return len(rows) * max(map(len, rows))


def open_reranker(folder: Path, *, settings: EncodeSettings | None = None) -> CrossEncoder:
    """The cross-encoder of a model folder; engine, threads, batch and cache are the encoder's settings.

    Raises:
        ModelError: a file is missing or damaged, it has no head, or its classes are no relevance.
        MissingExtra: a package is needed; the error says how to install it.
    """
    return CrossEncoder(open_judge(folder, settings=settings))
