"""A shopper's id in; what they did lately, as the log has it at this moment, out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from mercer.errors import SettingsError
from mercer.events.log import EventLog
from mercer.records import Event, Shopper

__all__ = ["Profile", "ProfileSettings"]

WANTED = ("view", "click", "add_to_cart", "purchase", "like")
UNWANTED = ("refund", "dislike")
READ = 4
"""Events read for each product kept: most products are viewed, clicked and carted. A guess; issue 7 will measure it."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """How much of a shopper is remembered."""

    products: int = 50
    """Different products of a shopper's recent past."""
    cached: int = 10_000
    """Shoppers held in memory; about 10 kB each at most."""

    def __post_init__(self) -> None:
        for name in ("products", "cached"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 1 or more")


class Profile:
    """The live profiles of a shop's shoppers.

    What an `append` to the same log has acknowledged is in the next profile. What another process writes is seen
    once the shopper does something here, or is no longer cached.
    """

    def __init__(self, log: EventLog, settings: ProfileSettings | None = None) -> None:
        self._log, self._settings = log, settings or ProfileSettings()
        self._cache: OrderedDict[str, Shopper] = OrderedDict()
        self._lock = threading.Lock()
        log.listen(self._forget)

    def shopper(self, id: str) -> Shopper:
        """Recent products, each once at its last time, the most recent last.

        A refund or a dislike takes a product out until it is wanted again; impressions are not the shopper's doing.
        An unknown or empty id has no products.
        """
        with self._lock:  # held while reading, so that no older answer can be cached after `_forget`
            known = self._cache.get(id)
            if known is None:
                known = self._cache[id] = self._read(id)
                if len(self._cache) > self._settings.cached:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(id)
            return known

    def _read(self, id: str) -> Shopper:
        past: dict[str, int] = {}
        for event in self._log.recent(id, READ * self._settings.products):
            if event.type in WANTED:
                past.pop(event.product, None)
                past[event.product] = event.time
            elif event.type in UNWANTED:
                past.pop(event.product, None)
        last = list(past.items())[-self._settings.products :]
        return Shopper(id, tuple(product for product, _ in last), tuple(moment for _, moment in last))

    def _forget(self, events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                self._cache.pop(event.shopper, None)
