"""What the owner may set about robustness: sections under ``[learn]`` in, checked frozen settings out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mercer.errors import SettingsError

__all__ = ["AdversarialSettings", "ConsistentSettings", "RehearseSettings", "SoupSettings"]


@dataclass(frozen=True, slots=True)
class ConsistentSettings:
    """Section ``[learn.consistent]``: a last stage that makes queries mean the same however they are typed."""

    steps: int = 0
    """Steps; 0 is none, `mercer learn --typos` takes 500. Each is a small one: short queries, and a passage."""
    batch: int = 96
    """Queries of a step."""
    spoilt: float = 0.75
    """Share of them that are typed otherwise; the rest, and the passages, must stay where they are."""
    twice: float = 0.4
    """Share of those that are typed otherwise twice over."""
    passages: int = 1
    """Passages of a step."""
    longest: int = 40
    """Characters of a query from which on it is left out: nobody types a whole sentence."""
    lr: float = 4e-4
    """Highest learning rate; it grows for a tenth of the steps and then falls to 0."""
    temperature: float = 0.05
    """Cosines with the step's other texts are divided by it before they are compared with those from before."""

    def __post_init__(self) -> None:
        whole = (("steps", 0, 1_000_000), ("batch", 2, 65_536), ("passages", 0, 4096), ("longest", 4, 10_000))
        _within(self, "learn.consistent", whole)
        _within(
            self, "learn.consistent", (("spoilt", 0, 1), ("twice", 0, 1), ("lr", 1e-8, 1), ("temperature", 1e-3, 10))
        )


@dataclass(frozen=True, slots=True)
class AdversarialSettings:
    """Section ``[learn.adversarial]``: each step once more with word vectors moved where it hurts most."""

    epsilon: float = 0.0
    """How far, as a share of the vectors' length; 0 is not at all. Off: it doubles a step, no gain was shown yet."""

    def __post_init__(self) -> None:
        _within(self, "learn.adversarial", (("epsilon", 0, 1),))


@dataclass(frozen=True, slots=True)
class SoupSettings:
    """Section ``[learn.soup]``: weights of several states or runs made one model."""

    checkpoints: int = 0
    """Evaluated states of a run, the best ones, whose mean is tried on the validation queries; 0 and 1 are none."""
    runs: int = 1
    """Runs with seeds of their own; each costs as much as one."""
    together: Literal["average", "distil"] = "average"
    """How runs become one: the mean of their weights, or one more run taught by the mean of their cosines."""

    def __post_init__(self) -> None:
        _within(self, "learn.soup", (("checkpoints", 0, 100), ("runs", 1, 20)))
        if self.together not in ("average", "distil"):
            raise SettingsError(f"[learn.soup] together is {self.together!r}", cure="give average or distil")


@dataclass(frozen=True, slots=True)
class RehearseSettings:
    """Section ``[learn.rehearse]``: what keeps `mercer learn --since last` from forgetting what it knew."""

    share: float = 0.3
    """Share of steps on pairs of earlier versions' data."""
    most: int = 2000
    """Pairs that are kept to rehearse, drawn by query."""
    distil: float = 1.0
    """Weight of staying near the vectors that the version before gives to texts of the buffer; 0 is none."""
    texts: int = 8
    """Texts a step that this looks at."""
    l2: float = 0.0
    """Half of it times the squared distance of all weights from the version before is added to the loss."""
    ewc: float = 0.0
    """The same, each weight as much as it mattered to the buffer (Kirkpatrick et al. 2017)."""
    fisher: int = 8
    """Steps that how much it mattered is worked out on."""
    epochs: float = 2.0
    """How many steps there are: as many as it takes to see each new pair so often, those that rehearse among them."""

    def __post_init__(self) -> None:
        _within(self, "learn.rehearse", (("most", 0, 10_000_000), ("texts", 1, 4096), ("fisher", 1, 10_000)))
        real = (("share", 0, 0.95), ("distil", 0, 1e3), ("l2", 0, 1e9), ("ewc", 0, 1e12), ("epochs", 0.01, 1e4))
        _within(self, "learn.rehearse", real)


def _within(settings: object, where: str, limits: Iterable[tuple[str, float, float]]) -> None:
    for name, low, high in limits:
        value = getattr(settings, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise SettingsError(f"[{where}] {name} is {value}", cure=f"give a number between {low:g} and {high:g}")
