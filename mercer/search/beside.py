"""A call in; its answer, worked out by another thread while this one goes on, out."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["beside"]

T = TypeVar("T")
THREADS = 8
"""Of a process; a call that finds none free waits its turn. More searches at once than this want more cores first."""


def beside(act: Callable[[], T]) -> Callable[[], T]:
    """Begin now; what comes back waits for the answer, or raises what was raised.

    The act must not call this itself: it could wait for a thread that waits for it.

    >>> beside(lambda: 6 * 7)()
    42
    """
    return _threads().submit(act).result


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="mercer-beside")


os.register_at_fork(after_in_child=_threads.cache_clear)  # a child has the pool, but none of its threads
