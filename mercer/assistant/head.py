"""Vectors of messages in; the chance of each intent, and whether the message is about none of them, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode.kept import BROKEN, keep_model, kept_model
from mercer.errors import DataError, MissingExtra, ModelError

__all__ = ["Head", "fit_head", "held_out_floor"]

ARRAYS = ("weight", "bias", "centre", "anchors")
CURE = "run: mercer learn SHOP assistant"
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer over an encoder's unit vectors; plain arrays on disk, in ``head.npz`` and ``head.json``."""

    labels: tuple[str, ...]
    weight: NDArray[np.float32]
    """(labels, dimension)."""
    bias: NDArray[np.float32]
    """(labels,)."""
    centre: NDArray[np.float32]
    """(dimension,): mean of the vectors learned from, taken away first, as some encoders' vectors all lie close."""
    anchors: NDArray[np.float32]
    """(examples, dimension): centred unit vectors of what was learned from, to see how far a message is from all."""
    scale: float = 1.0
    """Times the outputs before the softmax (temperature, from held-out examples)."""
    floor: float = 0.0
    """A message whose `familiarity` is below is out of scope."""

    def __call__(self, vectors: Vectors) -> NDArray[np.float64]:
        """(n, labels): chances, rows sum to 1."""
        outputs = self.scale * (self._centred(vectors) @ self.weight.T + self.bias).astype(np.float64)
        raised = np.exp(outputs - outputs.max(1, keepdims=True))
        found: NDArray[np.float64] = raised / raised.sum(1, keepdims=True)
        return found

    def familiarity(self, vectors: Vectors) -> NDArray[np.float64]:
        """(n,): how much a message is like what was learned: half its best chance, half its cosine with the nearest."""
        near = (self._centred(vectors) @ self.anchors.T).max(1)
        found: NDArray[np.float64] = 0.5 * self(vectors).max(1) + 0.5 * near.astype(np.float64)
        return found

    def _centred(self, vectors: Vectors) -> Vectors:
        moved = vectors - self.centre
        found: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        return found

    def save(self, folder: Path) -> None:
        """Write both files."""
        arrays = {name: getattr(self, name) for name in ARRAYS}
        keep_model(folder, "head", {"labels": self.labels, "scale": self.scale, "floor": self.floor}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Head:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged.
        """
        told, held = kept_model(folder, "head", cure=CURE)
        try:
            arrays = {name: held[name] for name in ARRAYS}
            return cls(tuple(told["labels"]), **arrays, scale=float(told["scale"]), floor=float(told["floor"]))
        except BROKEN as error:
            raise ModelError(f"{folder} holds no head: {error!r}", cure=CURE) from error


def fit_head(vectors: Vectors, labels: Sequence[str], *, strength: float = 30.0, steps: int = 300) -> Head:
    """Logistic regression over centred unit vectors, classes weighing alike.

    Args:
        vectors: (n, dimension) unit rows.
        labels: of each.
        strength: inverse of the L2 penalty.
        steps: most iterations.

    Raises:
        DataError: fewer than two labels.
        MissingExtra: scikit-learn is not installed.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise DataError(f"{len(names)} intents to learn from", cure="give examples of two or more")
    try:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    centre = vectors.mean(0)
    moved = vectors - centre
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    with threadpool_limits(1):  # so little work that threads wait for each other longer than they compute
        model = LogisticRegression(C=strength, max_iter=steps, class_weight="balanced").fit(moved, list(labels))
    weight, bias = model.coef_, model.intercept_
    if len(names) == 2:
        weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(names, weight.astype(np.float32), bias.astype(np.float32), centre, moved.astype(np.float32))


def held_out_floor(familiarity: NDArray[np.float64], *, refused: float = 0.05) -> float:
    """The familiarity below which at most `refused` of messages that are in scope, held out, would be turned away."""
    return float(np.quantile(familiarity, refused)) if len(familiarity) else 0.0
