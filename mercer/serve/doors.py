"""What the server asks of a shop: the promise that `mercer.doors.Doors` keeps, and a double in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mercer.records import Event, Filter, Impression, Page, Product, Request, Shopper

__all__ = ["Catalogue", "Doors", "Log"]


class Catalogue(Protocol):
    """The part of an index that the server reads."""

    def count(self, filters: Sequence[Filter] = ()) -> int: ...

    def ids(self) -> list[str]: ...

    def products(self, ids: Sequence[str]) -> list[Product]:
        """Those that are there; missing ids are skipped."""
        ...


class Log(Protocol):
    """The durable event log."""

    def append(self, events: Sequence[Event]) -> int:
        """How many were new; all are on disk when it returns."""
        ...


class Doors(Protocol):
    """One open shop. Calls may come from several threads at once."""

    @property
    def version(self) -> str:
        """Of the index that answers."""
        ...

    @property
    def index(self) -> Catalogue: ...

    @property
    def events(self) -> Log: ...

    def search(self, request: Request) -> Page: ...

    def recommend(self, request: Request) -> Page: ...

    def shown(self, impressions: Sequence[Impression]) -> None:
        """Note what an answer showed; it does not wait for the disk."""
        ...

    def suggest(self, prefix: str, k: int = 10) -> list[str]: ...

    def product(self, id: str) -> Product | None: ...

    def shopper(self, id: str, session: str = "") -> Shopper:
        """What they did lately; where the id is empty, what a session of nobody known did."""
        ...

    def upsert(self, products: Sequence[Product]) -> object:
        """Visible to the next search when it returns."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """How many were there."""
        ...

    def close(self) -> None: ...
