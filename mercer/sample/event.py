"""Visits in, the shop's event log out, with what only the inventor knows beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.records import ACTIONS
from mercer.sample.catalogue import Goods
from mercer.sample.click import click
from mercer.sample.query import Query
from mercer.sample.settings import DAY, SampleSettings
from mercer.sample.shopper import People, colour_numbers, utility
from mercer.sample.slate import POOL, WIDTH, Shelves, padded
from mercer.sample.taxonomy import Taxonomy
from mercer.sample.visit import Memory, Visits, plan, weighted

__all__ = ["SCENES", "draw"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Columns = dict[str, NDArray[np.generic]]

STREAM = 3
CODE: dict[str, int] = {str(name): number for number, name in enumerate(ACTIONS)}
SCENES = ("search", "home", "similar", "direct")
PER_VISIT = 12.0
"""Events in a visit, a low guess: too many visits are drawn and the surplus is left out."""
PAGES = ((1.0, 0.62), (0.4, 0.45), (0.2, 0.5))
"""For the first, second and third page of a visit: the chance that there is one, and that it is a search."""
SEARCH_WIDTH, BROWSE_WIDTH = (6, 8, 8), (4, 5, 6)
"""Products on a page, for phone, desktop and tablet."""


@dataclass(slots=True)
class Draft:
    """Events as they come, in batches of columns."""

    batches: list[Columns] = field(default_factory=list)

    def add(self, action: str, visit: Whole, product: Whole, time: Whole, **columns: NDArray[np.generic]) -> None:
        count = len(visit)
        blank: Columns = {
            "query": np.full(count, -1),
            "position": np.full(count, -1),
            "quantity": np.full(count, np.nan),
            "scene": np.full(count, -1),
            "attraction": np.full(count, np.nan),
        }
        self.batches.append(
            {"type": np.full(count, CODE[action]), "visit": visit, "product": product, "time": time, **blank, **columns}
        )

    def columns(self) -> Columns:
        return {name: np.concatenate([batch[name] for batch in self.batches]) for name in self.batches[0]}


def draw(settings: SampleSettings, world: Taxonomy, goods: Goods, people: People, queries: Sequence[Query]) -> Columns:
    """Exactly `settings.events` events in order of time.

    Columns: type (index in ``records.ACTIONS``), visit, who, product, query, position (from 1), quantity, time, scene
    (index in SCENES) and attraction (chance of a click once seen); -1 or NaN where there is none.
    """
    surplus = 1.0
    while True:
        rng = np.random.default_rng([settings.seed, STREAM])
        visits = plan(settings, people, int(surplus * settings.events / PER_VISIT) + 50, rng)
        found = Walk(settings, world, goods=goods, people=people, queries=queries, visits=visits, rng=rng).run()
        if len(found["time"]) >= settings.events:
            return _cut(found, visits, settings.events, rng)
        surplus *= 1.3


def _cut(columns: Columns, visits: Visits, count: int, rng: np.random.Generator) -> Columns:
    """Leave out whole visits by chance, first ones last, until `count` events are left, the last one from its end."""
    luck = rng.permutation(len(visits.who)) + np.where(visits.turn == 0, 0, len(visits.who))
    luck = luck[columns["visit"]]
    kept = np.lexsort((columns["time"], luck))[:count]
    order = kept[
        np.lexsort((columns["position"][kept], columns["type"][kept], columns["visit"][kept], columns["time"][kept]))
    ]
    found = {name: values[order] for name, values in columns.items()}
    return {**found, "who": visits.who[found["visit"]]}


class Walk:
    """All visits of all shoppers, one turn at a time: the first visit of everyone, then the second, …"""

    def __init__(
        self,
        settings: SampleSettings,
        world: Taxonomy,
        *,
        goods: Goods,
        people: People,
        queries: Sequence[Query],
        visits: Visits,
        rng: np.random.Generator,
    ) -> None:
        self.settings, self.goods, self.people, self.visits, self.rng = settings, goods, people, visits, rng
        self.colours = colour_numbers(goods, world)
        self.shelves = Shelves(goods, world, queries, rng)
        self.memory = Memory(settings, people, goods, world)
        self.draft = Draft()
        asked: list[list[int]] = [[] for _ in range(2 * len(world.leaves))]
        for number, query in enumerate(queries):
            asked[2 * query.leaf + query.language].append(number)
        self.asked, self.askable = padded(asked)

    def run(self) -> Columns:
        for turn in range(int(self.visits.turn.max()) + 1):
            self.visit(np.flatnonzero(self.visits.turn == turn))
        return self.draft.columns()

    def visit(self, visit: Whole) -> None:
        """Up to three pages, each led by what was clicked before."""
        who, time, day = self.visits.who[visit], self.visits.time[visit], self.visits.day[visit]
        leaf, again = self.memory.intent(who, time, day, self.shelves)
        anchor = self.arrive(visit, leaf, again)
        for page, (chance, searching) in enumerate(PAGES):
            here = np.flatnonzero(self.rng.random(len(visit)) < chance)
            search = self.rng.random(len(here)) < searching
            start = time[here] + 40_000 + page * 300_000 + self.rng.integers(0, 40_000, len(here))
            anchor[here] = self.page(visit[here], leaf[here], anchor[here], search, start)

    def arrive(self, visit: Whole, leaf: Whole, again: Whole) -> Whole:
        """Some come straight to a product, by a link or to buy it again: a view without a list before it."""
        rng = self.rng
        direct = (again >= 0) | (rng.random(len(visit)) < 0.55)
        product = np.where(again >= 0, again, self.shelves.pick(leaf))
        direct &= self.goods.launch[product] <= self.visits.day[visit]
        chosen, what = visit[direct], product[direct]
        self.draft.add(
            "view", chosen, what, self.visits.time[chosen], scene=np.full(len(chosen), SCENES.index("direct"))
        )
        fit = np.where(again[direct] >= 0, 1.7, -0.3)
        self.decide(chosen, what, self.visits.time[chosen] + 9_000, np.full(len(chosen), -1), fit)
        return np.where(direct, product, -1)

    def page(self, visit: Whole, leaf: Whole, anchor: Whole, search: NDArray[np.bool_], start: Whole) -> Whole:
        """One page: a search, else more like `anchor`, else the home page. Gives the last product clicked, or -1."""
        who, day = self.visits.who[visit], self.visits.day[visit]
        query = np.where(search, self.question(who, leaf), -1)
        scene = np.where(query >= 0, 0, np.where(anchor >= 0, 2, 1))
        slate = np.full((len(visit), WIDTH), -1, np.int64)
        searched, home, similar = (np.flatnonzero(scene == number) for number in range(3))
        slate[searched] = self.shelves.search(query[searched], day[searched])
        slate[home] = self.shelves.home(self.front(who[home], leaf[home], day[home]), day[home])
        slate[similar] = self.shelves.similar(anchor[similar], day[similar])
        device = self.people.device[who]
        width = np.where(scene == 0, np.array(SEARCH_WIDTH)[device], np.array(BROWSE_WIDTH)[device])
        slate = np.where(np.arange(WIDTH) < width[:, None], slate, -1)
        return self.show(visit, slate, query=query, scene=scene, leaf=leaf, start=start)

    def front(self, who: Whole, leaf: Whole, day: Whole) -> Whole:
        """(n, POOL) leaves for a home page: mostly what the shopper likes, some of what this visit is for."""
        interest = weighted(self.memory.interest(who, day), self.rng, POOL)
        interest[:, : POOL // 5] = leaf[:, None]
        return interest

    def question(self, who: Whole, leaf: Whole) -> Whole:
        """A query for the leaf, mostly in the shopper's language; -1 where nobody asks."""
        rng = self.rng
        other = self.people.bilingual[who] & (rng.random(len(who)) < 0.2)
        row = 2 * leaf + np.where(other, 1 - self.people.language[who], self.people.language[who])
        column = (rng.random(len(who)) ** 1.5 * self.askable[row]).astype(np.int64)
        return np.where(self.askable[row] > 0, self.asked[row, column], -1)

    def show(self, visit: Whole, slate: Whole, *, query: Whole, scene: Whole, leaf: Whole, start: Whole) -> Whole:
        """Log what was shown and what was clicked; one page's impressions share one time."""
        who, shown = self.visits.who[visit], slate >= 0
        liking = utility(self.people, self.goods, who[:, None], np.maximum(slate, 0), colours=self.colours)
        fit = np.where(query[:, None] >= 0, 1.2 * self.shelves.grade[query[:, None], slate] - 2.6, 0.0)
        fit = np.where(query[:, None] < 0, 1.5 * (self.goods.leaf[slate] == leaf[:, None]) - 1.1, fit)
        attraction = np.where(shown, 1 / (1 + np.exp(-(0.9 * liking + fit + 1.1))), 0.0)
        row, column = np.nonzero(shown)
        columns = {"query": query[row], "position": column + 1, "scene": scene[row]}
        self.draft.add(
            "impression", visit[row], slate[row, column], start[row], attraction=attraction[row, column], **columns
        )
        row, column = np.nonzero(click(attraction, self.rng))
        product, time = slate[row, column], start[row] + 4_000 + 25_000 * column + self.rng.integers(0, 4_000, len(row))
        self.draft.add("click", visit[row], product, time, query=query[row], position=column + 1, scene=scene[row])
        self.decide(visit[row], product, time + 8_000, query[row], fit[row, column])
        last = np.full(len(visit), -1, np.int64)
        last[row] = product
        return last

    def decide(self, visit: Whole, product: Whole, time: Whole, query: Whole, fit: Real) -> None:
        """What comes of a product that was opened: liked, put in the cart, bought, sent back."""
        rng, who, count = self.rng, self.visits.who[visit], len(visit)
        liking = utility(self.people, self.goods, who, product, colours=self.colours)
        keen = 1 / (1 + np.exp(-(0.9 * liking + 0.6 * fit - 0.1)))
        self.memory.look(who, product)
        for action, chosen in (
            ("like", rng.random(count) < 0.2 * keen),
            ("dislike", rng.random(count) < 0.08 * (1 - keen)),
        ):
            self.draft.add(action, visit[chosen], product[chosen], time[chosen], query=query[chosen])
        carted = (rng.random(count) < keen) & (self.goods.stock[product] > 0)
        quantity = np.where(self.memory.repeat[self.goods.leaf[product]] > 0, rng.integers(1, 4, count), 1).astype(
            np.float64
        )
        self.draft.add(
            "add_to_cart",
            visit[carted],
            product[carted],
            time[carted] + 9_000,
            query=query[carted],
            quantity=quantity[carted],
        )
        bought = carted & (rng.random(count) < 0.35 + 0.5 * keen)
        paid = time + 60_000 + rng.integers(0, 60_000, count)
        self.draft.add(
            "purchase", visit[bought], product[bought], paid[bought], query=query[bought], quantity=quantity[bought]
        )
        self.memory.buy(who[bought], product[bought], paid[bought])
        regret = bought & (rng.random(count) < 0.09 / (1 + np.exp(liking)))
        returned = paid + rng.integers(2 * DAY, 9 * DAY, count)
        regret &= returned < self.settings.last
        self.draft.add("refund", visit[regret], product[regret], returned[regret], quantity=quantity[regret])
