"""What the server asks of a shop: the promise that `mercer.doors.Doors` keeps, and a double in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mercer.events.answer import Answer
from mercer.rank.rule_book import RuleBook
from mercer.rank.rule_conflict import Conflict
from mercer.records import Event, Filter, Impression, Page, Product, Request, Shopper
from mercer.search.effort import Effort

__all__ = ["ArmDoors", "Catalogue", "Doors", "Log"]


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


class ComparedPages(Protocol):
    """One query without and with rules."""

    @property
    def query(self) -> str: ...

    @property
    def before(self) -> Page: ...

    @property
    def after(self) -> Page: ...


class Seen(Protocol):
    """What rules would do; as `mercer.doors.preview.Preview`."""

    @property
    def pages(self) -> Sequence[ComparedPages]: ...

    @property
    def touched(self) -> int: ...

    @property
    def log(self) -> int: ...

    @property
    def conflicts(self) -> Sequence[Conflict]: ...


class ArmDoors(Protocol):
    """Search and recommendation, as an arm of an experiment has them."""

    def search(self, request: Request, *, effort: Effort = "full") -> Page: ...

    def recommend(self, request: Request) -> Page: ...


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

    @property
    def rules(self) -> RuleBook: ...

    def conflicts(self) -> list[Conflict]:
        """What is wrong with the rules in force and planned."""
        ...

    def preview(
        self, rows: Sequence[object], ids: Sequence[str], *, queries: Sequence[str], k: int, request: Request
    ) -> Seen:
        """What rules that are not kept yet, or kept ones by id, would do."""
        ...

    def search(self, request: Request, *, effort: Effort = "full") -> Page:
        """`effort` is less than full where the answer is needed sooner."""
        ...

    def recommend(self, request: Request) -> Page: ...

    def arm(self, settings: Mapping[str, Any]) -> ArmDoors:
        """The two doors as an arm of an experiment has them; RequestError where its settings cannot be."""
        ...

    def shown(self, impressions: Sequence[Impression], answer: Answer | None = None) -> None:
        """Note an answer and what it showed; it does not wait for the disk."""
        ...

    def suggest(self, prefix: str, k: int = 10) -> list[str]: ...

    def product(self, id: str) -> Product | None: ...

    def shopper(self, id: str, session: str = "") -> Shopper:
        """What they did lately; where the id is empty, what a session of nobody known did."""
        ...

    def portrait(self, shopper: str) -> object:
        """A frozen record of what is known of a shopper; NotFoundError where nothing is."""
        ...

    def prefer(self, shopper: str, field: str, value: str, *, wanted: bool | None) -> None:
        """Keep what a shopper wants or not; None takes it back."""
        ...

    def erase(self, shopper: str) -> object:
        """Take a shopper out of everything; a record that proves it."""
        ...

    def upsert(self, products: Sequence[Product]) -> object:
        """Visible to the next search when it returns."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """How many were there."""
        ...

    def close(self) -> None: ...
