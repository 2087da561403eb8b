"""Names of index versions in; each opened to be read beside the live one, and closed when others are asked for, out."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from mercer.serve.doors import Doors

__all__ = ["Opened"]

MOST = 2
"""Versions held open: each has its own vectors, and maybe its own encoder, in memory."""


class Opened:
    """Versions that an owner looks at. Safe to call from several threads."""

    def __init__(self, open_version: Callable[[str], Doors], *, most: int = MOST) -> None:
        self._open, self._most = open_version, most
        self._held: OrderedDict[str, tuple[Doors, list[int]]] = OrderedDict()
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def __call__(self, version: str) -> Iterator[Doors]:
        """The doors of a version, for as long as they are needed.

        Raises:
            MercerError: it cannot be opened.
        """
        with self._lock:
            if version not in self._held:
                self._held[version] = (self._open(version), [0])
            doors, uses = self._held[version]
            self._held.move_to_end(version)
            uses[0] += 1
        try:
            yield doors
        finally:
            with self._lock:
                uses[0] -= 1
                self._rest()

    def close(self) -> None:
        """Let go of every version that nobody uses."""
        with self._lock:
            self._rest(0)

    def _rest(self, most: int | None = None) -> None:
        """Close what was asked for longest ago, until few enough are open."""
        for version in list(self._held):
            if len(self._held) <= (self._most if most is None else most):
                return
            doors, uses = self._held[version]
            if not uses[0]:
                del self._held[version]
                doors.close()
