"""A log in; how often each product was shown by chance, and how often something was done with it then, out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from mercer.events.log import EventLog

__all__ = ["Tally"]

AGAIN = 30.0
"""Seconds after which the log is asked what is new."""
BATCH = 10_000
"""Rows read at once."""


class Tally:
    """Counts what exploring has shown, for who learns from it while serving. Safe to call from several threads.

    The first call reads the whole log, later ones what came since, at most every `AGAIN` seconds.
    """

    def __init__(self, log: EventLog, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = log, clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, int]] = {}
        self._drawn: set[tuple[str, str]] = set()
        self._asked, self._shown, self._done = -AGAIN, 0, 0

    def __call__(self) -> Mapping[str, tuple[int, int]]:
        """Product → (times shown with a logged chance, times of these that something was done with it)."""
        with self._lock:
            if self._clock() - self._asked >= AGAIN:
                self._read()
                self._asked = self._clock()
            return self._counts

    def _read(self) -> None:
        counts = dict(self._counts)  # others may be reading the old one
        while shown := self._log.impressions(self._shown, limit=BATCH):
            self._shown = shown[-1][0]
            for one in (one for _, one in shown if one.propensity is not None):
                times, acted = counts.get(one.product, (0, 0))
                counts[one.product] = times + 1, acted
                self._drawn.add((one.query_id, one.product))
        while events := self._log.since(self._done, limit=BATCH):
            self._done = events[-1][0]
            for event in (event for _, event in events if event.type not in ("impression", "refund", "dislike")):
                if (event.query_id, event.product) in self._drawn:
                    self._drawn.discard((event.query_id, event.product))  # what follows a click is no second one
                    times, acted = counts[event.product]
                    counts[event.product] = times, acted + 1
        self._counts = counts
