"""Rankings and what was known before in; whom they serve, how wide and how new they are, out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from mercer.errors import RequestError

__all__ = ["Slice", "Spread", "spread"]

RARE = 5
"""Shoppers who had wanted a product up to which it is rare."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the test."""

    shoppers: int
    hit: float
    """Share of them with a chosen product of the slice among the first k; NaN where there is nobody."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What accuracy does not tell of the first k of each ranking. Shares are from 0 to 1."""

    coverage: float
    """Of the catalogue that was shown to anyone."""
    gini: float
    """Inequality of showings over the catalogue: 0 all alike, 1 one product has all."""
    novelty: float
    """Mean bits of surprise: -log2 of the share of shoppers who had wanted what is shown (Zhou et al. 2010)."""
    popularity: float
    """Mean place by popularity of what is shown: 0 nobody's, 1 everybody's."""
    popularity_bias: float
    """The same less that of what was then chosen: above 0 shows more common things than people take."""
    cold: float
    """Share of what is shown that nobody had wanted before."""
    diversity: float | None
    """Mean 1 - Jaccard of the tags of two products of one page; None without tags."""
    miscalibration: float | None
    """Mean Hellinger distance of the page's tags to those of the shopper's past (Steck 2018): 0 is the same mix."""
    slices: Mapping[str, Slice]
    """By what was known of the shopper, and by what was known of the product that was chosen."""

    def json(self) -> dict[str, Any]:
        """Plain numbers and tables; what does not exist is null."""
        found = asdict(self)
        for one in found["slices"].values():
            one["hit"] = None if np.isnan(one["hit"]) else one["hit"]
        return found


def spread(
    runs: Mapping[str, Sequence[str]],
    chosen: Mapping[str, Collection[str]],
    *,
    counts: Mapping[str, int],
    past: Mapping[str, Sequence[str]],
    tags: Mapping[str, Collection[str]] | None = None,
    k: int = 10,
) -> Spread:
    """Describe rankings.

    Args:
        runs: shopper → products, best first.
        chosen: shopper → products they chose afterwards; who is not in it is not looked at.
        counts: every product of the catalogue → how many different shoppers had wanted it before.
        past: shopper → what they had before; who is not in it had nothing.
        tags: product → its categories, brand and the like.
        k: places of each ranking that count.

    Raises:
        RequestError: nothing was chosen, or the catalogue is empty.
    """
    if not counts or not any(chosen.values()):
        why = "nothing was chosen" if counts else "the catalogue is empty"
        raise RequestError(f"{why}: there is nothing to measure", cure="measure on a split that holds some out")
    pages = {who: list(runs.get(who, ()))[:k] for who, products in chosen.items() if products}
    shown = Counter(product for page in pages.values() for product in page if product in counts)
    place, people = _places(counts), max(1, len(pages), *counts.values())
    bits = {product: float(-np.log2((count + 1) / (people + 1))) for product, count in counts.items()}
    taken = [place[product] for who in pages for product in chosen[who] if product in place]
    popularity = _mean(place, shown)
    return Spread(
        coverage=len(shown) / len(counts),
        gini=_gini(np.array([shown.get(product, 0) for product in counts], dtype=np.float64)),
        novelty=_mean(bits, shown),
        popularity=popularity,
        popularity_bias=popularity - float(np.mean(taken)) if taken else 0.0,
        cold=_mean({product: float(count == 0) for product, count in counts.items()}, shown),
        diversity=_diversity(pages, tags) if tags else None,
        miscalibration=_miscalibration(pages, past, tags) if tags else None,
        slices=_slices(pages, chosen, counts, past),
    )


def _places(counts: Mapping[str, int]) -> dict[str, float]:
    """Place of each product by popularity, equal ones in the middle of their own."""
    values = np.array(list(counts.values()), dtype=np.float64)
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    return dict(zip(counts, ((low + high - 1) / 2 / max(1, len(values) - 1)).tolist(), strict=True))


def _mean(values: Mapping[str, float], shown: Mapping[str, int]) -> float:
    total = sum(shown.values())
    return sum(values[product] * times for product, times in shown.items()) / total if total else 0.0


def _gini(times: Any) -> float:
    ordered, size = np.sort(times), len(times)
    total = float(ordered.sum())
    return float((2 * np.arange(1, size + 1) - size - 1) @ ordered / (size * total)) if total else 0.0


def _diversity(pages: Mapping[str, Sequence[str]], tags: Mapping[str, Collection[str]]) -> float | None:
    sets = {product: set(found) for product, found in tags.items() if found}
    values = []
    for page in pages.values():
        known = [sets[product] for product in page if product in sets]
        pairs = [1 - len(one & other) / len(one | other) for one, other in combinations(known, 2)]
        values += [sum(pairs) / len(pairs)] if pairs else []
    return float(np.mean(values)) if values else None


def _miscalibration(
    pages: Mapping[str, Sequence[str]], past: Mapping[str, Sequence[str]], tags: Mapping[str, Collection[str]]
) -> float | None:
    values = []
    for who, page in pages.items():
        had, got = _mix(past.get(who, ()), tags), _mix(page, tags)
        if had and got:
            shared = sum((had[tag] * got[tag]) ** 0.5 for tag in had.keys() & got.keys())
            values.append(max(0.0, 1 - shared) ** 0.5)
    return float(np.mean(values)) if values else None


def _mix(products: Sequence[str], tags: Mapping[str, Collection[str]]) -> dict[str, float]:
    """Share of each tag, every product counting the same."""
    mix: defaultdict[str, float] = defaultdict(float)
    for found in (tags.get(product, ()) for product in products):
        for tag in found:
            mix[tag] += 1 / len(found)
    total = sum(mix.values())
    return {tag: value / total for tag, value in mix.items()}


def _slices(
    pages: Mapping[str, Sequence[str]],
    chosen: Mapping[str, Collection[str]],
    counts: Mapping[str, int],
    past: Mapping[str, Sequence[str]],
) -> dict[str, Slice]:
    """Hits by the length of the past, and by how many had wanted what was chosen."""
    hits: dict[str, list[bool]] = {name: [] for name in (*PASTS, *PRODUCTS)}
    for who, page in pages.items():
        length = len(set(past.get(who, ())))
        hits[PASTS[min(length, 2)]].append(bool(set(page) & set(chosen[who])))
        for name in PRODUCTS:
            mine = {product for product in chosen[who] if _known(counts.get(product, 0)) == name}
            if mine:
                hits[name].append(bool(set(page) & mine))
    return {name: Slice(len(found), float(np.mean(found)) if found else float("nan")) for name, found in hits.items()}


PASTS = ("shopper with nothing", "shopper with one product", "shopper with more")
PRODUCTS = ("product nobody had", f"product {RARE} or fewer had", "product more had")


def _known(count: int) -> str:
    return PRODUCTS[0] if not count else PRODUCTS[1] if count <= RARE else PRODUCTS[2]
