"""The recommendation door: a shopper, an item and a scene in; a page of products, each with its reason, out."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercer.errors import NotFoundError, RequestError
from mercer.rank.hybrid import Scored
from mercer.rank.rule_book import RuleBook
from mercer.rank.rules import Ruling, placed
from mercer.rank.spread import Spread
from mercer.recommend.aside import muted, substitutes, tired
from mercer.recommend.explore import Explore, Explored, thompson
from mercer.recommend.reasons import Reasons
from mercer.recommend.ruled import RULE, Ruled
from mercer.recommend.settings import ABOUT, OWN, SCENES, RecommendSettings
from mercer.records import Contribution, Filter, Hit, Page, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import Index
from mercer.retrieve.row import Rows
from mercer.retrieve.signals import Asked, Signals
from mercer.retrieve.similar import Similar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Recommend"]

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
        seed: int | None = None,
        tally: Callable[[], Mapping[str, tuple[int, int]]] | None = None,
    ) -> None:
        """Over an index and what is known of behaviour; `tally` counts what exploring has shown, for Thompson's way."""
        self._tally = tally
        self.index, self.behaviour, self.version = index, behaviour, version
        self.settings = settings or RecommendSettings()
        self._clock = clock
        rows = Rows(index.columns, behaviour.products)
        self._spread = _spread(index, behaviour, self.settings)
        self._signals = Signals(behaviour, Similar(index, None, self.settings.content), rows)
        self._rows, self._ruled, self._explore = rows, Ruled(index, rules), Explore(seed)
        self._reasons = Reasons(index, behaviour, self._signals, rows, clock=clock)

    def taught(self, behaviour: Behaviour) -> Recommend:
        """The same door over what is known of behaviour by now."""
        return Recommend(
            self.index,
            behaviour,
            settings=self.settings,
            version=self.version,
            clock=self._clock,
            rules=self._ruled.book,
            tally=self._tally,
        )

    def __call__(self, request: Request) -> Page:
        """Answer one request.

        Raises:
            RequestError: a scene, k, offset or filter that cannot be served, or a scene that lacks its item.
            NotFoundError: the item of `similar` or `together` is not in the catalogue.
        """
        start = time.perf_counter()
        self._check(request)
        asked = Asked.of(request, self.behaviour, self._rows, past=self.settings.past, now=int(self._clock() * 1000))
        ruling = self._ruled(request)
        allowed = self._ruled.allowed(ruling, self._allowed(request, asked))
        found = time.perf_counter()
        ranked = self._rank(request, asked, allowed, ruling)
        scored = time.perf_counter()
        explored = self._explored(request, allowed, ranked)
        hits = self._hits(request, asked, ranked, explored)
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
        if request.scene == "basket" and not any(id in self.index.columns.row for id in request.basket):
            what = f"no product {', '.join(request.basket[:3])[:80]}" if request.basket else "no product"
            raise RequestError(f"the basket has {what} of the shop", cure="give the ids of the products in it")

    def _allowed(self, request: Request, asked: Asked) -> NDArray[np.bool_]:
        """Which rows may be shown, shape (rows,)."""
        import numpy as np

        columns = self.index.columns
        allowed = columns.mask(request.filters)
        if self.settings.exclude_sold_out:
            allowed &= ~columns.mask(SOLD_OUT)[: len(allowed)]
        out = {*request.exclude, request.item}
        if request.scene not in ("similar", "trending", "basket"):
            out.update(asked.ids if self.settings.exclude_seen else ())
        if request.scene in ("home", "next") and self.settings.exclude_bought:
            out.update(asked.bought)
            due = {id for id, chance in asked.due.items() if chance >= self.settings.due}
            out -= due - {*request.exclude, request.item}
        if request.scene == "basket":
            out.update(request.basket)
            if self.settings.exclude_substitutes:
                bound = self.behaviour.together.sum(asked.sequence) > 0
                loose = ~np.append(bound, False)[self._rows.codes(len(allowed))]
                allowed &= ~(substitutes(self.index, request.basket, len(allowed)) & loose)
        if request.shopper.muted and request.scene not in ABOUT:
            allowed &= ~muted(self.index, request, len(allowed))
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
        if request.scene in ABOUT:
            allowed = allowed & (scores - parts.get("context", 0.0) > 1e-12)
        elif self.settings.patience and request.shopper.shown and request.scene in OWN:
            share = tired(request.shopper.shown, self.index.columns.row, len(allowed), patience=self.settings.patience)
            values["tired"], parts["tired"] = share, -share * scores
            scores = scores + parts["tired"]
        for signal, value, part in self._ruled.points(ruling, len(allowed)):
            values[signal], parts[signal], scores = value, part, scores + part
        for row, (place, signal) in pins.items():
            parts.setdefault(signal, np.zeros(len(allowed)))
            values.setdefault(signal, np.full(len(allowed), np.nan))[row] = place + 1
            allowed[row] = False
        total, last = int(allowed.sum()) + len(pins), request.offset + request.k
        if not total or request.offset >= total:
            return _Ranked(parts, values, np.empty(0, dtype=np.int64), total)
        spread = self._spread if request.scene in OWN else None
        depth = self.settings.diversity.depth
        new = math.ceil(self.settings.diversity.fresh * depth) if spread else 0
        deep = max(last, depth) + new if spread else last
        order = top(np.where(allowed, scores, -np.inf)[None, :], k=deep)[0]
        order = order[order >= 0]
        if new:
            order = self._reached(order, np.where(allowed, scores, 0.0), depth - new, new)
        if spread:
            scored, order = spread(self.index.columns.ids, Scored(scores, parts, values), order)
            parts, values = scored.parts, scored.values
        order = placed(order, {place: row for row, (place, _) in pins.items()})
        return _Ranked(parts, values, order[request.offset : last], total)

    def _reached(
        self, order: NDArray[np.int64], scores: NDArray[np.float64], first: int, new: int
    ) -> NDArray[np.int64]:
        """The order with the best of what nobody has wanted yet from place `first` on: a floor moves no other up."""
        import numpy as np

        few = np.flatnonzero((self._rows.spread(self.behaviour.popular.value, len(scores)) <= 0) & (scores > 0))
        few = np.setdiff1d(few, order[:first])
        best = few[np.lexsort((few, -scores[few]))][:new]
        return np.concatenate([order[:first], best, order[first:][~np.isin(order[first:], best)]])

    def _explored(self, request: Request, allowed: NDArray[np.bool_], ranked: _Ranked) -> Explored:
        """The page, where the shop explores with a place given by chance to what few have found."""
        import numpy as np

        settings = self.settings
        if not settings.explore or request.scene not in OWN or request.offset:
            return Explored(ranked.shown, {})
        found = self._rows.spread(self.behaviour.popular.value, len(allowed)) >= settings.explore_below
        few = np.flatnonzero(allowed & ~found)
        chances = self._chances if settings.explore_how == "thompson" and self._tally else None
        place = settings.explore_place
        return self._explore(ranked.shown, few, chance=settings.explore, place=place, chances=chances)

    def _chances(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How likely each row is the one to show, by what showing it has brought."""
        import numpy as np

        assert self._tally is not None
        tally, ids = self._tally(), self.index.columns.ids
        counts = np.array([tally.get(ids[row], (0, 0)) for row in rows.tolist()], dtype=np.int64).reshape(-1, 2)
        return thompson(counts[:, 0], counts[:, 1])

    def _hits(self, request: Request, asked: Asked, ranked: _Ranked, explored: Explored) -> tuple[Hit, ...]:
        import numpy as np

        columns = self.index.columns
        ids = [columns.ids[row] for row in explored.rows.tolist()]
        known = {product.id: product for product in self.index.products(ids)}
        reasons = self._reasons(request, asked, ranked.parts, rows=explored.rows, ids=ids)
        hits = []
        for place, (id, row) in enumerate(zip(ids, explored.rows.tolist(), strict=True)):
            if id in known:  # it may have been deleted since it was found
                lines = tuple(
                    Contribution(signal, float(ranked.values[signal][row]), float(part[row]))
                    for signal, part in ranked.parts.items()
                    if part[row] != 0 or (signal.startswith(RULE) and not np.isnan(ranked.values[signal][row]))
                )
                reason = reasons[place] or (self._reasons.new(request) if place == explored.new else "")
                chance = explored.propensity.get(place)
                hits.append(Hit(known[id], sum(line.part for line in lines), reason, lines, chance))
        return tuple(hits)

    def _degraded(self, request: Request, ranked: _Ranked) -> str:
        if not self.behaviour.events and request.scene != "similar":
            return "no events yet: by content and catalogue order only"
        if request.scene == "basket" and not any(part[ranked.shown].any() for part in _parts(ranked, "together")):
            return "nothing is known to be bought with this basket: what shoppers turn to next, and what is popular"
        if request.scene == "together" and not ranked.total:
            return "nothing is known to be bought together with it yet"
        return ""


def _parts(ranked: _Ranked, signal: str) -> list[NDArray[np.float64]]:
    return [part for name, part in ranked.parts.items() if name == signal]


def _spread(index: Index, behaviour: Behaviour, settings: RecommendSettings) -> Spread | None:
    """The stage that spreads a page over kinds, where the shop wants it."""
    if not settings.diversity.on:
        return None
    wanted = dict(zip(behaviour.products.names.to_pylist(), behaviour.popular.value.tolist(), strict=True))
    return Spread(index, settings.diversity, wanted)
