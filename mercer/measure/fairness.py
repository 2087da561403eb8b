"""Rankings and whose each product is in; who gets how much of the exposure, and what one swapped word changes, out."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from mercer.errors import RequestError, SettingsError
from mercer.measure.compare import interval

__all__ = ["SWAPS", "Exposure", "FairSettings", "Swap", "exposure", "price_bands", "swapped", "swaps", "too_little"]

SWAPS: tuple[tuple[str, str], ...] = (
    ("women", "men"), ("women's", "men's"), ("womens", "mens"), ("woman", "man"), ("ladies", "gentlemen"),
    ("girls", "boys"), ("girl", "boy"), ("female", "male"), ("her", "him"), ("mom", "dad"), ("wife", "husband"),
    ("女", "男"), ("女士", "男士"), ("女生", "男生"), ("女童", "男童"), ("女孩", "男孩"), ("妈妈", "爸爸"),
    ("老婆", "老公"),
    ("american", "chinese"), ("usa", "china"), ("european", "asian"), ("north", "south"),
    ("国产", "进口"), ("北方", "南方"), ("城市", "农村"), ("欧美", "日韩"),
)  # fmt: skip
"""Words of gender and of region, English and Chinese; each for the other."""

FEWEST = 5
"""Queries from which on an interval over queries says something of a group."""


@dataclass(frozen=True, slots=True)
class FairSettings:
    """Section ``[fair]``: what a version must keep to before it goes live."""

    by: str = "brand"
    """What is compared: brand, price, or attributes.NAME, such as attributes.seller."""
    k: int = 10
    """Places of an answer that count."""
    least: float = 0.0
    """Exposure by merit that no group may lie below, beyond doubt; 0 is no limit, and `mercer promote` asks nothing."""
    merit: float = 0.01
    """Share of all merit from which on a group is held to `least`; of smaller ones chance decides."""
    bands: int = 4
    """Price bands, with as many products each."""

    def __post_init__(self) -> None:
        if self.by not in ("brand", "price") and not re.fullmatch(r"attributes\..+", self.by):
            raise SettingsError(f"[fair] by is {self.by!r}", cure="give brand, price or attributes.NAME")
        limits = (("k", 1, 1000), ("least", 0.0, 1.0), ("merit", 0.0, 1.0), ("bands", 2, 20))
        for name, low, high in limits:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingsError(f"[fair] {name} is {value}", cure=f"give a number from {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one group gets."""

    group: str
    products: int
    """In the catalogue."""
    share: float
    """Of all exposure: places weigh as in DCG, 1 / log2(1 + place)."""
    merit: float
    """Of the exposure that an ideal order of what is right would give (Singh and Joachims 2018)."""
    ratio: float
    """Share by merit: 1 is what it deserves; NaN where it deserves nothing."""
    queries: int = 0
    """In whose answers, or among whose right products, it is."""
    low: float = field(default=math.nan)
    high: float = field(default=math.nan)
    """Ends of the 95 % interval of `ratio`, over queries."""

    def json(self) -> dict[str, Any]:
        """Plain numbers; what does not exist is null."""
        told = asdict(self)
        return {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in told.items()}


def price_bands(prices: Mapping[str, float], bands: int) -> dict[str, str]:
    """Product → its price band, named by its ends; products without a price are in none."""
    if not prices:
        return {}
    edges = np.quantile(list(prices.values()), np.linspace(0, 1, bands + 1))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(edges.tolist())]
    return {
        id: names[min(bands - 1, int(np.searchsorted(edges[1:-1], price, "right")))] for id, price in prices.items()
    }


def exposure(
    runs: Mapping[str, Sequence[str]],
    truth: Mapping[str, Mapping[str, float]],
    groups: Mapping[str, str],
    *,
    k: int = 10,
    seed: int = 7,
) -> list[Exposure]:
    """Exposure and merit of every group, most merit first.

    Args:
        runs: query → products, best first.
        truth: query → product → gain; queries without a right answer of a known group are left out.
        groups: product → group; products of none are left out.
        k: places that count.
        seed: of the intervals.

    Raises:
        RequestError: no query has a right answer.
    """
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    asked = [query for query in runs if any(gain > 0 for gain in truth.get(query, {}).values())]
    for query in asked:
        got, due = _given(runs[query], groups, k), _due(truth[query], groups, k)
        for group in got.keys() | due.keys():
            rows[group].append((got.get(group, 0.0), due.get(group, 0.0)))
    if not rows:
        raise RequestError(
            "no query has a right answer of a known group", cure="judge queries, or group by another field"
        )
    whole = len(asked)
    counted: dict[str, int] = defaultdict(int)
    for group in groups.values():
        counted[group] += 1
    found = [_exposed(group, counted[group], pairs, whole, seed) for group, pairs in rows.items()]
    return sorted(found, key=lambda one: (-one.merit, one.group))


def _exposed(group: str, products: int, pairs: Sequence[tuple[float, float]], queries: int, seed: int) -> Exposure:
    column = np.zeros((queries, 2))
    column[: len(pairs)] = pairs
    share, merit = (float(one) for one in column.mean(axis=0))
    if merit <= 0:
        return Exposure(group, products, share, merit, math.nan, len(pairs))
    ratio = share / merit
    ends = interval((column[:, 0] - ratio * column[:, 1]) / merit, seed=seed)  # the ratio's linear part (delta method)
    return Exposure(group, products, share, merit, ratio, len(pairs), max(0.0, ratio + ends.low), ratio + ends.high)


def _given(ranking: Sequence[str], groups: Mapping[str, str], k: int) -> dict[str, float]:
    """Share of one answer's exposure by group."""
    weights: dict[str, float] = defaultdict(float)
    for place, product in enumerate(ranking[:k], start=1):
        if product in groups:
            weights[groups[product]] += 1 / math.log2(1 + place)
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items()} if total else {}


def _due(gains: Mapping[str, float], groups: Mapping[str, str], k: int) -> dict[str, float]:
    """What it would be if equally right products shared their places fairly: mean over the orders of equals."""
    right: dict[float, list[str]] = defaultdict(list)
    for product, gain in gains.items():
        if gain > 0 and product in groups:
            right[gain].append(product)
    weights: dict[str, float] = defaultdict(float)
    place = 1
    for gain in sorted(right, reverse=True):
        places = range(place, min(place + len(right[gain]), k + 1))
        each = sum(1 / math.log2(1 + one) for one in places) / len(right[gain])
        for product in right[gain]:
            weights[groups[product]] += each
        place += len(right[gain])
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items()} if total else {}


def too_little(found: Iterable[Exposure], settings: FairSettings) -> list[Exposure]:
    """Groups of enough merit whose exposure lies below the limit beyond doubt."""
    if not settings.least:
        return []
    sure = (one for one in found if one.queries >= FEWEST and one.merit >= settings.merit)
    return [one for one in sure if one.high < settings.least]


@dataclass(frozen=True, slots=True)
class Swap:
    """A query, the same with one word for its counterpart, and how their answers differ."""

    query: str
    other: str
    shared: float
    """Share of the first answer's products that the other has too."""
    price: float
    """Mean price of the other by that of the first; NaN where one has none. 1.1: the other's is 10 % dearer."""


def swaps(queries: Iterable[str], pairs: Sequence[tuple[str, str]] = SWAPS) -> list[tuple[str, str]]:
    """(query, counterpart) of each query that has a word of a pair, either way; the longest word is swapped.

    >>> swaps(["women's razor", "男士毛衣", "tea"])
    [("women's razor", "men's razor"), ('男士毛衣', '女士毛衣')]
    """
    both = sorted([*pairs, *((other, one) for one, other in pairs)], key=lambda pair: -len(pair[0]))
    found = []
    for query in dict.fromkeys(queries):
        for one, other in both:
            pattern = re.escape(one) if not one.isascii() else rf"(?<![\w'’]){re.escape(one)}(?![\w'’])"
            changed = re.sub(pattern, other, query, count=1, flags=re.IGNORECASE)
            if changed != query:
                found.append((query, changed))
                break
    return found


def swapped(
    pairs: Iterable[tuple[str, str]], runs: Mapping[str, Sequence[str]], prices: Mapping[str, float], *, k: int = 10
) -> list[Swap]:
    """What each swap changes in the first k of both answers."""
    found = []
    for query, other in pairs:
        first, second = list(runs.get(query, ()))[:k], list(runs.get(other, ()))[:k]
        means = [np.mean([prices[id] for id in page if id in prices] or [math.nan]) for page in (first, second)]
        ratio = float(means[1] / means[0]) if means[0] > 0 else math.nan
        found.append(Swap(query, other, len(set(first) & set(second)) / len(first) if first else 0.0, ratio))
    return found
