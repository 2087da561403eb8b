"""Events in; clicks on a product that ride on a popular one's, so that it seems to belong with it, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.dense_block import Pairs, spans, surprise
from mercer.quality.event_codes import EventCodes, codes_of
from mercer.quality.finding import Found

__all__ = ["Coattail", "coattail"]

LOOKS = ("view", "click")
ORDERS = ("add_to_cart", "purchase", "like")
"""What ties products in a log of more orders than looks, such as an invoice book."""


@dataclass(frozen=True)
class Coattail(CheckSettings):
    """When two products are clicked together for no reason of theirs."""

    together: int = 15
    """Shoppers who clicked both, below which nothing is said."""
    share: float = 0.5
    """Of the target's shoppers, those who clicked the popular product too."""
    popular: float = 3.0
    """Times the target's other shoppers that the popular product's others are at least."""
    nats: float = 25.0
    """Surprise at so many, given how often both are clicked."""
    odd: float = 0.7
    """Of those shoppers, the ones who were not shown the target or, in a log without impressions, clicked at most
    `few` products."""
    few: int = 3
    """Products that a shopper made for the purpose has clicked."""
    excess: float = 2.0
    """Times the share of such shoppers among the others who click the popular product that `odd` must be."""
    logged: float = 0.5
    """Share of what was clicked that was shown to the shopper, from which a log is one of impressions."""
    most: int = 200
    """Products of a shopper above which it says nothing of pairs."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("together", "popular", "nats", "few", "excess", "most"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 1")
        for name in ("share", "odd", "logged"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")


@check(
    "E09",
    families=("events",),
    tier="global",
    severity="critical",
    version=2,
    problems={
        "coattail": Problem("clicks that tie a product to a popular one", "搭便车式共同点击", "quarantine"),
    },
    settings=Coattail,
    english="products are clicked together because people want both",
    chinese="共同点击出于真实兴趣",
)
def coattail(inputs: Inputs[Any], settings: Coattail) -> Iterator[Found]:
    """Pairs of a popular product and a target that far more shoppers click than independence gives, who are odd.

    That two products are liked by the same people is no fault, so a pair is found only if its shoppers came to the
    target without having been shown it or, in a log without impressions, came for next to nothing else, and those of
    the popular product did not. A log of orders is judged by orders.

    Known limit: in a log without impressions, riders who also take more than `few` other products look like anybody.
    """
    codes = codes_of(inputs["events"])
    looks, orders = codes.is_kind(*LOOKS), codes.is_kind(*ORDERS)
    if np.count_nonzero(orders) > np.count_nonzero(looks):
        looks |= orders
    pairs = Pairs.of(codes.shopper[looks], codes.product[looks])
    if len(pairs):
        yield from _found(codes, looks, pairs, settings)


def _found(codes: EventCodes, looks: NDArray[np.bool_], pairs: Pairs, settings: Coattail) -> Iterator[Found]:
    import pyarrow as pa

    width = np.bincount(pairs.shopper)
    shown, size = codes.is_kind("impression"), int(codes.product.max()) + 1
    seen = Pairs.of(codes.shopper[shown], codes.product[shown])
    unseen = ~np.isin(pairs.shopper * size + pairs.product, seen.shopper * size + seen.product)
    logged = float((~unseen).mean()) >= settings.logged
    odd = unseen if logged else width[pairs.shopper] <= settings.few
    rows: dict[str, list[Any]] = {}
    names = codes.names("product")
    order = np.argsort(pairs.product, kind="stable")
    start = np.searchsorted(pairs.product[order], np.arange(size + 1))
    ties: list[tuple[int, int, dict[str, float], NDArray[np.int64], float]] = []
    riders: dict[int, NDArray[np.int64]] = {}
    for hot, target, facts in _suspects(pairs, width, settings):
        of_hot, of_target = (order[start[one] : start[one + 1]] for one in (hot, target))
        both = np.intersect1d(pairs.shopper[of_hot], pairs.shopper[of_target])
        guilty = np.intersect1d(both, pairs.shopper[of_target][odd[of_target]])
        share = len(guilty) / len(both)
        if share >= settings.odd:
            ties.append((hot, target, facts, guilty, share))
            riders[hot] = np.union1d(riders.get(hot, both), both)
    for hot, target, facts, guilty, share in ties:
        of_hot = order[start[hot] : start[hot + 1]]
        others = of_hot[~np.isin(pairs.shopper[of_hot], riders[hot])]  # two targets may ride on one product
        usual = float(odd[others].mean()) if len(others) else 1.0
        if share < settings.excess * usual:
            continue
        told = {"popular": names[hot], "target": names[target], "odd": share, "usually_odd": usual}
        mine = looks & np.isin(codes.shopper, guilty) & np.isin(codes.product, [hot, target])
        for place in np.flatnonzero(mine).tolist():
            for name, value in {"row_id": int(codes.row_id[place]), **facts, **told}.items():
                rows.setdefault(name, []).append(value)
    if rows:
        yield Found(pa.table(rows), "events", "product", "coattail", 0.85)


def _suspects(
    pairs: Pairs, width: NDArray[np.int64], settings: Coattail
) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Popular product, target and counts of pairs that are clicked together too often."""
    from scipy.sparse import csr_matrix

    telling = pairs.where(width[pairs.shopper] <= settings.most)
    if not len(telling):
        return
    shape = int(telling.shopper.max()) + 1, int(telling.product.max()) + 1
    matrix = csr_matrix((np.ones(len(telling), np.float32), (telling.shopper, telling.product)), shape=shape)
    degree = np.bincount(telling.product, minlength=shape[1]).astype(np.float64)
    wide = np.bincount(telling.shopper, minlength=shape[0]).astype(np.float64)
    besides = np.asarray(matrix.T @ (wide - 1)).ravel() / max(float(wide.sum()), 1.0)
    targets = np.flatnonzero(degree >= settings.together)
    for places in spans(matrix[:, targets].T @ wide):
        some = targets[places.start : places.stop]
        shared = (matrix[:, some].T @ matrix).tocoo()
        likely = np.flatnonzero(shared.data >= np.maximum(settings.together, settings.share * degree[some])[shared.row])
        target, hot = some[shared.row[likely]], shared.col[likely].astype(np.int64)
        count = shared.data[likely].astype(np.float64)
        enough = degree[hot] - count >= settings.popular * np.maximum(1.0, degree[target] - count)
        expected = besides[target] * degree[hot]  # by all else that the target's shoppers click
        sure = np.flatnonzero(enough & (surprise(count, expected) >= settings.nats))
        for place in sure.tolist():
            facts = {"together": float(count[place]), "expected": float(expected[place])}
            yield int(hot[place]), int(target[place]), facts
