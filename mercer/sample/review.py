"""Purchases in, what buyers wrote about them in their own language out, stars and words agreeing."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.records import ACTIONS
from mercer.sample.catalogue import Goods
from mercer.sample.settings import DAY, SampleSettings
from mercer.sample.shopper import People, colour_numbers, utility
from mercer.sample.taxonomy import LANGUAGES, Taxonomy, vocabulary
from mercer.sample.wording import Wording

__all__ = ["draw"]

STREAM = 4
SHARE = 0.6
"""Of purchases that are reviewed."""


def draw(
    settings: SampleSettings, world: Taxonomy, goods: Goods, people: People, events: dict[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """Rows of reviews in order of time; ratings follow the product's quality and the buyer's taste."""
    rng = np.random.default_rng([settings.seed, STREAM])
    bought = np.flatnonzero((events["type"] == ACTIONS.index("purchase")) & (rng.random(len(events["type"])) < SHARE))
    who, product = events["who"][bought], events["product"][bought]
    liking = utility(people, goods, who, product, colours=colour_numbers(goods, world))
    stars = np.clip(np.round(3.6 + 0.55 * liking + rng.normal(0, 0.8, len(bought))), 1, 5)
    time = events["time"][bought] + rng.integers(2 * DAY, 14 * DAY, len(bought))
    writer = Reviewer(goods, world, settings.seed)
    rows = [
        {
            "product": goods.id[what],
            "shopper": people.id[buyer],
            "text": writer(int(what), int(people.language[buyer]), int(rating)),
            "rating": float(rating),
            "time": int(moment),
        }
        for what, buyer, rating, moment in zip(product, who, stars, time, strict=True)
        if moment < settings.last
    ]
    rows.sort(key=lambda row: (row["time"], row["shopper"], row["product"]))
    return [{"id": f"R{number + 1:05d}", **row} for number, row in enumerate(rows)]


class Reviewer:
    """Writes one review: an opening that fits the stars, one or two remarks, sometimes an ending."""

    def __init__(self, goods: Goods, world: Taxonomy, seed: int) -> None:
        self.words = vocabulary("reviews.json")
        self.wording = Wording(goods, world, seed)
        self.random = self.wording.random = random.Random(f"review {seed}")

    def __call__(self, product: int, language: int, stars: int) -> str:
        words = self.words[LANGUAGES[language]]
        slots = self.wording.slots(product, language)
        opening = words["good"] if stars >= 4 else words["middling"] if stars == 3 else words["bad"]
        remarks = words["praise"] if stars >= 4 else words["moan"] if stars <= 2 else words["praise"] + words["moan"]
        parts = [self.random.choice(opening), self.wording.sentence(remarks, slots)]
        if self.random.random() < 0.3:
            parts.append(self.wording.sentence(remarks, slots | {"point": slots["point2"]}))
        parts.append(self.wording.sentence(words["end"], slots))
        return (" " if LANGUAGES[language] == "en" else "").join(dict.fromkeys(part for part in parts if part))
