"""Labelled texts in; the chances that an encoder trained on them gives other texts out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode import EncodeSettings
from mercer.encode.head import open_judge
from mercer.encode.model import Model
from mercer.learn.classify import tune_classifier
from mercer.learn.lists import Examples
from mercer.learn.settings import LearnSettings

__all__ = ["TUNING", "tuned_chances", "tuned_judge"]

TUNING = LearnSettings(train="frozen", epochs=2.0, batch=32, lr=1e-4, length=64, evaluations=1)
"""Two passes, the three lowest layers as they are: half the time, and little is lost where texts are few thousands."""


def tuned_judge(
    model: Model, texts: Sequence[str], targets: NDArray[np.int64], labels: Sequence[str], *, folder: Path,
    settings: LearnSettings = TUNING, tick: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Train the upper layers and a head of these classes; `folder` is then what `encode.head.open_judge` opens."""

    def step(done: int, steps: int, _: object) -> None:
        if tick:
            tick(f"tune the encoder, step {done}/{steps}")

    examples = Examples(list(texts), targets.astype(float).tolist())
    with tempfile.TemporaryDirectory() as work:
        tune_classifier(model, examples, settings, folder=folder, work=Path(work) / "work", labels=labels, tick=step)


def tuned_chances(
    model: Model, labels: Sequence[str], *, epochs: float = TUNING.epochs, tick: Callable[[str], None] | None = None
) -> Callable[[Sequence[str], NDArray[np.int64], Sequence[str]], NDArray[np.float64]]:
    """For `opinion.trial`: texts to learn from, their classes and texts to ask in; (asked, classes) out."""

    def ask(texts: Sequence[str], targets: NDArray[np.int64], asked: Sequence[str]) -> NDArray[np.float64]:
        with tempfile.TemporaryDirectory() as kept:
            folder = Path(kept) / "model"
            tuned_judge(
                model, texts, targets, labels, folder=folder, settings=replace(TUNING, epochs=epochs), tick=tick
            )
            judge = open_judge(folder, settings=EncodeSettings(engine="torch"))
            return judge.probabilities(list(asked)).astype(np.float64)

    return ask
