"""Ids of keys as they are used in; when each was last used, kept on the disk now and then, out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from mercer.errors import ShopError
from mercer.shop import disk_errors, write_json

__all__ = ["Used"]

EVERY = 60.0
"""Seconds between two writings: a kill forgets that much."""


class Used:
    """``store/keys-used.json``: key id → UTC milliseconds of its last use. Only the serving process writes it."""

    def __init__(self, store: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = store / "keys-used.json"
        self._clock = clock
        self._at: dict[str, int] = self.read()
        self._written = clock()
        self._dirty = False

    def read(self) -> dict[str, int]:
        """What is on the disk; nothing where that cannot be read, as it is no reason to refuse anybody."""
        try:
            return {str(id): int(at) for id, at in json.loads(self._path.read_text("utf-8")).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def all(self) -> dict[str, int]:
        """Key id → UTC milliseconds."""
        return dict(self._at)

    def note(self, id: str) -> None:
        """Note a use now."""
        self._at[id] = int(self._clock() * 1000)
        self._dirty = True

    @property
    def due(self) -> bool:
        """Whether it is time to `save`."""
        return self._dirty and self._clock() - self._written >= EVERY

    def save(self) -> None:
        """Write what was noted; where the disk is full, it is tried again later."""
        if not self._dirty:
            return
        self._written, self._dirty = self._clock(), False
        try:
            with disk_errors(self._path):
                write_json(self._path, self.all(), mode=0o600)
        except ShopError:
            self._dirty = True
