"""Keys with numbers and weights in; the numbers whose keys begin with what was typed out, the weightiest first."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from heapq import nlargest

__all__ = ["DEEPEST", "Prefixes"]

LAST = "\U0010ffff"
"""Sorts after every character a key can hold."""
WIDE = 256
"""Keys under one prefix from which its best are worked out ahead: 256 to rank stay below .1 ms."""
DEEPEST = 20
"""Numbers worked out ahead, so the most that one call gives."""


class Prefixes:
    """Sorted keys, asked by prefix.

    >>> Prefixes([("tea", 0, 1.0), ("teapot", 1, 3.0), ("cup", 2, 9.0)])("te")
    [(3.0, 1), (1.0, 0)]
    """

    def __init__(self, keys: Iterable[tuple[str, int, float]]) -> None:
        ordered = sorted(keys, key=lambda entry: entry[0])
        self._keys = [key for key, _, _ in ordered]
        self._numbers = [number for _, number, _ in ordered]
        self._weights = [weight for _, _, weight in ordered]
        self._ahead: dict[str, list[tuple[float, int]]] = {}
        self._look_ahead(0, len(ordered), "")

    def __call__(self, prefix: str) -> list[tuple[float, int]]:
        """(weight, number) of at most `DEEPEST` numbers, each once with its best key; equal ones by number."""
        best = self._ahead.get(prefix)
        if best is None:
            best = self._best(bisect_left(self._keys, prefix), bisect_left(self._keys, prefix + LAST))
        return best

    def _best(self, low: int, high: int) -> list[tuple[float, int]]:
        """Of keys [low, high)."""
        best: dict[int, float] = {}
        for at in range(low, high):
            number, weight = self._numbers[at], self._weights[at]
            if weight > best.get(number, -math.inf):
                best[number] = weight
        chosen = nlargest(DEEPEST, best, key=lambda number: (best[number], -number))
        return [(best[number], number) for number in chosen]

    def _look_ahead(self, low: int, high: int, prefix: str) -> None:
        """Work out the answers of every prefix that begins many keys."""
        self._ahead[prefix] = self._best(low, high)
        depth = len(prefix)
        while low < high:
            if len(self._keys[low]) == depth:
                low += 1
                continue
            longer = self._keys[low][: depth + 1]
            end = bisect_left(self._keys, longer + LAST, low, high)
            if end - low > WIDE and depth < DEEPEST:
                self._look_ahead(low, end, longer)
            low = end
