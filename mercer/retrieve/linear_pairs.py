"""A history in; how often products came in one past, and one before another, faded and exactly summed, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.history import History
from mercer.retrieve.sequence import steps_before

__all__ = ["count_pairs", "latest"]

PAIRS = 16_000_000
"""Pairs held at once: about 600 MB while they are sorted and summed."""


def latest(history: History, longest: int) -> History:
    """The last `longest` rows of each shopper: a robot's thousands must not outweigh everybody else."""
    ends = np.append(np.flatnonzero(np.diff(history.shopper)) + 1, len(history)) if len(history) else np.zeros(1, int)
    lengths = np.diff(ends, prepend=0)
    place = np.repeat(ends, lengths) - np.arange(len(history))
    return history.where(place <= longest)


def count_pairs(
    history: History, weight: NDArray[np.floating], *, mix: float, past: float, future: float
) -> tuple[Any, Any]:
    """Two scipy matrices, shape (products, products): what the ridge regresses on, and what it predicts.

    Every moment t but the last parts a shopper's history into a past S, faded by exp(-(t - p) / past), and a future T,
    faded by exp(-(q - t - 1) / future) (SLIST, Choi et al., WWW 2021). The first matrix is mix · XᵀX + (1 - mix) · SᵀS,
    the second mix · XᵀX + (1 - mix) · SᵀT. Sums over t are geometric, so no prefix is ever written out: time and memory
    grow with pairs of rows in one history.

    Args:
        history: one row a shopper and product, in order (`History.wanted`, cut by `latest`).
        weight: of each row, shape (rows,).
        mix: share of what ignores the order.
        past: moments after which a past product has fallen to 1/e.
        future: the same of a future one.
    """
    from scipy.sparse import csr_matrix

    size = len(history.products)
    step, last = steps_before(history), _last_steps(history)
    ratio = np.exp(-2 / past)
    between = _passed(int(step.max(initial=0)) + 1, past, future)
    shape = size, size
    regressed, ordered, unordered = (csr_matrix(shape, dtype=np.float32) for _ in range(3))
    for here, there in _pairs(history):
        both = weight[here] * weight[there]
        apart = step[there] - step[here]
        shared = np.exp(-apart / past) * (1 - ratio ** (last[there] - step[there])) / (1 - ratio)
        rows = history.product[here], history.product[there]
        own = here == there  # counted once: the transpose below adds each pair's other side
        half = np.where(own, 0.5, 1.0)
        values = ((mix + (1 - mix) * shared) * both * half, (1 - mix) * between[apart] * both, mix * both * half)
        kinds = [csr_matrix((value.astype(np.float32), rows), shape=shape) for value in values]
        regressed, ordered, unordered = regressed + kinds[0], ordered + kinds[1], unordered + kinds[2]
    return (regressed + regressed.T).tocsr(), (ordered + unordered + unordered.T).tocsr()


def _passed(moments: int, past: float, future: float) -> NDArray[np.float64]:
    """Σ exp(-u / past) · exp(-(d - 1 - u) / future) over 0 ≤ u < d, for each distance d, shape (moments + 1,)."""
    found = np.zeros(moments + 1)
    for apart in range(1, moments + 1):
        found[apart] = found[apart - 1] * np.exp(-1 / future) + np.exp(-(apart - 1) / past)
    return found


def _last_steps(history: History) -> NDArray[np.int64]:
    """The number of each row's shopper's last moment, shape (rows,)."""
    if not len(history):
        return np.zeros(0, np.int64)
    ends = np.append(np.flatnonzero(np.diff(history.shopper)), len(history) - 1)
    last: NDArray[np.int64] = np.repeat(steps_before(history)[ends], np.diff(ends, prepend=-1))
    return last


def _pairs(history: History) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Row numbers (earlier or same, later or same) of all pairs in one history, some millions at once."""
    if not len(history):
        return
    ends = np.append(np.flatnonzero(np.diff(history.shopper)) + 1, len(history))
    after = np.repeat(ends, np.diff(ends, prepend=0)) - np.arange(len(history))  # rows from each to its shopper's end
    before = np.append(0, np.cumsum(after))
    first = 0
    while first < len(history):
        last = max(first + 1, int(np.searchsorted(before, before[first] + PAIRS, side="right")) - 1)
        counts = after[first:last]
        here = np.repeat(np.arange(first, last), counts)
        there = here + np.arange(len(here)) - np.repeat(before[first:last] - before[first], counts)
        yield here, there
        first = last
