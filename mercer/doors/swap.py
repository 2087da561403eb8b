"""A shop folder in; doors out that go on to each version that is made live, without a call that fails."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.doors.erase import Proof
from mercer.doors.open import Doors, open_doors
from mercer.doors.settings import Settings
from mercer.errors import MercerError, RequestError, ShopError, ShopLocked
from mercer.records import Product, Request

__all__ = ["LiveDoors", "Standing", "warm"]

WARM = 5
"""Queries asked of a version before shoppers ask it."""
DRAIN = 10.0
"""Seconds to wait for the last calls to a version that is to be opened again; then the next look tries."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which version serves, and why it is not another."""

    version: str
    since: int
    """UTC milliseconds."""
    swaps: int = 0
    """Versions taken up since the process began."""
    draining: int = 0
    """Versions before it that still answer calls which came earlier."""
    behind: str = ""
    """The live version that could not be taken up."""
    fault: MercerError | None = None
    """Why it could not."""


class LiveDoors:
    """`Doors` of whichever version is live. Safe to call from several threads.

    All calls within one `lease` go to one version; a call without goes to the newest. A version is closed when its last
    lease has ended. Products are always changed in the newest, which takes over what was changed while it was opened.
    """

    def __init__(self, folder: Path | str, settings: Settings | None = None) -> None:
        """Open the live version; raises what `open_doors` does."""
        self._settings = settings
        self._doors = open_doors(folder, settings)
        self._leased: ContextVar[Doors | None] = ContextVar("leased", default=None)
        self._turn, self._taking = threading.Condition(), threading.Lock()
        self._uses: Counter[Doors] = Counter()
        self._retired: list[Doors] = []
        self._writes, self._swapping = 0, False
        self._standing = Standing(self._doors.version, _now())

    def __getattr__(self, name: str) -> Any:
        """Whatever `Doors` has; a method holds its version while it works."""
        leased = self._leased.get()
        if leased is not None:
            return getattr(leased, name)
        found = getattr(self._doors, name)
        if not inspect.ismethod(found):
            return found

        @functools.wraps(found)
        def call(*given: Any, **named: Any) -> Any:
            with self.lease() as doors:
                return getattr(doors, name)(*given, **named)

        return call

    @contextlib.contextmanager
    def lease(self) -> Iterator[Doors]:
        """One version, for as long as it is needed."""
        with self._turn:
            doors = self._doors
            self._uses[doors] += 1
        token = self._leased.set(doors)
        try:
            yield doors
        finally:
            self._leased.reset(token)
            with self._turn:
                self._uses[doors] -= 1
                self._turn.notify_all()

    def standing(self) -> Standing:
        """Which version serves."""
        return self._standing

    def upsert(self, products: Sequence[Product]) -> int:
        """See `Doors.upsert`."""
        with self._newest() as doors:
            return doors.upsert(products)

    def newest(self, ids: Sequence[str]) -> list[Product]:
        """Products as the version has them that takes changes now, whichever is leased."""
        with self._newest() as doors:
            return doors.index.products(ids)

    def delete(self, ids: Iterable[str]) -> int:
        """See `Doors.delete`."""
        with self._newest() as doors:
            return doors.delete(ids)

    def erase(self, shopper: str) -> Proof:
        """See `Doors.erase`; no version is opened meanwhile, which might have read what goes."""
        with self._taking, self._newest() as doors:
            return doors.erase(shopper)

    def take(self) -> str:
        """Take up the version that is live now; its name, "" where it serves already.

        It is opened and asked a few questions first. Writers then wait until it has what was changed meanwhile; readers
        wait for nothing.

        Raises:
            MercerError: it cannot be opened, which `standing` says as well; the version before goes on.
        """
        with self._taking:
            self._close_retired()
            live = self._doors.shop.live("index")
            if live is None or live.version == self._doors.version:
                self._stand(behind="", fault=None)
                return ""
            try:
                self._swap(live.version)
            except MercerError as error:
                self._stand(behind=live.version, fault=error)
                raise
            except Exception as error:
                fault = ShopError(f"index {live.version} cannot be opened: {error!r}", cure="run: mercer index SHOP")
                self._stand(behind=live.version, fault=fault)
                raise fault from error
            self._stand(version=live.version, since=_now(), swaps=self._standing.swaps + 1, behind="", fault=None)
            self._close_retired()
            return live.version

    def close(self) -> None:
        """Close every version and the log."""
        with self._taking:
            for doors in self._retired:
                doors.close(events=False)
            self._retired.clear()
            self._doors.close()

    @contextlib.contextmanager
    def _newest(self) -> Iterator[Doors]:
        """The version that takes writes; no other takes its place before the write is done."""
        with self._turn:
            self._turn.wait_for(lambda: not self._swapping)
            self._writes += 1
            doors = self._doors
        try:
            yield doors
        finally:
            with self._turn:
                self._writes -= 1
                self._turn.notify_all()

    def _swap(self, version: str) -> None:
        before = self._doors
        self._drained(version)
        mark = before.events.last_change()
        fresh = open_doors(before.shop.folder, self._settings, version=version, beside=before)
        try:
            warm(fresh)
            if before.refreshed:
                fresh.refresh()
            with self._turn:
                self._swapping = True
                self._turn.wait_for(lambda: not self._writes)
            fresh.follow(fresh.events.changes(mark))
            with self._turn:
                self._doors = fresh
                self._retired.append(before)
        except BaseException:
            fresh.close(events=False)
            raise
        finally:
            with self._turn:
                self._swapping = False
                self._turn.notify_all()

    def _drained(self, version: str) -> None:
        """Wait until a version that is to come back has answered its last call of before."""

        def gone() -> bool:
            return all(self._uses[doors] == 0 for doors in self._retired if doors.version == version)

        with self._turn:
            if not self._turn.wait_for(gone, DRAIN):
                raise ShopLocked(f"index {version} still answers calls of before", cure="wait until they end")
        self._close_retired()

    def _close_retired(self) -> None:
        """Close what nobody asks any more."""
        with self._turn:
            over = [doors for doors in self._retired if not self._uses[doors]]
            self._retired = [doors for doors in self._retired if self._uses[doors]]
            for doors in over:
                del self._uses[doors]
        for doors in over:
            doors.close(events=False)
        self._stand(draining=len(self._retired))

    def _stand(self, **changes: Any) -> None:
        import dataclasses

        self._standing = dataclasses.replace(self._standing, **changes)


def warm(doors: Doors) -> None:
    """Ask what shoppers ask, so that the first of them does not wait for what is loaded on first use."""
    for words in doors.suggest("", WARM):
        with contextlib.suppress(RequestError):  # a completion that cannot be asked
            doors.search(Request(query=words, k=10, facets=("brand", "category", "price")))
    for scene in ("home", "trending"):
        doors.recommend(Request(scene, k=10))


def _now() -> int:
    return int(time.time() * 1000)
