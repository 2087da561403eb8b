"""The recommendation door: a shopper, an item and a scene in; a page of products, each with its reason, out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercer.errors import NotFoundError, RequestError
from mercer.rank.recommend_reason import recommend_reason
from mercer.rank.rule_book import RuleBook
from mercer.rank.rules import Ruling, placed
from mercer.recommend.ruled import RULE, Ruled
from mercer.recommend.settings import SCENES, RecommendSettings
from mercer.records import Contribution, Filter, Hit, Page, Product, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import Index
from mercer.retrieve.row import Rows
from mercer.retrieve.signals import Asked, Signals
from mercer.retrieve.similar import Similar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Recommend"]

FRESH = 7 * 86_400_000
"""Milliseconds: "this week" is said only while the last event that was learnt from is younger."""
SOLD_OUT = (Filter("in_stock", ("false",)),)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Scores of every row and their parts, with the rows of the answer in order."""

    parts: Mapping[str, NDArray[np.float64]]
    values: Mapping[str, NDArray[np.float64]]
    shown: NDArray[np.int64]
    total: int


class Recommend:
    """Call it with a Request; it answers with a Page. Safe to call from several threads."""

    def __init__(
        self,
        index: Index,
        behaviour: Behaviour,
        *,
        settings: RecommendSettings | None = None,
        version: str = "",
        clock: Callable[[], float] = time.time,
        rules: RuleBook | None = None,
    ) -> None:
        self.index, self.behaviour, self.version = index, behaviour, version
        self.settings = settings or RecommendSettings()
        self._clock = clock
        rows = Rows(index.columns, behaviour.products)
        self._signals = Signals(behaviour, Similar(index, None, self.settings.content), rows)
        self._rows, self._ruled = rows, Ruled(index, rules)

    def __call__(self, request: Request) -> Page:
        """Answer one request.

        Raises:
            RequestError: a scene, k, offset or filter that cannot be served, or a scene that lacks its item.
            NotFoundError: the item of `similar` or `together` is not in the catalogue.
        """
        start = time.perf_counter()
        self._check(request)
        asked = Asked.of(request, self.behaviour, self._rows, past=self.settings.past)
        ruling = self._ruled(request)
        allowed = self._ruled.allowed(ruling, self._allowed(request, asked))
        found = time.perf_counter()
        ranked = self._rank(request, asked, allowed, ruling)
        scored = time.perf_counter()
        hits = self._hits(request, asked, ranked)
        stages = {
            "filter": (found - start) * 1000,
            "rank": (scored - found) * 1000,
            "explain": (time.perf_counter() - scored) * 1000,
        }
        return Page(
            uuid.uuid4().hex, hits, ranked.total, degraded=self._degraded(request, ranked), stages=stages,
            rules=ruling.said()[0],
        )  # fmt: skip

    def _check(self, request: Request) -> None:
        limit = self.settings.deepest
        if request.scene not in SCENES:
            raise RequestError(f"scene is {request.scene!r}", cure=f"give one of {', '.join(SCENES)}")
        if not 1 <= request.k <= limit:
            raise RequestError(f"k is {request.k}", cure=f"give a whole number from 1 to {limit}")
        if not 0 <= request.offset <= limit:
            raise RequestError(f"offset is {request.offset}", cure=f"give a whole number from 0 to {limit}")
        if request.scene in ("similar", "together"):
            if not request.item and (request.scene == "similar" or not request.shopper.products):
                raise RequestError(f"scene {request.scene} has no item", cure="give the id of the product it is about")
            if request.item and request.item not in self.index.columns.row:
                raise NotFoundError(
                    f"product {request.item[:80]!r} is not in the index", cure="give the id of a product of the shop"
                )

    def _allowed(self, request: Request, asked: Asked) -> NDArray[np.bool_]:
        """Which rows may be shown, shape (rows,)."""
        columns = self.index.columns
        allowed = columns.mask(request.filters)
        if self.settings.exclude_sold_out:
            allowed &= ~columns.mask(SOLD_OUT)[: len(allowed)]
        out = {*request.exclude, request.item}
        if request.scene not in ("similar", "trending"):
            out.update(asked.ids if self.settings.exclude_seen else ())
        if request.scene in ("home", "next") and self.settings.exclude_bought:
            out.update(asked.bought)
        rows = [row for id in out if (row := columns.row.get(id, len(allowed))) < len(allowed)]
        allowed[rows] = False
        return allowed

    def _rank(self, request: Request, asked: Asked, allowed: NDArray[np.bool_], ruling: Ruling) -> _Ranked:
        """Score every row; home, next and trending go on with the rest of the catalogue, the others stop."""
        import numpy as np

        from mercer.measure.recommended import top

        weights = {signal: weight for signal, weight in getattr(self.settings, request.scene).items() if weight > 0}
        values, parts, scores = {}, {}, np.zeros(len(allowed))
        for signal, weight in weights.items():
            value, usual = self._signals(signal, asked, filters=request.filters, size=len(allowed))
            values[signal], parts[signal] = value, weight * value / (value + usual)
            scores += parts[signal]
        pins = self._ruled.pins(ruling, allowed)
        if request.scene in ("similar", "together"):
            allowed = allowed & (scores > 0)
        for signal, value, part in self._ruled.points(ruling, len(allowed)):
            values[signal], parts[signal], scores = value, part, scores + part
        for row, (place, signal) in pins.items():
            parts.setdefault(signal, np.zeros(len(allowed)))
            values.setdefault(signal, np.full(len(allowed), np.nan))[row] = place + 1
            allowed[row] = False
        total, last = int(allowed.sum()) + len(pins), request.offset + request.k
        if not total or request.offset >= total:
            return _Ranked(parts, values, np.empty(0, dtype=np.int64), total)
        order = top(np.where(allowed, scores, -np.inf)[None, :], k=last)[0]
        order = placed(order[order >= 0], {place: row for row, (place, _) in pins.items()})
        return _Ranked(parts, values, order[request.offset : last], total)

    def _hits(self, request: Request, asked: Asked, ranked: _Ranked) -> tuple[Hit, ...]:
        import numpy as np

        columns = self.index.columns
        ids = [columns.ids[row] for row in ranked.shown.tolist()]
        known = {product.id: product for product in self.index.products(ids)}
        reasons = self._reasons(request, asked, ranked, ids)
        hits = []
        for place, (id, row) in enumerate(zip(ids, ranked.shown.tolist(), strict=True)):
            if id in known:  # it may have been deleted since it was found
                lines = tuple(
                    Contribution(signal, float(ranked.values[signal][row]), float(part[row]))
                    for signal, part in ranked.parts.items()
                    if part[row] > 0 or (signal.startswith(RULE) and not np.isnan(ranked.values[signal][row]))
                )
                hits.append(Hit(known[id], sum(line.part for line in lines), reasons[place], lines))
        return tuple(hits)

    def _reasons(self, request: Request, asked: Asked, ranked: _Ranked, ids: list[str]) -> list[str]:
        """The reason that goes with each hit's largest part."""
        import numpy as np

        names = [name for name in ranked.parts if not name.startswith(RULE)]
        if not ids or not names:
            return [""] * len(ids)
        table = np.array([ranked.parts[name][ranked.shown] for name in names])
        largest = [names[at] if table[at, place] > 0 else "" for place, at in enumerate(table.argmax(axis=0))]
        codes = self._rows.codes(int(ranked.shown.max()) + 1)[ranked.shown]
        anchors = self._signals.anchors(largest, asked, codes=codes, ids=ids)
        titles = self._titles({anchor for anchor in anchors if anchor})
        chinese = request.context.get("language", "en").startswith("zh")
        kinds = [self._kind(request, asked, *one) for one in zip(largest, anchors, codes.tolist(), strict=True)]
        return [
            recommend_reason(kind, titles.get(anchor, ""), chinese=chinese)
            for kind, anchor in zip(kinds, anchors, strict=True)
        ]

    def _kind(self, request: Request, asked: Asked, signal: str, anchor: str, code: int) -> str:
        """Which sentence is true of a hit whose largest part is `signal`."""
        fresh = self._clock() * 1000 - self.behaviour.end <= FRESH
        if signal == "behaviour":
            if request.scene in ("similar", "together"):
                return "also"
            return "bought" if anchor in asked.bought else "viewed"
        if signal == "popular":
            popular = self.behaviour.popular
            return "week" if fresh and popular.week[code] >= popular.weekly else "popular"
        if signal == "trending":
            return "rising" if fresh else "rose"
        return signal

    def _titles(self, ids: set[str]) -> dict[str, str]:
        found: list[Product] = self.index.products(sorted(ids))
        return {product.id: product.title for product in found}

    def _degraded(self, request: Request, ranked: _Ranked) -> str:
        if not self.behaviour.events and request.scene != "similar":
            return "no events yet: by content and catalogue order only"
        if request.scene == "together" and not ranked.total:
            return "nothing is known to be bought together with it yet"
        return ""
