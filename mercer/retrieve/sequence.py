"""Histories of several shoppers in; their products and how long ago each was, ready for scoring in bulk, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.history import History

__all__ = ["Sequences"]


@dataclass(frozen=True, slots=True)
class Sequences:
    """n shoppers' pasts, oldest first: shopper i has `product[start[i]:start[i + 1]]`."""

    start: NDArray[np.int64]
    """(n + 1,)"""
    product: NDArray[np.int64]
    """(rows,): codes of a retriever's products, -1 where it does not know one."""
    step: NDArray[np.int64]
    """(rows,): how many of the shopper's moments lie after this row; 0 is the latest basket or click."""

    def __len__(self) -> int:
        return len(self.start) - 1

    @classmethod
    def one(cls, codes: NDArray[np.int64], times: Sequence[int] = ()) -> Sequences:
        """A single shopper's; without one time for each product every product is a moment of its own."""
        moments = np.asarray(times, dtype=np.int64)
        if len(moments) != len(codes):
            moments = np.arange(len(codes))
        order = np.argsort(moments, kind="stable")
        moments = moments[order]
        later = np.cumsum((moments[1:] != moments[:-1])[::-1])[::-1] if len(codes) > 1 else np.zeros(0, np.int64)
        step = np.append(later, 0)[: len(codes)]
        return cls(np.array([0, len(codes)]), codes[order], step.astype(np.int64))

    @classmethod
    def of(cls, history: History, shoppers: NDArray[np.integer]) -> Sequences:
        """Of some shoppers (ascending codes) of a history that has one row a shopper and product (`wanted`)."""
        low = np.searchsorted(history.shopper, shoppers)
        high = np.searchsorted(history.shopper, shoppers, side="right")
        counts = high - low
        start = np.append(0, np.cumsum(counts))
        rows = np.repeat(low - start[:-1], counts) + np.arange(start[-1])
        return cls(start.astype(np.int64), history.product[rows].astype(np.int64), steps_after(history)[rows])

    def rows(self, low: int, high: int) -> Sequences:
        """Shoppers from `low` to before `high`."""
        first, last = self.start[low], self.start[min(high, len(self))]
        return Sequences(self.start[low : high + 1] - first, self.product[first:last], self.step[first:last])

    def faded(self, recency: float) -> NDArray[np.float64]:
        """How much each row counts, shape (rows,): those of a shopper sum to 1, so one click weighs as much as many.

        `recency` is the number of moments after which a row counts 1 / e; what no event has named counts nothing.
        """
        faded = np.exp(-self.step / recency) * (self.product >= 0)
        owner = self.owner()
        whole = np.bincount(owner, weights=faded, minlength=len(self))
        shares: NDArray[np.float64] = faded / np.maximum(whole, 1e-300)[owner]
        return shares

    def owner(self) -> NDArray[np.int64]:
        """Which shopper each row is of, shape (rows,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))


def steps_before(history: History) -> NDArray[np.int64]:
    """How many of the shopper's earlier moments there are before each row, shape (rows,)."""
    new_shopper = np.diff(history.shopper, prepend=-1) != 0
    moved = (np.diff(history.time, prepend=0) != 0) & ~new_shopper
    passed = np.cumsum(moved)
    first = np.flatnonzero(new_shopper)
    counts = np.diff(np.append(first, len(history)))
    found: NDArray[np.int64] = passed - np.repeat(passed[first], counts)
    return found


def steps_after(history: History) -> NDArray[np.int64]:
    """How many of the shopper's moments come after each row, shape (rows,)."""
    before = steps_before(history)
    first = np.flatnonzero(np.diff(history.shopper, prepend=-1))
    ends = np.append(first[1:], len(history)) - 1
    found: NDArray[np.int64] = np.repeat(before[ends] if len(history) else before, ends - first + 1) - before
    return found
