"""An open shop and what an arm of an experiment changes in; the two doors as that arm has them, out."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mercer.doors.ranked import OFF, open_learned
from mercer.doors.settings import Settings
from mercer.errors import MercerError, RequestError
from mercer.rank.rule_book import RuleBook
from mercer.rank.rules import Rules
from mercer.recommend import Recommend
from mercer.records import Page, Request
from mercer.search import Search
from mercer.search.effort import Effort, Less

if TYPE_CHECKING:
    from mercer.doors.open import Doors

__all__ = ["SECTIONS", "ArmDoors", "Arms", "changed"]

SECTIONS = ("rank", "search", "recommend")
"""Sections of mercer.toml of which an arm may change settings: those that cost no other index."""
RULES = "rules"
"""``off``, or a list of ids of rules that the arm goes without."""
HELD = 12
"""Arms whose doors are kept open; another one takes the place of the one that was asked longest ago."""


def changed(settings: Settings, arm: Mapping[str, Any]) -> Settings:
    """Settings as an arm has them: ``{"rank.dense": 0.5, "recommend.patience": 0}`` over the shop's own.

    Raises:
        RequestError: a name that is no setting of an arm, or a value that cannot be.
    """
    for path, value in arm.items():
        if path == RULES:
            if value != OFF and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                raise RequestError(f"{RULES} is {value!r:.80}", cure='give "off", or a list of ids to go without')
            continue
        section, _, rest = path.partition(".")
        if section not in SECTIONS or not rest:
            cure = f"give {RULES}, or SECTION.NAME of {', '.join(SECTIONS)}"
            raise RequestError(f"an arm sets {path!r:.80}", cure=cure)
        settings = _replaced(settings, path.split("."), value, path)
    return settings


def _replaced(settings: Any, path: Sequence[str], value: Any, whole: str) -> Any:
    """A frozen settings class with one value of it, or of one within it, changed."""
    name, *rest = path
    if isinstance(settings, Mapping) and not rest:
        return {**settings, name: value}
    known = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)} if (
        dataclasses.is_dataclass(settings)
    ) else {}  # fmt: skip
    if name not in known:
        raise RequestError(f"an arm sets {whole!r:.80}", cure=f"{name} is none of: {', '.join(sorted(known))}")
    try:
        new = _replaced(known[name], rest, value, whole) if rest else _fit(value, known[name], whole)
        return dataclasses.replace(settings, **{name: new})
    except (TypeError, AttributeError, MercerError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"an arm sets {whole} to {value!r:.80}", cure=str(error)) from error


def _fit(value: Any, before: Any, whole: str) -> Any:
    """The value in the type that the setting has."""
    if isinstance(before, tuple) and isinstance(value, list):
        return tuple(value)
    kinds = (int, float) if isinstance(before, float) else type(before)
    if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(before, bool):
        raise RequestError(f"an arm sets {whole} to {value!r:.80}", cure=f"give a value such as {before!r}")
    return value


class ArmDoors:
    """Search and recommendation of one open version, with what an arm changes."""

    def __init__(self, search: Search, recommend: Recommend, book: RuleBook, without: Any) -> None:
        self._search, self._recommend, self._book, self._without = search, recommend, book, without
        self._less = Less(search)

    def search(self, request: Request, *, effort: Effort = "full") -> Page:
        """As `Doors.search`."""
        if effort != "full":
            return self._less(request, effort)
        return self._search(request, rules=self._rules())

    def recommend(self, request: Request) -> Page:
        """As `Doors.recommend`."""
        return self._recommend(request)

    def _rules(self) -> Rules | None:
        """The shop's rules of this moment without some; None where the door's own hold."""
        if not isinstance(self._without, list):
            return None
        rules = self._book.rules
        return dataclasses.replace(rules, rules=tuple(one for one in rules.rules if one.id not in self._without))


class Arms:
    """The arms of one open version, each made when it is first asked for. Safe to call from several threads."""

    def __init__(self, doors: Doors, settings: Settings) -> None:
        self._doors, self._settings = doors, settings
        self._made: OrderedDict[str, ArmDoors] = OrderedDict()
        self._taught: object = None
        self._lock = threading.Lock()

    def __call__(self, arm: Mapping[str, Any]) -> ArmDoors:
        """Its doors.

        Raises:
            RequestError: settings that cannot be. NotFoundError, ModelError: a ranker that cannot be opened.
        """
        key = json.dumps(arm, sort_keys=True)
        with self._lock:
            if self._taught is not self._doors._recommend:  # new events have been learnt
                self._made.clear()
                self._taught = self._doors._recommend
            if key not in self._made:
                self._made[key] = self._make(arm)
                if len(self._made) > HELD:
                    self._made.popitem(last=False)
            self._made.move_to_end(key)
            return self._made[key]

    def _make(self, arm: Mapping[str, Any]) -> ArmDoors:
        doors, settings = self._doors, changed(self._settings, arm)
        parts: dict[str, Any] = {"settings": settings.search, "ranking": settings.rank}
        if settings.rank.ranker != self._settings.rank.ranker:
            parts["learned"] = self._learned(settings.rank.ranker)
        if settings.rank.rerank == 0:
            parts["reranker"] = None
        if arm.get(RULES) == OFF:
            parts["rules"] = None
        book = None if arm.get(RULES) == OFF else doors.rules
        behaviour = doors._recommend.behaviour
        recommend = Recommend(doors.index, behaviour, settings=settings.recommend, version=doors.version, rules=book)
        return ArmDoors(doors.searching.otherwise(**parts), recommend, doors.rules, arm.get(RULES))

    def _learned(self, named: str) -> Any:
        doors = self._doors
        card = doors.shop.card("index", doors.version)
        changes = doors.events.changes(card["changes"]) if "changes" in card else []
        return open_learned(
            doors.shop, doors.version, card, named=named, index=doors.index, behaviour=doors._recommend.behaviour,
            changes=changes,
        )  # fmt: skip
