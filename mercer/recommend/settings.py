"""How signals weigh in each scene and what is left out: one frozen settings class, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from mercer.errors import SettingsError
from mercer.retrieve.signals import SIGNALS
from mercer.retrieve.similar import SimilarSettings

__all__ = ["SCENES", "RecommendSettings"]

SCENES = ("home", "next", "similar", "together", "trending")


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

    home: Mapping[str, float] = field(default_factory=_weights(behaviour=1.0, content=0.2, popular=0.4, trending=0.05))
    next: Mapping[str, float] = field(default_factory=_weights(behaviour=1.0, together=0.3, content=0.2, popular=0.05))
    similar: Mapping[str, float] = field(default_factory=_weights(content=1.0, behaviour=0.5))
    together: Mapping[str, float] = field(default_factory=_weights(together=1.0, behaviour=0.1))
    trending: Mapping[str, float] = field(default_factory=_weights(trending=1.0, popular=0.1))
    exclude_bought: bool = True
    """Leave out of home and next what the shopper is known to have bought."""
    exclude_seen: bool = True
    """Leave out of home and next what the answer was worked out from: the shopper's recent products."""
    exclude_sold_out: bool = True
    """Leave out what cannot be bought now, in every scene."""
    past: int = 50
    """Most recent products of a shopper that count."""
    deepest: int = 1000
    """Largest k, and largest offset."""
    content: SimilarSettings = field(default_factory=SimilarSettings)

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
        for name, high in (("past", 1000), ("deepest", 10_000)):
            if not 1 <= getattr(self, name) <= high:
                raise SettingsError(
                    f"[recommend] {name} is {getattr(self, name)}", cure=f"give a whole number from 1 to {high}"
                )
