"""A shopper's id in; what they did lately, as the log has it at this moment, out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mercer.errors import SettingsError
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.records import Event, Filter, Impression, Shopper

__all__ = ["Profile", "ProfileSettings"]

WANTED = ("view", "click", "add_to_cart", "purchase", "like")
UNWANTED = ("refund", "dislike")
READ = 4
"""Events read for each product kept: most products are viewed, clicked and carted. A guess; issue 7 will measure it."""
DAY = 86_400_000
"""Milliseconds."""
FRESH = 3_600_000
"""Milliseconds after which what was shown is counted again, as the oldest of it leaves the window."""

Actor = tuple[str, str]
"""A shopper's id and "", or "" and a session of nobody known."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """How much of a shopper is remembered."""

    products: int = 50
    """Different products of a shopper's recent past."""
    cached: int = 10_000
    """Shoppers held in memory; about 10 kB each at most."""
    window: float = 7.0
    """Days in which what was shown and left alone is counted."""

    def __post_init__(self) -> None:
        for name in ("products", "cached"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 1 or more")
        if not 0 < self.window <= 366:
            raise SettingsError(f"window is {self.window}", cure="give days above 0, at most 366")


@dataclass(slots=True)
class _Known:
    shopper: Shopper | None
    """None where an event has come since it was read."""
    shown: dict[str, int]
    counted: int
    """When `shown` was counted, UTC ms."""


class Profile:
    """The live profiles of a shop's shoppers, and of sessions that nobody has signed in to.

    What an `append` to the same log has acknowledged is in the next profile. What another process writes is seen
    once the shopper does something here, or is no longer cached.
    """

    def __init__(
        self, log: EventLog, settings: ProfileSettings | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._log, self._people, self._settings, self._clock = log, People(log), settings or ProfileSettings(), clock
        self._cache: OrderedDict[Actor, _Known] = OrderedDict()
        self._lock = threading.Lock()
        log.listen(self._did, self._saw)

    def shopper(self, id: str, session: str = "") -> Shopper:
        """Recent products, each once at its last time, the most recent last.

        What the session did before it was known whose it is counts too. A refund or a dislike takes a product out
        until it is wanted again; impressions are not the shopper's doing. An unknown or empty id has no products.
        """
        known = self._known((id, ""))
        early = self._known(("", session)) if session else None
        if early is None or not (early.products or early.shown):
            return known
        moments = dict(zip(known.products, known.times, strict=True))
        for product, moment in zip(early.products, early.times, strict=True):
            moments[product] = max(moment, moments.get(product, 0))
        order = sorted(moments, key=moments.__getitem__)[-self._settings.products :]
        return replace(
            known,
            products=tuple(order),
            times=tuple(moments[product] for product in order),
            shown={**early.shown, **known.shown},
        )

    def forget(self, id: str) -> None:
        """Read this shopper, and every session, from the log again: something about them has changed."""
        with self._lock:
            for actor in [actor for actor in self._cache if actor[0] in (id, "")]:
                del self._cache[actor]

    def _known(self, actor: Actor) -> Shopper:
        now = int(self._clock() * 1000)
        with self._lock:  # held while reading, so that no older answer can be cached after `_did`
            known = self._cache.get(actor)
            if known is None or now - known.counted > FRESH:
                since = now - int(self._settings.window * DAY)
                known = self._cache[actor] = _Known(None, self._people.untouched(*actor, since=since), now)
                if len(self._cache) > self._settings.cached:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(actor)
            shopper = known.shopper = known.shopper or self._read(actor)
            return replace(shopper, shown=dict(known.shown)) if known.shown else shopper

    def _read(self, actor: Actor) -> Shopper:
        id, session = actor
        past: dict[str, int] = {}
        for event in self._log.recent(id, READ * self._settings.products, session=session):
            if event.type in WANTED:
                past.pop(event.product, None)
                past[event.product] = event.time
            elif event.type in UNWANTED:
                past.pop(event.product, None)
        last = list(past.items())[-self._settings.products :]
        said = self._people.preferences(id) if id else []
        return Shopper(
            id,
            tuple(product for product, _ in last),
            tuple(moment for _, moment in last),
            muted=tuple(Filter(field, (value,)) for field, value, wanted in said if not wanted),
            wanted=tuple(Filter(field, (value,)) for field, value, wanted in said if wanted),
        )

    def _did(self, events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                known = self._cache.get((event.shopper, "") if event.shopper else ("", event.session))
                if known is not None:
                    known.shopper = None
                    if event.type != "impression":
                        known.shown.pop(event.product, None)

    def _saw(self, impressions: Sequence[Impression]) -> None:
        with self._lock:
            for shown in impressions:
                known = self._cache.get((shown.shopper, "") if shown.shopper else ("", shown.session))
                if known is not None and shown.scene != "search":
                    known.shown[shown.product] = known.shown.get(shown.product, 0) + 1
