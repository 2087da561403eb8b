"""Callers' requests in; those above their rate refused, with when to come again, out."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Rates", "retry_after"]

MOST = 50_000
"""Callers remembered, about 150 bytes each; of more, those that have been silent longest are forgotten."""


class Rates:
    """A token bucket a caller: `rate` tokens flow in a second, `burst` of them fit in.

    >>> now = 0.0
    >>> rates = Rates(2.0, burst=3.0, clock=lambda: now)
    >>> [rates("ann") for _ in range(4)]
    [0.0, 0.0, 0.0, 0.5]
    >>> now = 0.5
    >>> rates("ann"), rates("bob")
    (0.0, 0.0)
    """

    def __init__(self, rate: float, *, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __call__(self, who: str) -> float:
        """Take a token; 0 where there was one, else the seconds until there is."""
        if not self.rate:
            return 0.0
        now = self._clock()
        tokens, at = self._held.pop(who, (self.burst, now))
        tokens = min(self.burst, tokens + (now - at) * self.rate)
        left = 0.0 if tokens >= 1 - 1e-9 else (1 - tokens) / self.rate
        self._held[who] = (tokens if left else tokens - 1, now)
        if len(self._held) > MOST:
            self._held.popitem(last=False)
        return left


def retry_after(seconds: float) -> str:
    """The header's value: whole seconds, never less than is needed."""
    return str(max(1, math.ceil(seconds)))
