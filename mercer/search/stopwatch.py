"""Stages of an answer in, the milliseconds that each took out."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["stopwatch"]

Clock = Callable[[], float]


def stopwatch(stages: dict[str, float], name: str, *, clock: Clock = time.perf_counter) -> Callable[[], None]:
    """Start a stage; calling what comes back adds its milliseconds."""
    start = clock()

    def stop() -> None:
        stages[name] = stages.get(name, 0.0) + (clock() - start) * 1000

    return stop
