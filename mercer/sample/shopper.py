"""A seed in, shoppers with tastes, habits and contexts as columns out, and how much each would like a product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.sample.catalogue import Goods
from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import EN, ZH, Taxonomy

__all__ = ["People", "draw", "utility"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

STREAM = 2
ENGLISH_SHARE = 0.45
BILINGUAL_SHARE = 0.3
"""Of shoppers; they mind a listing in the other language less."""


@dataclass(frozen=True, slots=True)
class People:
    """Shoppers with what they like; one row each."""

    language: Whole
    bilingual: NDArray[np.bool_]
    interest: Real
    """(shoppers, leaves), rows sum to 1: what they come for."""
    brand: Real
    """(shoppers, brands), about standard normal."""
    colour: Real
    """(shoppers, colours), about standard normal."""
    style: Real
    """(shoppers, styles), about standard normal."""
    band: Real
    """Price band they feel at home in, as `Goods.band`."""
    activity: Real
    """Share of all sessions, summing to 1."""
    device: Whole
    place: Whole
    hour: Real
    """Local hour of the day at which they shop most."""

    def __len__(self) -> int:
        return len(self.language)

    @property
    def id(self) -> tuple[str, ...]:
        return tuple(f"U{number + 1:05d}" for number in range(len(self)))


def draw(settings: SampleSettings, world: Taxonomy) -> People:
    """Draw `settings.shoppers` shoppers: each keen on a few departments and a few leaves in them."""
    rng = np.random.default_rng([settings.seed, STREAM])
    count = settings.shoppers
    language = np.where(rng.random(count) < ENGLISH_SHARE, EN, ZH)
    rooms = rng.gamma(0.25, 1, (count, len(world.departments))) + 1e-3
    leaves = rng.gamma(0.35, 1, (count, len(world.leaves))) + 1e-3
    interest = rooms[:, [leaf.department for leaf in world.leaves]] * leaves
    activity = rng.lognormal(0, 0.8, count)
    places = [len(world.words["places"]["zh"]), len(world.words["places"]["en"])]
    shares = np.array(list(world.words["devices"].values()))
    return People(
        language=language,
        bilingual=rng.random(count) < BILINGUAL_SHARE,
        interest=interest / interest.sum(1, keepdims=True),
        brand=rng.normal(0, 1, (count, len(world.brands))),
        colour=rng.normal(0, 1, (count, len(world.colours))),
        style=rng.normal(0, 1, (count, len(world.styles))),
        band=rng.normal(0, 1, count),
        activity=activity / activity.sum(),
        device=rng.choice(len(shares), count, p=shares),
        place=np.where(
            language == ZH, rng.integers(0, places[ZH], count), places[ZH] + rng.integers(0, places[EN], count)
        ),
        hour=rng.choice([8.0, 12.5, 16.0, 20.5, 22.5], count, p=[0.1, 0.2, 0.12, 0.38, 0.2])
        + rng.normal(0, 0.7, count),
    )


def utility(people: People, goods: Goods, who: Whole, what: Whole, *, colours: Whole) -> Real:
    """How much shoppers `who` like products `what` (broadcast together), apart from what they came for; about -3 to 3.

    `colours` are the world numbers of the products' colours (-1 for none), from `colour_numbers`.
    """
    colour, style = colours[what], goods.style[what]
    foreign = (goods.language[what] != people.language[who]) * np.where(people.bilingual[who], 0.5, 1.6)
    result: Real = (
        0.5 * people.brand[who, goods.brand[what]]
        + 0.4 * np.where(colour >= 0, people.colour[who, colour], 0)
        + 0.4 * np.where(style >= 0, people.style[who, style], 0)
        - 0.45 * np.abs(people.band[who] - goods.band[what])
        + 0.5 * goods.quality[what]
        - foreign
        + 0.5
    )
    return result


def colour_numbers(goods: Goods, world: Taxonomy) -> Whole:
    """The number of each product's colour among the world's, -1 for none: a leaf names only the colours it has."""
    number = {name: index for index, name in enumerate(world.colours)}
    return np.array(
        [
            number[world.leaves[leaf].colours[colour]] if colour >= 0 else -1
            for leaf, colour in zip(goods.leaf, goods.colour, strict=True)
        ]
    )
