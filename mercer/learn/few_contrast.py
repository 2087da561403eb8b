"""A tower and labelled texts in; the tower with texts of one class near each other, and its vectors, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mercer.encode.classifier import Classifier
from mercer.encode.encoder import Encoder, Side
from mercer.encode.model import Model
from mercer.errors import DataError, SettingsError
from mercer.learn.few_loop import loop
from mercer.learn.head import HeadSettings, fit_head
from mercer.learn.precision import precision_of
from mercer.learn.step import Plan
from mercer.learn.tower import Tower, build
from mercer.learn.tuner import loss_of, vectors

__all__ = ["ContrastSettings", "TowerEncoder", "contrast", "fit_contrasted"]


@dataclass(frozen=True, slots=True)
class ContrastSettings:
    """Section ``[learn.contrast]``: how an encoder is pulled into classes before a head is fitted (SetFit's recipe)."""

    passes: float = 12.0
    """How often each text is seen."""
    least: int = 30
    """Fewest steps, however few the texts are."""
    most: int = 300
    """Most steps, however many they are."""
    batch: int = 24
    """Pairs of texts of one class in a step; each is held against all others."""
    lr: float = 5e-5
    """Highest learning rate."""
    frozen: int = 0
    """Layers from below that stay as they are."""
    temperature: float = 0.07
    """Cosines are divided by it before a softmax."""
    length: int = 64
    """Most word pieces of a text."""
    seed: int = 7

    def __post_init__(self) -> None:
        for name, low, high in LIMITS:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                cure = f"give a number from {low:g} to {high:g}"
                raise SettingsError(f"[learn.contrast] {name} is {value}", cure=cure)

    def steps(self, texts: int) -> int:
        """Steps for so many texts."""
        return min(self.most, max(self.least, math.ceil(self.passes * texts / (2 * self.batch))))


LIMITS = (
    ("passes", 0.0, 1000.0),
    ("least", 0, 100_000),
    ("most", 0, 1_000_000),
    ("batch", 2, 4096),
    ("lr", 1e-8, 1.0),
    ("frozen", 0, 100),
    ("temperature", 1e-3, 10.0),
    ("length", 4, 8192),
)


class TowerEncoder:
    """A trained tower as an encoder, before it is kept; its `name` is of this run alone."""

    engine = "torch"

    def __init__(self, tower: Tower, name: str) -> None:
        self.tower = tower
        self.name = name
        self.dimension = int(tower.model.config["hidden_size"])

    def __call__(
        self, texts: Iterable[str], *, side: Side = "passage", tick: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `encode.Encoder`."""
        held = list(texts)
        found = self.tower.encode(held, side)
        if tick is not None:
            tick(len(held))
        return found


def fit_contrasted(
    model: Model,
    texts: Sequence[str],
    labels: Sequence[str],
    settings: ContrastSettings | None = None,
    *,
    head: HeadSettings | None = None,
    start: Tower | None = None,
) -> Classifier:
    """Contrastive pairs, then a head on the vectors that they made (SetFit, Tunstall et al. 2022).

    Args:
        model: an encoder.
        texts: what is to be told apart.
        labels: the class of each.
        settings: of the pairs.
        head: of the head; over vectors alone unless it says otherwise.
        start: a tower to go on from, as further pretraining left it.

    Raises:
        DataError: one class alone, or columns of different lengths.
        ModelError: the loss is no finite number.
    """
    settings = settings or ContrastSettings()
    torch.manual_seed(settings.seed)
    tower = start or build(model, length=settings.length, frozen=settings.frozen)
    contrast(tower, texts, labels, settings)
    encoder: Encoder = TowerEncoder(tower, f"{model.label}-contrasted")
    return fit_head(texts, labels, encoder=encoder, settings=head or HeadSettings(views=("vectors",)))


def contrast(
    tower: Tower,
    texts: Sequence[str],
    labels: Sequence[str],
    settings: ContrastSettings,
    *,
    steps: int | None = None,
    tick: Callable[[int, int, float], None] | None = None,
) -> list[float]:
    """Train a tower in place so that texts of one class are near each other; losses come back.

    A step draws pairs of one class, each class as often as any other, and holds every text against those of other
    classes (supervised contrastive, Khosla et al. 2020). A class with one text pairs it with itself, which dropout
    makes two of (SimCSE, Gao et al. 2021); where every text has a label of its own, that is all there is.

    Raises:
        DataError: one class alone, or columns of different lengths.
    """
    if len(texts) != len(labels) or len(set(labels)) < 2:
        raise DataError(f"{len(texts)} texts, {len(set(labels))} classes", cure="give texts of at least two classes")
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    drawn = _Drawn(list(rows.values()), settings.batch, settings.seed)
    tower.precision = precision_of("auto")
    many = settings.steps(len(texts)) if steps is None else steps

    def loss(step: int) -> torch.Tensor:
        first, second = drawn(step)
        same = np.array([[labels[a] == labels[b] for b in second] for a in first], np.float32)
        queries, passages = (tuple(texts[row] for row in chosen) for chosen in (first, second))
        plan = Plan(("contrastive",), queries, passages, same, np.ones_like(same), np.zeros((0, 0), np.float32))
        asked = vectors(tower, tower, queries, "query", 1 << 20)
        found = vectors(tower, tower, passages, "query", 1 << 20)
        return loss_of(plan, asked, found, settings.temperature, 10.0)

    return loop([(tower, settings.lr)], loss, steps=many, seed=settings.seed, cast=tower.cast, tick=tick)


class _Drawn:
    """Pairs of rows of one class; which, depends on seed and step alone."""

    def __init__(self, classes: Sequence[Sequence[int]], batch: int, seed: int) -> None:
        self._classes = classes
        self._batch = batch
        self._seed = seed

    def __call__(self, step: int) -> tuple[list[int], list[int]]:
        rng = np.random.default_rng([self._seed, 31, step])
        number = len(self._classes)
        turns = -(-self._batch // number)
        order = np.concatenate([rng.permutation(number) for _ in range(turns)])[: self._batch]
        pairs = [self._pair(self._classes[at], rng) for at in order]
        return [first for first, _ in pairs], [second for _, second in pairs]

    def _pair(self, rows: Sequence[int], rng: np.random.Generator) -> tuple[int, int]:
        if len(rows) == 1:
            return rows[0], rows[0]
        first, second = rng.choice(len(rows), 2, replace=False)
        return rows[first], rows[second]
