"""Who asks and what they did before in; how well each candidate fits that out; nothing where nobody is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mercer.records import Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.facts import Facts
from mercer.retrieve.index import Index

__all__ = ["Histories"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Past = tuple[list[str], list[int]]
"""Products, oldest first, with UTC ms."""
PAST = 50
"""Latest products of a shopper that count."""
HALF = 10.0
"""Products back at which one counts half as much for taste. A guess."""
SESSION = 1_800_000
"""Milliseconds without a deed that end a session: half an hour, as web analytics has it."""


class Histories:
    """The pasts that the index's behaviour keeps, and what each request says of its shopper's latest."""

    def __init__(self, index: Index, facts: Facts, behaviour: Behaviour) -> None:
        self._index, self._facts, self._behaviour = index, facts, behaviour

    def __call__(
        self,
        past: Past,
        places: Whole,
        vectors: NDArray[np.float32] | None,
        level: Callable[[Whole], Real],
        *,
        moment: int,
    ) -> dict[str, Real]:
        """Columns of signal ``shopper``, and ``price_shopper``; {} for a shopper without a past.

        Args:
            past: of who asks, as `past` gives it.
            places: rows of the candidates among the facts.
            vectors: of the candidates; None where one is gone.
            level: log of a product's price by that of its category, for rows among the facts.
            moment: UTC ms at which it is asked.
        """
        ids, times = past
        if not ids:
            return {}
        facts = self._facts
        own = facts.places(ids)
        weight = 0.5 ** (np.arange(len(ids))[::-1] / HALF)
        columns = {
            "shopper_brand": _share(facts.column("brand", own), facts.column("brand", places), weight),
            "shopper_category": _share(facts.column("category", own), facts.column("category", places), weight),
            "shopper_language": _share(facts.column("han", own), facts.column("han", places), weight),
            "seen": np.isin(places, own[own >= 0]).astype(np.float64),
        }
        prices = level(own)
        if np.isfinite(prices).any():
            columns["price_shopper"] = np.abs(level(places) - np.nanmean(prices))
        session = _session(ids, times, moment)
        even = np.ones(len(session))
        if session:
            now = facts.column("category", facts.places(session))
            columns["session_category"] = _share(now, facts.column("category", places), even)
        if vectors is not None:
            for name, of, by in (("shopper_taste", ids, weight), ("session_taste", session, even)):
                if (taste := self._taste(of, by)) is not None:
                    columns[name] = (vectors @ taste).astype(np.float64)
        return columns

    def past(self, request: Request, moment: int) -> Past:
        """Products oldest first, each once, with times (0 where the request does not say when); none after `moment`."""
        known = self._behaviour.pasts(request.shopper.id)
        early = known.time < moment
        product, when = known.product[early][-PAST:], known.time[early][-PAST:]
        past = dict(zip(self._behaviour.products.take(product), when.tolist(), strict=True)) if len(product) else {}
        lately = request.shopper.products
        times = request.shopper.times if len(request.shopper.times) == len(lately) else (0,) * len(lately)
        for id, time in zip(lately, times, strict=True):
            if time < moment:
                past.pop(id, None)
                past[id] = time
        last = list(past.items())[-PAST:]
        return [id for id, _ in last], [time for _, time in last]

    def _taste(self, ids: list[str], weight: Real) -> NDArray[np.float32] | None:
        vectors = self._index.vectors(ids)
        if not len(vectors):
            return None
        middle = (weight[-len(vectors) :, None] * vectors).sum(axis=0)
        length = float(np.linalg.norm(middle))
        return (middle / length).astype(np.float32) if length else None


def _session(ids: list[str], times: list[int], moment: int) -> list[str]:
    """What belongs to the visit that goes on: no gap of half an hour up to now."""
    found: list[str] = []
    end = moment
    for id, time in zip(reversed(ids), reversed(times), strict=True):
        if not time or end - time > SESSION:
            break
        found.append(id)
        end = time
    return found


def _share(own: Real, candidates: Real, weight: Real) -> Real:
    """Share of the past, by weight, that has each candidate's code; NaN where the candidate has none."""
    known = ~np.isnan(own)
    total = float(weight[known].sum())
    if not total:
        return np.full(len(candidates), np.nan)
    codes, at = np.unique(own[known], return_inverse=True)
    shares = np.bincount(at, weights=weight[known], minlength=len(codes)) / total
    place = np.minimum(np.searchsorted(codes, np.nan_to_num(candidates, nan=-1.0)), len(codes) - 1)
    found: Real = np.where(codes[place] == candidates, shares[place], 0.0)
    return np.where(np.isnan(candidates), np.nan, found)
