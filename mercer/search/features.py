"""A query, its candidates and who asks in; a row of numbers a candidate, as a ranker was trained on them, out."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.rank.feature import NAMES
from mercer.records import Filter, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.facts import Facts
from mercer.retrieve.index import Index
from mercer.retrieve.rates import Rates, asked
from mercer.search.feature_shopper import Histories
from mercer.search.feature_words import agreement, likeness, wording
from mercer.search.find import Found
from mercer.understand.query import Understood

if TYPE_CHECKING:
    from mercer.understand.query import Step

__all__ = ["Features"]

Real = NDArray[np.float64]
Columns = dict[str, Real]
DEVICES = {"phone": 0.0, "mobile": 0.0, "desktop": 1.0, "tablet": 2.0}
RATINGS = 10.0
"""Ratings at the shop's mean that every product is thought to have had."""


class Features:
    """What of one shop ranks its products. Safe to call from several threads."""

    def __init__(self, index: Index, facts: Facts, rates: Rates, behaviour: Behaviour) -> None:
        self.index, self.facts, self.rates = index, facts, rates
        self._histories = Histories(index, facts, behaviour)
        self._lock = threading.Lock()
        everything = np.arange(len(facts))
        self._category, self._department = facts.medians()
        stars = facts.column("rating", everything)
        self._stars = float(np.nanmean(stars)) if np.isfinite(stars).any() else np.nan
        wanted = behaviour.popular.value
        total = float(wanted.sum())
        with np.errstate(divide="ignore"):
            popular = np.log((wanted + 1e-9) / total) if total else np.full(len(wanted), np.nan)
        self._of_product = {
            "popular": (behaviour.products, popular),
            "trending": (behaviour.products, np.asarray(behaviour.trending.value, np.float64)),
            "click_rate": (rates.products, rates.click),
            "buy_rate": (rates.products, rates.buy),
            "age": (rates.products, rates.age),
        }
        self._by_row: dict[str, Real] = {}

    def __call__(self, known: Understood, request: Request, found: Found, *, moment: int | None = None) -> Real:
        """(candidates, features) in the order of `rank.feature.FEATURES`; NaN is unknown.

        Args:
            known: what was understood of the query.
            request: who asks, and in which context.
            found: candidates with their hybrid scores.
            moment: UTC ms at which it is asked; None is now.
        """
        places = self.facts.places(found.ids)
        moment = int(time.time() * 1000) if moment is None else moment
        vectors = self.index.vectors(found.ids)
        whole = vectors if len(vectors) == len(found.ids) else None  # one was deleted since it was found
        level = self._level(places)
        columns: Columns = {
            **wording(self.facts, known.text, found.scored, places),
            **likeness(found.scored),
            **agreement(self.facts, found.scored.scores, places, whole),
            **self._wishes(known, found),
            **self._behaviour(known, found),
            **self._price(places, level),
            **self._listing(known, places),
        }
        matrix = np.full((len(found.ids), len(NAMES)), np.nan)
        _fill(matrix, columns)
        _fill(matrix, self.personal(known, request, found.ids, whole, moment=moment))
        return matrix

    def personal(
        self,
        known: Understood,
        request: Request,
        ids: Sequence[str],
        vectors: NDArray[np.float32] | None,
        *,
        moment: int,
    ) -> Columns:
        """The columns that hang on who asks and when, for these products alone."""
        past = self._histories.past(request, moment)
        columns = self._histories(past, self.facts.places(ids), vectors, self._level, moment=moment)
        return {**columns, **_context(known, request, moment)}

    def _wishes(self, known: Understood, found: Found) -> Columns:
        """What the query wishes, and what of the shop's own it names, as far as it was understood."""
        parts = [part for name, part in found.scored.parts.items() if name not in ("words", "meaning")]
        columns: Columns = {"wishes": np.sum(parts, axis=0) if parts else np.zeros(len(found.ids))}
        named: dict[str, list[Real]] = {}
        for step in known.steps:
            if (kind := _kind(step)) is not None:
                met = self.index.columns.mask((Filter(step.name, values=(step.after,)),))[found.rows]
                named.setdefault(kind, []).append(met.astype(np.float64))
        return columns | {kind: np.mean(met, axis=0) for kind, met in named.items()}

    def _behaviour(self, known: Understood, found: Found) -> Columns:
        columns = {name: self._spread(name)[found.rows] for name in self._of_product}
        rates, query = self.rates, asked(known.text)
        if len(rates.pairs) and query:
            at = rates.pairs.codes([f"{query}\t{id}" for id in found.ids])
            for name, values in (
                ("query_click_rate", rates.pair_click),
                ("query_buy_rate", rates.pair_buy),
                ("query_looks", rates.pair_looks),
            ):
                columns[name] = np.append(values, np.nan)[at]
        return columns

    def _spread(self, name: str) -> Real:
        """A product's value by the index's row, worked out again where rows were added."""
        size = len(self.index.columns.ids)
        known = self._by_row.get(name)
        if known is None or len(known) < size:
            names, values = self._of_product[name]
            with self._lock:
                codes = names.codes(self.index.columns.ids[:size]) if len(names) else np.full(size, -1)
                known = self._by_row[name] = np.append(values, np.nan)[codes]
        return known

    def _level(self, places: NDArray[np.int64]) -> Real:
        """Log of the price by the median of the narrowest category that has one."""
        facts = self.facts
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = _at(self._category, facts.column("category", places))
            usual = np.where(np.isnan(usual), _at(self._department, facts.column("department", places)), usual)
            return _log(facts.column("price", places)) - np.log(usual)

    def _price(self, places: NDArray[np.int64], level: Real) -> Columns:
        price, before = self.facts.column("price", places), self.facts.column("list_price", places)
        logs = _log(price)
        known = logs[~np.isnan(logs)]
        with np.errstate(divide="ignore", invalid="ignore"):
            reduced = np.where(before > 0, np.clip(1 - price / before, 0, 1), np.nan)
        return {
            "price": logs,
            "price_category": level,
            "price_answer": logs - np.median(known) if len(known) else logs,
            "reduced": reduced,
        }

    def _listing(self, known: Understood, places: NDArray[np.int64]) -> Columns:
        facts = self.facts
        stars, count = facts.column("rating", places), facts.column("rating_count", places)
        by = np.where(np.isnan(count), 1.0, count)
        return {
            "same_script": (facts.column("han", places) == float(_script(known))).astype(np.float64),
            "rating": np.where(np.isnan(stars), np.nan, (stars * by + self._stars * RATINGS) / (by + RATINGS)),
            "ratings": np.log2(1 + count),
            "in_stock": facts.column("in_stock", places),
            "pictured": facts.column("pictured", places),
            "title_length": facts.column("title_words", places),
            "text_length": np.log2(1 + facts.column("letters", places)),
            "findings": facts.column("findings", places),
        }


def _fill(matrix: Real, columns: Mapping[str, Real]) -> None:
    for name, values in columns.items():
        matrix[:, NAMES.index(name)] = values


def _context(known: Understood, request: Request, moment: int) -> Mapping[str, Real]:
    when = datetime.fromtimestamp(moment / 1000, UTC)
    words = len(asked(known.text).split())
    told = {
        "device": DEVICES.get(request.context.get("device", ""), np.nan),
        "hour": float(when.hour),  # whole, so that pages asked for one after another are cut from one order
        "weekday": float(when.weekday()),
        "query_words": float(words),
        "query_script": float(_script(known)),
    }
    return {name: np.asarray(value, np.float64) for name, value in told.items()}


def _script(known: Understood) -> bool:
    return any("\u3400" <= letter <= "\u9fff" for letter in known.text)


def _kind(step: Step) -> str | None:
    """Which column a step of understanding fills."""
    if step.name in ("brand", "category"):
        return f"{step.name}_named"
    return "attribute_named" if step.name.startswith("attributes.") else None


def _log(values: Real) -> Real:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log(values), np.nan)


def _at(values: Real, codes: Real) -> Real:
    """Values by code; NaN where the code is NaN or newer than the values."""
    known = ~np.isnan(codes) & (codes < len(values))
    padded = np.append(values, np.nan)
    found: Real = padded[np.where(known, codes, len(values)).astype(np.int64)]
    return found
