"""A shop's log in; pages as they were served, with what trees were told then and what was done on them, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.events.log import EventLog
from mercer.events.shown import paged
from mercer.learn.clicked import Looked, click_weights
from mercer.learn.ranker import RankList
from mercer.learn.ranker_settings import RankerSettings
from mercer.rank.feature import unpacked
from mercer.records import Shopper

__all__ = ["Logged", "logged_lists", "logged_pages"]

WORTH = {"click": 1, "add_to_cart": 2, "purchase": 3}


@dataclass(frozen=True, slots=True)
class Logged:
    """One page of a search as it was served."""

    page: Looked
    features: NDArray[np.float64]
    """(products, features): what the trees were told."""
    hybrid: NDArray[np.float64]
    """(products,): the score that the trees added to."""


def logged_pages(log: EventLog) -> list[Logged]:
    """Pages of searches that trees took part in, in the order of the log; rows of other features are left out."""
    done: dict[tuple[str, str], int] = defaultdict(int)
    for event in log.all():
        if event.query_id and event.type in WORTH:
            key = event.query_id, event.product
            done[key] = max(done[key], WORTH[event.type])
    answers = {one.query_id: one for one in paged(log.answers) if one.scene == "search" and one.query}
    rows: dict[str, list[tuple[str, int, float, NDArray[np.float64]]]] = defaultdict(list)
    for one in paged(log.impressions):
        told = unpacked(one.features) if one.query_id in answers else None
        if told is not None:
            rows[one.query_id].append((one.product, one.position, *told))
    found = []
    for query_id, mine in rows.items():
        products, positions, hybrid, features = zip(*mine, strict=True)
        answer = answers[query_id]
        actions = tuple(done[query_id, product] for product in products)
        page = Looked(answer.query, Shopper(""), answer.device, answer.time, products, positions, actions)
        found.append(Logged(page, np.array(features), np.array(hybrid)))
    return found


def logged_lists(
    pages: Sequence[Logged],
    own: RankerSettings,
    *,
    propensity: Sequence[float],
    groups: Mapping[str, str],
    seed: int,
) -> list[RankList]:
    """A list for each click, as `clicked_lists` makes them, of what serving saw and not of what can be seen today.

    Args:
        pages: with what was done on them.
        own: says what a click is worth, and how many are learned from at most.
        propensity: chance of a look by position; empty takes clicks as they are.
        groups: query → what keeps its spellings together.
        seed: of what is left out where there are more clicks than `own.clicks`.
    """
    told = [one for one in pages if any(one.page.actions) and len(one.hybrid) > 1]
    lists: list[RankList] = []
    for at in np.random.default_rng([seed, 3]).permutation(len(told)).tolist():
        one = told[at]
        group = groups.get(one.page.query, one.page.query)
        for place, weight in click_weights(one.page, propensity, own.actions, clip=own.clip):
            gains = np.zeros(len(one.hybrid))
            gains[place] = 1.0
            lists.append(RankList(group, one.features, one.hybrid, gains, own.clicked * weight))
        if len(lists) >= own.clicks:
            break
    return lists
