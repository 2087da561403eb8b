"""One request in; each signal's value for every row of the index, and which of the past explains it, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.records import Filter, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.context import Context
from mercer.retrieve.history import DAY
from mercer.retrieve.past import Past
from mercer.retrieve.row import Rows
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.similar import Similar
from mercer.retrieve.taste import Taste

__all__ = ["SIGNALS", "Asked", "Signals"]

SIGNALS = ("linear", "behaviour", "content", "together", "popular", "trending", "taste", "context", "repeat")
DUE = 0.2
"""Chance of another purchase that counts as half of the most in a blend. A guess."""
CONTENT_PAST = 10
"""Latest products whose vectors make a shopper's taste; older ones weigh below 1 % at the usual recency."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recommendation starts from: products with how long ago each was, oldest first."""

    ids: list[str]
    sequence: Sequences
    """The same as codes of the behaviour's products, -1 where no event named one."""
    bought: frozenset[str]
    """Everything the shopper is known to have bought."""
    wanted: tuple[Filter, ...] = ()
    """What somebody said the shopper wants."""
    context: Mapping[str, str] = field(default_factory=dict)
    due: Mapping[str, float] = field(default_factory=dict)
    """Product that was bought → the chance that it is bought again within days."""
    ago: Mapping[str, float] = field(default_factory=dict)
    """The same → days since."""

    @classmethod
    def of(cls, request: Request, behaviour: Behaviour, rows: Rows, *, past: int, now: int = 0) -> Asked:
        """From the item, what the request says of the shopper's last products, and what the events said of them.

        `similar` and `together` are about the item alone; where there is none, about the shopper's latest products;
        `basket` is about what lies in it, all of one moment. A context without a time gets `now`, UTC milliseconds.
        """
        known = behaviour.pasts(request.shopper.id)
        bought = frozenset(behaviour.products.take(known.product[known.bought]))
        about_item = request.scene in ("similar", "together")
        moments: dict[str, int] = dict.fromkeys(request.basket, 1) if request.scene == "basket" else {}
        if request.scene not in ("trending", "basket") and not (about_item and request.item):
            if not about_item:
                moments = dict(
                    zip(behaviour.products.take(known.product[-past:]), known.time[-past:].tolist(), strict=True)
                )
            lately, times = request.shopper.products[-past:], request.shopper.times[-past:]
            if len(times) != len(lately):  # the order is all that is said: later than everything known
                newest = max([behaviour.end, *moments.values()], default=0)
                times = tuple(newest + 1 + place for place in range(len(lately)))
            moments = {id: moment for id, moment in moments.items() if id not in lately} | dict(
                zip(lately, times, strict=True)
            )
        if request.item and request.scene not in ("trending", "basket"):
            moments.pop(request.item, None)
            moments[request.item] = max(moments.values(), default=0) + 1
        ids = sorted(moments, key=moments.__getitem__)[-past:]
        sequence = Sequences.one(rows.codes_of(ids), [moments[id] for id in ids])
        context = {"time": str(now), **request.context} if now else request.context
        due, ago = _due(request, behaviour, known, now) if request.scene == "home" else ({}, {})
        return cls(ids, sequence, bought, request.shopper.wanted, context, due, ago)


class Signals:
    """The signals of one shop."""

    def __init__(self, behaviour: Behaviour, similar: Similar, rows: Rows) -> None:
        self._behaviour, self._similar, self._rows = behaviour, similar, rows
        self._taste = Taste(similar.index)
        self._kept: dict[str, NDArray[np.float64]] = {}

    def __call__(
        self, signal: str, asked: Asked, *, filters: Sequence[Filter], size: int
    ) -> tuple[NDArray[np.float64], float]:
        """One of `SIGNALS`: its value by row, shape (size,), and the value that is usual."""
        known = self._behaviour
        if signal == "content":
            return self._content(asked, filters, size), self._similar.settings.usual
        if signal == "taste":
            weights = self._fading(asked)[-CONTENT_PAST:]
            return self._taste(asked.ids[-CONTENT_PAST:], weights, asked.wanted, size=size), Taste.usual
        if signal == "repeat":
            values = np.zeros(size)
            for id, chance in asked.due.items():
                if (row := self._similar.index.columns.row.get(id, size)) < size:
                    values[row] = chance
            return values, DUE
        if signal == "context":
            return self._in_context(asked, size), Context.usual
        if signal in ("linear", "behaviour"):
            model = known.linear if signal == "linear" else known.knn
            values = np.maximum(0.0, model.neighbours.sum(asked.sequence.product, model.weights(asked.sequence)))
            usual = model.usual
        elif signal == "together":
            values, usual = known.together.sum(asked.sequence), known.together.usual
        else:
            everybody = known.popular if signal == "popular" else known.trending
            return self._for_everybody(signal, everybody.value, size), everybody.usual
        return self._rows.spread(values, size), usual

    def _in_context(self, asked: Asked, size: int) -> NDArray[np.float64]:
        """What was learnt of the context, and products that say themselves that they suit the occasion."""
        values = self._rows.spread(self._behaviour.context(asked.context), size)
        if occasion := asked.context.get("occasion"):
            fits = Filter("attributes.occasion", (occasion,))
            values[self._similar.index.columns.mask((fits,))[:size]] += Context.usual
        return values

    def _for_everybody(self, signal: str, values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """What is the same for all shoppers, spread once for as long as the index has as many rows."""
        kept = self._kept.get(signal)
        if kept is None or len(kept) != size:
            kept = self._kept[signal] = self._rows.spread(values, size)
        return kept

    def anchors(
        self, signals: Sequence[str], asked: Asked, *, codes: NDArray[np.int64], ids: Sequence[str]
    ) -> list[str]:
        """The one of the past that gave most of the named signal, for each hit; "" where the past has no part in it.

        Args:
            signals: one a hit.
            asked: what the request started from.
            codes: (hits,) of the hits' products.
            ids: of the hits.
        """
        found = [""] * len(ids)
        if not asked.ids:
            return found
        for signal in set(signals) & {"linear", "behaviour", "content", "together", "taste"}:
            places = [place for place, name in enumerate(signals) if name == signal]
            if signal == "taste":
                weights, lately = self._fading(asked)[-CONTENT_PAST:], asked.ids[-CONTENT_PAST:]
                shared = self._taste.anchors(lately, weights, [ids[place] for place in places])
                for place, anchor in zip(places, shared, strict=True):
                    found[place] = anchor
                continue
            if signal == "content":
                table = self._likeness(asked, [ids[place] for place in places])
            else:
                table = self._linked(signal, asked, codes[places])
            for place, best in zip(places, table.argmax(axis=0).tolist(), strict=True):
                found[place] = asked.ids[best]
        return found

    def _linked(self, signal: str, asked: Asked, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """What each of the past gives to each hit, shape (past, hits)."""
        known, past = self._behaviour, asked.sequence
        if signal == "together":
            part, weights = known.together.neighbours, (past.step == 0).astype(np.float64)
        else:
            model = known.linear if signal == "linear" else known.knn
            part, weights = model.neighbours, model.weights(past)
        found: NDArray[np.float64] = part.between(past.product, codes) * weights[:, None]
        return found

    def _content(self, asked: Asked, filters: Sequence[Filter], size: int) -> NDArray[np.float64]:
        values = np.zeros(size)
        row = self._similar.index.columns.row
        there = [place for place, id in enumerate(asked.ids) if id in row][-CONTENT_PAST:]
        if not there:
            return values
        vectors = self._similar.index.vectors([asked.ids[place] for place in there])
        if len(vectors) != len(there):  # one was deleted meanwhile
            return values
        taste = self._fading(asked)[there].astype(np.float32) @ vectors
        length = float(np.linalg.norm(taste))
        if length <= 0:
            return values
        for near in self._similar.near((taste / length).astype(np.float32), filters=filters):
            place = row.get(near.id, size)
            if place < size:
                values[place] = near.score
        return values

    def _likeness(self, asked: Asked, ids: Sequence[str]) -> NDArray[np.float64]:
        """Weighted cosine of every past product to every hit, shape (past, hits)."""
        index = self._similar.index
        table = np.zeros((len(asked.ids), len(ids)))
        there = [place for place, id in enumerate(asked.ids) if id in index.columns.row][-CONTENT_PAST:]
        past, hits = index.vectors([asked.ids[place] for place in there]), index.vectors(ids)
        if len(past) == len(there) and len(hits) == len(ids):
            table[there] = (past @ hits.T) * self._fading(asked)[there, None]
        return table

    def _fading(self, asked: Asked) -> NDArray[np.float64]:
        """How much each of the past counts for taste, shape (ids,), whether an event named it or not."""
        faded: NDArray[np.float64] = np.exp(-asked.sequence.step / self._behaviour.knn.settings.recency)
        return faded


def _due(request: Request, behaviour: Behaviour, known: Past, now: int) -> tuple[dict[str, float], dict[str, float]]:
    """What the shopper bought: the chance of another purchase, and days since.

    Anything done with the product since the purchase puts that off: it may have been another one.
    """
    own = np.flatnonzero(known.bought)
    if not len(own) or not now:
        return {}, {}
    ids = behaviour.products.take(known.product[own])
    lately = dict(zip(request.shopper.products, request.shopper.times, strict=False))
    last = np.array([max(moment, lately.get(id, 0)) for id, moment in zip(ids, known.time[own].tolist(), strict=True)])
    days = np.maximum(0.0, (now - last) / DAY)
    chances = behaviour.repeat.due(known.product[own], days)
    return dict(zip(ids, chances.tolist(), strict=True)), dict(zip(ids, days.tolist(), strict=True))
