"""A shop folder in, its two front doors and what they share out; one process holds them open."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.doors.settings import Settings
from mercer.encode import Encoder, load
from mercer.errors import NotFoundError, ShopLocked
from mercer.events.log import EventLog
from mercer.events.profile import Profile
from mercer.recommend import Recommend
from mercer.records import Impression, Page, Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import Index, IndexSettings, open_index
from mercer.retrieve.text import TextSettings, passage
from mercer.search import Search, System
from mercer.shop import Shop
from mercer.understand.suggest import Suggest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Doors", "open_doors"]


class Doors:
    """One open shop: ask it, tell it, change its products. Safe to call from several threads."""

    def __init__(
        self,
        shop: Shop,
        version: str,
        *,
        index: Index,
        encoder: Encoder,
        behaviour: Behaviour,
        suggest: Suggest,
        events: EventLog,
        settings: Settings,
    ) -> None:
        self.shop, self.version, self.index, self.encoder, self.events = shop, version, index, encoder, events
        self._suggest, self._profile = suggest, Profile(events)
        self._search = Search(
            index, encoder, settings=settings.search, ranking=settings.rank, popularity=_popularity(behaviour)
        )
        self._recommend = Recommend(index, behaviour, settings=settings.recommend, version=version)
        self._writing = threading.Lock()

    def search(self, request: Request, *, system: System = "hybrid") -> Page:
        """See `search.Search`."""
        return self._search(request, system=system)

    def recommend(self, request: Request) -> Page:
        """See `recommend.Recommend`."""
        return self._recommend(request)

    def suggest(self, prefix: str, k: int = 10) -> list[str]:
        """Completions of what has been typed so far, best first."""
        return self._suggest(prefix, k)

    def product(self, id: str) -> Product | None:
        """One product, or None."""
        found = self.index.products([id])
        return found[0] if found else None

    def shopper(self, id: str) -> Shopper:
        """What this shopper did lately by the live log; the recommend door knows what came before."""
        return self._profile.shopper(id)

    def shown(self, impressions: Sequence[Impression]) -> None:
        """Note what an answer showed, and where."""
        self.events.shown(impressions)

    def upsert(self, products: Sequence[Product]) -> int:
        """Insert or replace products: durable, and found by the next search, when it returns."""
        vectors = self.encoder(list(map(passage, products)), side="passage")
        with self._writing:
            self.events.record_changes(upserts=products)
            self.index.upsert(products, vectors)
        return len(products)

    def delete(self, ids: Iterable[str]) -> int:
        """Take products out; how many were there comes back."""
        with self._writing:
            there = [id for id in dict.fromkeys(ids) if id in self.index.columns.row]
            self.events.record_changes(deletes=there)
            return self.index.delete(there)

    def close(self) -> None:
        """Flush and let go of every file."""
        self.index.close()
        self.events.close()


def open_doors(
    folder: Path | str, settings: Settings | None = None, *, version: str = "", writable: bool = True
) -> Doors:
    """Open a shop's live index version, or the one named.

    Args:
        folder: of the shop.
        settings: of every room; how the index was built is read from its card, not from here.
        version: an index version; "" is the live one.
        writable: False lets several processes look at once, where none writes.

    Raises:
        NotFoundError: no shop, or no index.
        ShopLocked: another process holds the index open.
    """
    shop, chosen = Shop(folder), settings or Settings()
    live = shop.live("index")
    version = version or (live.version if live else "")
    if not version:
        raise NotFoundError(f"{shop.folder} has no index", cure=f"run: mercer index {shop.folder}")
    card, path = shop.card("index", version), shop.path("index", version)
    built = _built_with(card["retrieve"])
    encode = dataclasses.replace(
        chosen.encode, source=card["encoder"]["source"], max_length=card["encoder"]["max_length"]
    )
    encoder = load(settings=encode)
    try:
        index = open_index(
            path / "products",
            dimension=encoder.dimension,
            settings=dataclasses.replace(built, searching=chosen.retrieve.searching, grams=chosen.retrieve.grams),
            read_only=not writable,
        )
    except ShopLocked as error:
        raise ShopLocked(
            f"{shop.folder} is open in another process", cure="ask that one (mercer serve) over HTTP, or stop it"
        ) from error
    return Doors(
        shop,
        version,
        index=index,
        encoder=encoder,
        behaviour=Behaviour.load(path / "behaviour"),
        suggest=Suggest.load(path / "suggest.json"),
        events=EventLog(shop.events),
        settings=chosen,
    )


def _built_with(card: Mapping[str, Any]) -> IndexSettings:
    return IndexSettings(**{**card, "text": TextSettings(**card["text"])})


def _popularity(behaviour: Behaviour) -> Mapping[str, float]:
    """Each product's share of what shoppers wanted lately."""
    values = behaviour.popular.value
    total = float(values.sum()) or 1.0
    return dict(zip(behaviour.products.names.to_pylist(), (values / total).tolist(), strict=True))
