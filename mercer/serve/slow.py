"""Answers and how long they took in; the slowest queries since the server began out."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Slow", "Took"]

MOST = 100
"""Answers kept: the slowest. They are in memory alone, as a query may be of a person."""


@dataclass(frozen=True, slots=True, order=True)
class Took:
    """One slow answer."""

    milliseconds: float
    time: int
    """UTC milliseconds."""
    query: str
    stages: tuple[tuple[str, float], ...]
    """Stage and its milliseconds, the longest first."""


class Slow:
    """The slowest searches of this process.

    >>> slow = Slow(most=2)
    >>> for query, took in (("tea", 5.0), ("cup", 9.0), ("mug", 7.0)):
    ...     slow.note(query, {"find": took})
    >>> [(one.query, one.milliseconds) for one in slow.worst()]
    [('cup', 9.0), ('mug', 7.0)]
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most, self._kept, self._lock = most, list[Took](), threading.Lock()
        self.since = int(time.time() * 1000)

    def note(self, query: str, stages: Mapping[str, float]) -> None:
        """Hear of an answer; quick, whatever came before."""
        took = sum(stages.values())
        if len(self._kept) >= self._most and took <= self._kept[0].milliseconds:
            return
        parts = tuple(sorted(stages.items(), key=lambda part: -part[1]))
        one = Took(took, int(time.time() * 1000), query[:200], parts)
        with self._lock:
            (heapq.heappush if len(self._kept) < self._most else heapq.heappushpop)(self._kept, one)

    def worst(self) -> list[Took]:
        """The slowest first."""
        with self._lock:
            return sorted(self._kept, reverse=True)
