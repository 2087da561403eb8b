"""Work and minutes in; a thread that does it again and again out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from mercer.errors import MercerError

__all__ = ["Beat"]

Result = TypeVar("Result")


class Beat(Generic[Result]):
    """While it is entered, `work` is done every so often; an error is told and the next beat tries again."""

    def __init__(
        self, work: Callable[[], Result], *, minutes: float, tell: Callable[[Result | MercerError], None]
    ) -> None:
        self._work, self._seconds, self._tell = work, minutes * 60, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def __enter__(self) -> Beat[Result]:
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
                self._tell(self._work())
            except MercerError as error:
                self._tell(error)
