"""An invented shop's people and goods in; visits under any policy, with chances known exactly, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.sample import catalogue, shopper
from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import taxonomy

__all__ = ["Choices", "Policy", "Simulator", "softmax"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

Policy = Callable[[Whole, Real], Real]
"""(shoppers (n,), their clicks so far (n, products)) → chance of each product, (n, products), rows sum to 1."""
CLICK = -3.5
"""Log-odds of a click on a product of no special liking: about 3 %."""
WEARY = 0.8
"""Log-odds lost by a product for each time it was clicked in the same visit."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a policy showed, one row a choice."""

    who: Whole
    product: Whole
    propensity: Real
    reward: Real


class Simulator:
    """Shoppers who click by their own tastes on the one product that a policy shows them.

    >>> world = Simulator.of(shoppers=10, products=5)
    >>> even = softmax(0.0, world)
    >>> log = world.log(even, 4, np.random.default_rng(0))
    >>> log.propensity.tolist(), 0 < world.value(even) < 1
    ([0.2, 0.2, 0.2, 0.2], True)
    """

    def __init__(self, liking: Real, activity: Real) -> None:
        self.liking = liking
        """Log-odds of a click, (shoppers, products)."""
        self.activity = activity
        """Share of visits of each shopper, summing to 1."""

    @classmethod
    def of(cls, *, shoppers: int = 200, products: int = 20, seed: int = 7) -> Simulator:
        """Take shoppers and products of the invented shop; the products are its most popular ones."""
        settings = SampleSettings(seed=seed, shoppers=max(10, shoppers), products=max(200, products))
        world = taxonomy()
        goods, people = catalogue.draw(settings, world), shopper.draw(settings, world)
        what = np.argsort(-goods.popularity, kind="stable")[:products]
        who = np.arange(len(people))[:shoppers]
        colours = shopper.colour_numbers(goods, world)
        taste = shopper.utility(people, goods, who[:, None], what[None, :], colours=colours)
        return cls(CLICK + 0.8 * taste, people.activity[who] / people.activity[who].sum())

    def chance(self, clicks: Real | None = None) -> Real:
        """Chance of a click of every shopper on every product, after `clicks` of each in this visit."""
        odds = self.liking if clicks is None else self.liking - WEARY * clicks
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)

    def value(self, policy: Policy) -> float:
        """Mean reward of a visit's first choice, exactly."""
        shown = policy(np.arange(len(self.liking)), np.zeros_like(self.liking))
        return float(self.activity @ (shown * self.chance()).sum(axis=1))

    def log(self, policy: Policy, rows: int, rng: np.random.Generator) -> Choices:
        """What a policy shows first in so many visits, and what is clicked."""
        who = rng.choice(len(self.liking), rows, p=self.activity)
        chances = policy(who, np.zeros((rows, self.liking.shape[1])))
        product = _drawn(chances, rng)
        clicked = rng.random(rows) < self.chance()[who, product]
        return Choices(who, product, chances[np.arange(rows), product], clicked.astype(np.float64))

    def sessions(self, policy: Policy, visits: int, steps: int, rng: np.random.Generator) -> Real:
        """Clicks of each of so many visits of `steps` choices; the policy sees the visit's clicks, and they sate."""
        who = rng.choice(len(self.liking), visits, p=self.activity)
        clicks = np.zeros((visits, self.liking.shape[1]))
        for _ in range(steps):
            product = _drawn(policy(who, clicks), rng)
            odds = self.liking[who, product] - WEARY * clicks[np.arange(visits), product]
            clicks[np.arange(visits), product] += rng.random(visits) < 1 / (1 + np.exp(-odds))
        return np.asarray(clicks.sum(axis=1), dtype=np.float64)


def softmax(sharpness: float, world: Simulator, *, noise: float = 0.0, seed: int = 0) -> Policy:
    """A policy that shows what it thinks is liked: 0 is even, higher surer; `noise` is how wrong it thinks."""
    rng = np.random.default_rng(seed)
    believed = sharpness * (world.liking + noise * rng.standard_normal(world.liking.shape))
    odds = np.exp(believed - believed.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    return lambda who, _: np.asarray(shares[who], dtype=np.float64)


def _drawn(chances: Real, rng: np.random.Generator) -> Whole:
    """One product of each row by its chances."""
    passed = np.cumsum(chances, axis=1)
    found = (rng.random(len(chances))[:, None] * passed[:, -1:] >= passed).sum(axis=1)
    return np.asarray(np.minimum(found, chances.shape[1] - 1), dtype=np.int64)
