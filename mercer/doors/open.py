"""A shop folder in, its two front doors and what they share out; one process holds them open."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.doors.arm import ArmDoors, Arms
from mercer.doors.build import encoder_settings
from mercer.doors.catch_up import apply_changes, caught_up, missed_changes
from mercer.doors.noted import models, noted
from mercer.doors.people import ShopperDoors, recommending
from mercer.doors.preview import Preview, drafted, found_conflicts, preview
from mercer.doors.ranked import open_learned
from mercer.doors.settings import Settings
from mercer.doors.words import sold_out, understanding
from mercer.encode import Encoder, EncodeSettings, load
from mercer.errors import ModelError, NotFoundError, RequestError, ShopLocked
from mercer.events.accept import accept_products
from mercer.events.answer import Answer
from mercer.events.log import Change, EventLog
from mercer.events.profile import Profile
from mercer.rank.reranker import Reranker, open_reranker
from mercer.rank.rule_book import RuleBook
from mercer.rank.rule_conflict import Conflict
from mercer.records import Impression, Page, Product, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import Index, IndexSettings, open_index
from mercer.retrieve.text import TextSettings, passage
from mercer.search import Search, System
from mercer.search.effort import Effort, Less
from mercer.search.ruled import READING
from mercer.shop import Shop
from mercer.understand.spelling import Spelling
from mercer.understand.suggest import Suggest
from mercer.understand.understand import Understand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mercer.search.learned import Learned

__all__ = ["Doors", "open_doors"]


class Doors(ShopperDoors):
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
        reranker: Reranker | None = None,
        understand: Understand | None = None,
        spelling: Spelling | None = None,
        rules: RuleBook | None = None,
        learned: Learned | None = None,
        profile: Profile | None = None,
    ) -> None:
        super().__init__()
        self.shop, self.version, self.index, self.encoder, self.events = shop, version, index, encoder, events
        self._suggest, self._profile = suggest, profile or Profile(events)
        self._spelling, self._learned = spelling, learned
        self.models = models(encoder, learned, reranker)
        self.rules = rules or RuleBook(shop, reading=READING, settings=settings.rules)
        self._search = Search(
            index,
            encoder,
            settings=settings.search,
            ranking=settings.rank,
            popularity=_popularity(behaviour),
            reranker=reranker,
            understand=understand,
            rules=self.rules,
            learned=learned,
        )
        self.encoding: EncodeSettings | None = None
        """With which the encoder was loaded, where `open_doors` did so."""
        self._less = Less(self._search)
        self._recommend = recommending(index, behaviour, settings, version=version, rules=self.rules, log=events)
        self._writing, self._arms = threading.Lock(), Arms(self, settings)

    def search(self, request: Request, *, system: System = "hybrid", effort: Effort = "full") -> Page:
        """See `search.Search`; `effort` is less than full where the answer is needed sooner."""
        return self._search(request, system=system) if effort == "full" else self._less(request, effort)

    @property
    def searching(self) -> Search:
        """The search door, for who looks into it."""
        return self._search

    def recommend(self, request: Request) -> Page:
        """See `recommend.Recommend`."""
        return self._recommend(request)

    def arm(self, settings: Mapping[str, Any]) -> ArmDoors:
        """The two doors as an arm of an experiment has them; see `doors.arm.changed`."""
        return self._arms(settings)

    def suggest(self, prefix: str, k: int = 10) -> list[str]:
        """Completions of what has been typed so far, best first; none whose few products are all sold out now."""
        return self._suggest(prefix, k, gone=sold_out(self.index.columns))

    def conflicts(self) -> list[Conflict]:
        """What is wrong with the shop's rules."""
        return found_conflicts(self)

    def preview(self, rows: Sequence[object], ids: Sequence[str] = (), **how: Any) -> Preview:
        """What rules as the API takes them, or kept ones by id, would do; see `doors.preview.preview`."""
        return preview(self, *drafted(self, rows, ids), **how)

    def product(self, id: str) -> Product | None:
        """One product, or None."""
        found = self.index.products([id])
        return found[0] if found else None

    def shown(self, impressions: Sequence[Impression], answer: Answer | None = None) -> None:
        """Note what an answer showed, and where; of the query, without numbers of people."""
        self.events.shown(impressions, answer and noted(answer, self.models))

    def upsert(self, products: Sequence[Product]) -> int:
        """Insert or replace products: durable, and found by the next search, when it returns.

        Raises:
            RequestError: an id, text or number that cannot be kept; nothing was changed.
        """
        _accept(products)
        vectors = self.encoder(list(map(passage, products)), side="passage")
        with self._writing:
            self.events.record_changes(upserts=products)
            self.index.upsert(products, vectors)
        self._read_words(products)
        return len(products)

    def follow(self, changes: Iterable[Change]) -> int:
        """Take in what the log has and this version lacks; how many products that were."""
        with self._writing:
            missed = missed_changes(self.index, changes)
            apply_changes(self.index, missed, self.encoder)
        self._read_words([change.product for change in missed if change.product])
        return len(missed)

    def _read_words(self, products: Sequence[Product]) -> None:
        self.searching.understand.knowledge.add(products)
        if self._spelling:
            self._spelling.add(products)
        if self._learned:
            self._learned.features.facts.add(products)

    def delete(self, ids: Iterable[str]) -> int:
        """Take products out; how many were there comes back."""
        with self._writing:
            there = [id for id in dict.fromkeys(ids) if id in self.index.columns.row]
            self.events.record_changes(deletes=there)
            return self.index.delete(there)

    def close(self, *, events: bool = True) -> None:
        """Flush and let go of every file; of the log too, unless another version goes on with it."""
        self.index.close()
        if events:
            self.events.close()


def open_doors(
    folder: Path | str,
    settings: Settings | None = None,
    *,
    version: str = "",
    writable: bool = True,
    beside: Doors | None = None,
) -> Doors:
    """Open a shop's live index version, or the one named.

    Args:
        folder: of the shop.
        settings: of every room; how the index was built is read from its card, not from here.
        version: an index version; "" is the live one.
        writable: False lets several processes look at once, where none writes.
        beside: open doors of another version, whose log, profiles and (where it is the same) encoder are shared.

    Raises:
        NotFoundError: no shop, or no index.
        ShopLocked: another process holds the index open.
        ModelError: the encoder is not the one that the index was built with, or the reranker cannot be opened.
    """
    shop, chosen = Shop(folder), settings or Settings()
    live = shop.live("index")
    version = version or (live.version if live else "")
    if not version:
        raise NotFoundError(f"{shop.folder} has no index", cure=f"run: mercer index {shop.folder}")
    card, path = shop.card("index", version), shop.path("index", version)
    built = _built_with(card["retrieve"])
    encoding = encoder_settings(shop, chosen.encode, card["encoder"])
    encoder = beside.encoder if beside and beside.encoding == encoding else load(settings=encoding)
    if _weights(encoder.name) != _weights(card["encoder"]["name"]):
        raise ModelError(
            f"index {version} was built with encoder {card['encoder']['name']}, now there is {encoder.name}",
            cure=f"run: mercer index {shop.folder}",
        )
    named = chosen.rank.reranker  # what the index was published with says nothing of another
    chosen = dataclasses.replace(chosen, rank=chosen.rank.closed({} if named else card.get("rerank", {})))
    reranker = _reranker(shop, chosen, card)
    opened = functools.partial(
        open_index,
        path / "products",
        dimension=encoder.dimension,
        settings=dataclasses.replace(built, searching=chosen.retrieve.searching, grams=chosen.retrieve.grams),
    )
    with contextlib.ExitStack() as stack:
        events = beside.events if beside else stack.enter_context(contextlib.closing(EventLog(shop.events)))
        changes = events.changes(card["changes"]) if "changes" in card else []
        try:
            index = stack.enter_context(contextlib.closing(opened(read_only=not writable)))
        except ShopLocked as error:
            raise ShopLocked(
                f"{shop.folder} is open in another process", cure="ask that one (mercer serve) over HTTP, or stop it"
            ) from error
        if missed := missed_changes(index, changes):
            index = stack.enter_context(contextlib.closing(caught_up(index, missed, encoder, opened, writable)))
        behaviour, suggest = Behaviour.load(path / "behaviour"), Suggest.load(path / "suggest.json")
        rules = RuleBook(shop, reading=READING, settings=chosen.rules).checked()
        spelling = Spelling.load(path / "spelling.json", settings=chosen.spelling)
        spelling.add(change.product for change in changes if change.product)
        named = chosen.rank.ranker
        learned = open_learned(shop, version, card, named=named, index=index, behaviour=behaviour, changes=changes)
        stack.pop_all()
    doors = Doors(
        shop,
        version,
        index=index,
        encoder=encoder,
        behaviour=behaviour,
        suggest=suggest,
        events=events,
        settings=chosen,
        reranker=reranker,
        understand=understanding(shop, path, chosen, spelling),
        spelling=spelling,
        rules=rules,
        learned=learned,
        profile=beside._profile if beside else None,
    )
    doors.encoding = encoding
    return doors


def _reranker(shop: Shop, settings: Settings, card: Mapping[str, Any]) -> Reranker | None:
    """The cross-encoder that the owner or the index's card names, where the last stage of ranking is on."""
    name = settings.rank.reranker or card.get("reranker", "")
    if not (settings.rank.rerank and name):
        return None
    folder = shop.path("models", name) if name in shop.versions("models") else Path(name).expanduser()
    return open_reranker(folder, settings=settings.encode)


def _weights(name: str) -> str:
    """The hash in an encoder's name; before it is only what its folder is called."""
    return name.rpartition("-")[2]


def _accept(products: Sequence[Product]) -> None:
    """Refuse what could not be read back.

    Raises:
        RequestError: an id that is no text, text that is no Unicode, a number that is not finite.
    """
    for product in products:
        for name in ("price", "list_price", "rating", "stock", "rating_count"):
            value = getattr(product, name)
            if value is not None and not abs(value) <= sys.float_info.max:
                raise RequestError(
                    f"{name} of product {product.id!r:.80} is not finite", cure="give a finite number or leave it out"
                )
    accept_products((product.id, json.dumps(product.to_row(), ensure_ascii=False), 0) for product in products)


def _built_with(card: Mapping[str, Any]) -> IndexSettings:
    return IndexSettings(**{**card, "text": TextSettings(**card["text"])})


def _popularity(behaviour: Behaviour) -> Mapping[str, float]:
    """Each product's share of what shoppers wanted lately."""
    values = behaviour.popular.value
    total = float(values.sum()) or 1.0
    return dict(zip(behaviour.products.names.to_pylist(), (values / total).tolist(), strict=True))
