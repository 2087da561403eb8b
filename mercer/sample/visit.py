"""Shoppers in, their visits out: who comes when, and what each visit is for, given what the shopper did before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.sample.catalogue import Goods
from mercer.sample.season import demand, traffic
from mercer.sample.settings import DAY, SampleSettings
from mercer.sample.shopper import People
from mercer.sample.slate import Shelves
from mercer.sample.taxonomy import EN, Taxonomy

__all__ = ["Memory", "Visits", "plan", "weighted"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

EASTERN, WESTERN = 8, 0
"""Hours from UTC that Chinese and English shoppers live at; one offset each is enough for habits."""
AFTER_BUYING, STILL_LOOKING, DUE = 0.5, 0.35, 0.65
"""Chance that a visit is for what goes with the last purchase, what was looked at last, a refill that is due."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits by shopper, then time."""

    who: Whole
    time: Whole
    """UTC milliseconds at which it begins."""
    day: Whole
    turn: Whole
    """0 for a shopper's first visit, 1 for the second, …"""


def plan(settings: SampleSettings, people: People, count: int, rng: np.random.Generator) -> Visits:
    """Draw `count` visits over the days, at the hours each shopper likes."""
    everyone = rng.permutation(len(people))[:count]
    who = np.concatenate([everyone, rng.choice(len(people), count - len(everyone), p=people.activity)])
    day = rng.choice(settings.days, count, p=traffic(settings))
    local = people.hour[who] + rng.normal(0, 1.3, count) - np.where(people.language[who] == EN, WESTERN, EASTERN)
    time = settings.first + day * DAY + (np.mod(local, 24) / 24 * (DAY - 7_200_000)).astype(np.int64)
    order = np.lexsort((time, who))
    who, time, day = who[order], time[order], day[order]
    first = np.searchsorted(who, who, side="left")
    return Visits(who, time, day, np.arange(count) - first)


def weighted(weight: Real, rng: np.random.Generator, size: int) -> Whole:
    """`size` column numbers for each row of `weight`, in proportion to it: (rows, size)."""
    cumulative = np.cumsum(weight, axis=1)
    draw = rng.random((len(weight), size)) * cumulative[:, -1:]
    column = np.stack([(cumulative <= draw[:, [number]]).sum(1) for number in range(size)], axis=1)
    result: Whole = np.minimum(column, weight.shape[1] - 1)
    return result


class Memory:
    """What each shopper last looked at and bought; it decides what the next visit is for."""

    def __init__(self, settings: SampleSettings, people: People, goods: Goods, world: Taxonomy) -> None:
        self.people, self.goods = people, goods
        self.wanted = demand(settings, world)
        self.repeat = np.array([leaf.repeat for leaf in world.leaves])
        self.bought, self.looked, self.refill = (np.full(len(people), -1, np.int64) for _ in range(3))
        self.due = np.zeros(len(people), np.int64)

    def interest(self, who: Whole, day: Whole) -> Real:
        """(n, leaves) tastes as the season bends them."""
        result: Real = self.people.interest[who] * self.wanted[:, day].T
        return result

    def intent(self, who: Whole, time: Whole, day: Whole, shelves: Shelves) -> tuple[Whole, Whole]:
        """The leaf each visit is for, and the product that is to be bought again (-1 for none)."""
        rng = shelves.rng
        leaf = weighted(self.interest(who, day), rng, 1)[:, 0]
        looked, bought = self.looked[who], self.bought[who]
        leaf = np.where((looked >= 0) & (rng.random(len(who)) < STILL_LOOKING), looked, leaf)
        after = (bought >= 0) & (rng.random(len(who)) < AFTER_BUYING)
        leaf = np.where(after, shelves.complement(np.maximum(bought, 0)), leaf)
        again = (self.refill[who] >= 0) & (time >= self.due[who]) & (rng.random(len(who)) < DUE)
        product = np.where(again, self.refill[who], -1)
        return np.where(again, self.goods.leaf[np.maximum(product, 0)], leaf), product

    def look(self, who: Whole, product: Whole) -> None:
        self.looked[who] = self.goods.leaf[product]

    def buy(self, who: Whole, product: Whole, time: Whole) -> None:
        """Remember purchases: what goes with them comes next, and what is used up falls due."""
        leaf = self.goods.leaf[product]
        self.bought[who], self.looked[who] = leaf, -1
        used_up = self.repeat[leaf] > 0
        self.refill[who[used_up]] = product[used_up]
        self.due[who[used_up]] = time[used_up] + self.repeat[leaf[used_up]] * DAY
