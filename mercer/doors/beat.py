"""Open doors and minutes in; a thread that learns the events of the meantime, again and again, out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from mercer.doors.open import Doors
from mercer.errors import MercerError

__all__ = ["Beat"]


class Beat:
    """While it is entered, `Doors.refresh` runs every so often; an error is told and the next beat tries again."""

    def __init__(self, doors: Doors, *, minutes: float, tell: Callable[[int | MercerError], None]) -> None:
        self._doors, self._seconds, self._tell = doors, minutes * 60, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def __enter__(self) -> Beat:
        if self._seconds > 0:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._seconds > 0:
            self._thread.join(timeout=10)  # counting a large shop for the first time may take longer: let it go

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._tell(self._doors.refresh())
            except MercerError as error:
                self._tell(error)
