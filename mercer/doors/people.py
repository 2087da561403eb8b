"""An open shop's log, profiles and behaviour in; what is asked, told and erased of its shoppers, out."""

from __future__ import annotations

import threading

from mercer.doors.erase import Proof, erase
from mercer.doors.portrait import Portrait, portrait
from mercer.doors.refresh import Refresher
from mercer.doors.settings import Settings
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.events.profile import Profile
from mercer.events.tally import Tally
from mercer.rank.rule_book import RuleBook
from mercer.recommend import Recommend
from mercer.records import Filter, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.columns import check_filters
from mercer.retrieve.index import Index
from mercer.shop import Shop

__all__ = ["ShopperDoors", "recommending"]


def recommending(
    index: Index, behaviour: Behaviour, settings: Settings, *, version: str, rules: RuleBook, log: EventLog
) -> Recommend:
    """The recommendation door, which hears from the log what its exploring has brought."""
    return Recommend(index, behaviour, settings=settings.recommend, version=version, rules=rules, tally=Tally(log))


class ShopperDoors:
    """The part of `Doors` that is about people. Safe to call from several threads."""

    shop: Shop
    version: str
    index: Index
    events: EventLog
    _profile: Profile
    _recommend: Recommend

    def __init__(self) -> None:
        self._refresher: Refresher | None = None
        self._refreshing = threading.Lock()

    def shopper(self, id: str, session: str = "") -> Shopper:
        """What they did lately by the live log, and the session before they signed in; all of it where the id is ""."""
        return self._profile.shopper(id, session)

    def shoppers(self) -> list[str]:
        """Ids of everybody the index or the live log knows of, in order."""
        known = self._recommend.behaviour.pasts.shoppers.names.to_pylist()
        return sorted({*known, *People(self.events).ids()})

    def portrait(self, shopper: str) -> Portrait:
        """Who a shopper seems to be, and what says so: see `mercer.doors.portrait`."""
        return portrait(self.index, self._recommend.behaviour, self.events, shopper)

    def prefer(self, shopper: str, field: str, value: str, *, wanted: bool | None) -> None:
        """Keep what a shopper wants (True) or not (False) of a filter field; None takes it back.

        Raises:
            RequestError: an unknown field, or the empty id.
        """
        check_filters((Filter(field, (value,)),))
        People(self.events).prefer(shopper, field, value, wanted=wanted)
        self._profile.forget(shopper)

    def erase(self, shopper: str) -> Proof:
        """Take a shopper out of the shop's store and of this process's memory: see `mercer.doors.erase`."""
        with self._refreshing:
            proof = erase(self.shop, shopper, log=self.events)
            self._refresher = None  # it holds the events themselves
            self._recommend.behaviour.pasts.forget(shopper)
            self._profile.forget(shopper)
        return proof

    @property
    def refreshed(self) -> bool:
        """Whether `refresh` was called: what it learnt is not in the index."""
        return self._refresher is not None

    def refresh(self) -> int:
        """Learn the events since the index was built, or since the last call; how many there were.

        Popularity, trends, neighbours, baskets, contexts and pasts are then those of a new index; the linear model
        waits for `mercer index`. The first call counts everything once; pages are answered meanwhile.
        """
        with self._refreshing:
            if self._refresher is None:
                self._refresher = Refresher(
                    self.shop, self.version, self.index.ids(), self._recommend.behaviour.settings
                )
            behaviour, count = self._refresher(self.events, self._recommend.behaviour)
            if count:
                self._recommend = self._recommend.taught(behaviour)
        return count
