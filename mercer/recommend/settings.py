"""How signals weigh in each scene and what is left out: one frozen settings class, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from mercer.errors import SettingsError
from mercer.rank.diverse import DiverseSettings
from mercer.retrieve.signals import SIGNALS
from mercer.retrieve.similar import SimilarSettings

__all__ = ["ABOUT", "OWN", "SCENES", "RecommendSettings"]

SCENES = ("home", "next", "similar", "together", "basket", "trending")
ABOUT = ("similar", "together")
"""Scenes that are about an item: what has nothing to do with it is not on the page, however popular."""
OWN = ("home", "next", "basket", "trending")
"""Scenes whose page comes again and again: there shoppers tire, and a place may go to what few have found."""


def _weights(**signals: float) -> Callable[[], Mapping[str, float]]:
    return lambda: dict(signals)


@dataclass(frozen=True, slots=True)
class RecommendSettings:
    """How signals are weighed in each scene, and what is left out.

    Weights that are not given keep their defaults; 0 turns a signal off.
    A signal's part is weight · x / (x + usual), `usual` being what that retriever's tenth best product usually has.
    Popularity's weight in `home` is what Online Retail's validation part prefers (Beauty's, without times, prefers
    .02); the others are guesses until issue 6 measures each scene.
    """

    home: Mapping[str, float] = field(
        default_factory=_weights(
            linear=1.0, content=0.2, popular=0.4, trending=0.05, taste=0.1, context=0.05, repeat=1.0
        )
    )
    next: Mapping[str, float] = field(
        default_factory=_weights(linear=1.0, together=0.3, content=0.2, popular=0.05, taste=0.1, context=0.05)
    )
    similar: Mapping[str, float] = field(default_factory=_weights(content=1.0, behaviour=0.5, context=0.02))
    together: Mapping[str, float] = field(default_factory=_weights(together=1.0, behaviour=0.1, context=0.02))
    basket: Mapping[str, float] = field(
        default_factory=_weights(together=1.0, behaviour=0.3, popular=0.05, context=0.02)
    )
    trending: Mapping[str, float] = field(default_factory=_weights(trending=1.0, popular=0.1, context=0.05))
    exclude_bought: bool = True
    """Leave out of home and next what the shopper is known to have bought."""
    exclude_seen: bool = True
    """Leave out of home and next what the answer was worked out from: the shopper's recent products."""
    due: float = 0.15
    """Chance of another purchase within `[behaviour.repeat] horizon` from which what was bought comes back to home."""
    exclude_sold_out: bool = True
    """Leave out what cannot be bought now, in every scene."""
    exclude_substitutes: bool = True
    """Leave out of a basket's page what is of the same kind as something in it, unless it is bought with it."""
    patience: int = 10
    """Times a product may be recommended and left alone before its score falls, to 0 at twice that; 0 never tires."""
    explore: float = 0.0
    """Chance that one place of home, next, basket and trending goes to a product that few have found; 0 is never."""
    explore_how: Literal["even", "thompson"] = "even"
    """How it is drawn: all alike, or by its chance to be the best, from how often it was shown by chance and wanted."""
    explore_place: int = 5
    """That place, from 1, the top."""
    explore_below: float = 1.0
    """Shoppers who wanted a product, faded as popularity is, below which few have found it."""
    past: int = 50
    """Most recent products of a shopper that count."""
    deepest: int = 1000
    """Largest k, and largest offset."""
    content: SimilarSettings = field(default_factory=SimilarSettings)
    diversity: DiverseSettings = field(default_factory=DiverseSettings)
    """How the first places of home, next, basket and trending are spread, and floors for new and long-tail products."""

    def __post_init__(self) -> None:
        usual = {one.name: one.default_factory for one in fields(self) if one.name in SCENES}
        for scene in SCENES:  # what is given changes the defaults, it does not replace them: 0 turns a signal off
            object.__setattr__(self, scene, {**usual[scene](), **getattr(self, scene)})  # type: ignore[operator]  # all have a factory
            for signal, weight in getattr(self, scene).items():
                if signal not in SIGNALS:
                    raise SettingsError(
                        f"[recommend] {scene} weighs {signal!r}", cure=f"name one of {', '.join(SIGNALS)}"
                    )
                if not 0 <= weight <= 100:
                    raise SettingsError(f"[recommend] {scene}.{signal} is {weight}", cure="give a number from 0 to 100")
        limits = (
            ("past", 1, 1000), ("deepest", 1, 10_000), ("patience", 0, 10**6), ("explore", 0, 1),
            ("explore_place", 1, 1000), ("due", 0.001, 1), ("explore_below", 0, 10**9),
        )  # fmt: skip
        for name, low, high in limits:
            if not low <= getattr(self, name) <= high:
                raise SettingsError(
                    f"[recommend] {name} is {getattr(self, name)}", cure=f"give a number from {low} to {high}"
                )
