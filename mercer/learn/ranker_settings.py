"""What the owner may set about growing trees: section ``[learn.ranker]`` in, checked frozen settings out."""

from __future__ import annotations

from dataclasses import dataclass

from mercer.errors import SettingsError

__all__ = ["RankerSettings"]


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """Section ``[learn.ranker]``: how many trees of which size, and how hard they are held back."""

    leaves: int = 8
    """Leaves of a tree."""
    lr: float = 0.05
    """Share of each tree that counts."""
    rounds: int = 300
    """Most trees; how many there really are is chosen by `folds`."""
    folds: int = 5
    """Parts of the training queries: each is ranked by trees grown on the others, to choose the number of trees."""
    patience: int = 40
    """Trees without a better figure before growing stops."""
    least_leaf: int = 40
    """Products that a leaf must have."""
    least_weight: float = 0.5
    """Second derivatives that a leaf must have: how much there is to win or lose in it."""
    penalty: float = 1.0
    """L2 penalty of the leaves' values."""
    columns: float = 0.3
    """Share of the features that a tree may look at."""
    rows: float = 0.8
    """Share of the lists that a tree is grown on."""
    deep: int = 20
    """Places from the top in which an order counts while training."""
    monotone: bool = True
    """Whether trees are held to the direction that is known of a feature."""
    judged: float = 1.0
    """Weight of a list that people judged."""
    clicked: float = 1.0
    """Weight of a list made of one click at the top; others weigh more by the chance that their position is seen."""
    clip: float = 10.0
    """Most that a click counts for standing where few look."""
    actions: tuple[float, ...] = (0.4, 0.7, 1.0)
    """Worth of a click, of a product put into the basket, of one bought."""
    clicks: int = 6000
    """Most clicks that are learned from, drawn by the seed."""
    earlier: float = 0.5
    """Share of the pages, the earliest, whose clicks make the rates that later clicks are explained by: no click may
    be explained by itself."""
    wrong: bool = True
    """Whether candidates that nobody judged count as wrong."""
    depth: int = 200
    """Candidates of a judged query that are trained on, best first, beside all judged ones; 0 is all."""

    def __post_init__(self) -> None:
        for name, low, high in LIMITS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[learn.ranker] {name} is {value}", cure=f"give a number from {low:g} to {high:g}")
        if len(self.actions) != 3 or not all(0 < worth <= 1 for worth in self.actions):
            raise SettingsError(
                f"[learn.ranker] actions is {self.actions}", cure="give three numbers above 0, at most 1"
            )


LIMITS = (
    ("leaves", 2, 1024),
    ("lr", 1e-4, 1.0),
    ("rounds", 1, 10_000),
    ("folds", 2, 20),
    ("patience", 1, 10_000),
    ("least_leaf", 1, 1_000_000),
    ("least_weight", 0.0, 1e6),
    ("penalty", 0.0, 1e6),
    ("columns", 0.01, 1.0),
    ("rows", 0.01, 1.0),
    ("deep", 1, 1000),
    ("judged", 0.0, 1e6),
    ("clicked", 0.0, 1e6),
    ("clip", 1.0, 1e6),
    ("clicks", 1, 10_000_000),
    ("earlier", 0.0, 0.95),
    ("depth", 0, 10_000),
)
