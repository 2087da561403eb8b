"""Labelled texts in; a model that says the class, the rating or the chance of any text, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import transformers

from mercer.encode.head import Head
from mercer.encode.model import Model
from mercer.errors import DataError
from mercer.learn.cross import Cross, cross
from mercer.learn.headed import Course, train
from mercer.learn.lists import Examples, TextLists
from mercer.learn.run import Tick, Tuned
from mercer.learn.settings import LearnSettings
from mercer.measure.classify import auc, f1

__all__ = ["tune_classifier"]

METRICS = {"classes": "F1", "relevance": "AUC", "rating": "R2"}
"""What the best state has the highest of: macro F1, area under the ROC curve, share of variance explained."""


def tune_classifier(
    model: Model,
    examples: Examples,
    settings: LearnSettings,
    *,
    folder: Path,
    work: Path,
    labels: Sequence[str] = (),
    kind: Literal["classes", "relevance", "rating"] = "classes",
    scale: tuple[float, float] = (1.0, 5.0),
    valid: Examples | None = None,
    seconds: float = math.inf,
    tick: Tick | None = None,
) -> Tuned:
    """Train a head for texts, or pairs of texts, and write its best state into `folder`.

    Args:
        model: an encoder.
        examples: targets are places in `labels`, 0 and 1, or ratings in `scale`.
        settings: `batch` is texts in a step; `objective`, `passages` and shares of pairs are not looked at.
        folder: a new folder; `mercer.encode.head.open_judge` opens it, ``probabilities`` answers.
        work: a folder for checkpoints; a run that was killed goes on from there.
        labels: names of the classes.
        kind: classes by cross-entropy, relevance (one chance) by binary cross-entropy, rating by squared error.
        scale: lowest and highest rating.
        valid: what the best state is chosen by; None keeps the last.
        seconds: most time it may take.
        tick: told step, steps in all, and the last figures.

    Raises:
        DataError: no example, or a target that is no class.
        ModelError: weights became NaN.
    """
    transformers.set_seed(settings.seed)
    low, high = scale if kind == "rating" else (0.0, 1.0)
    head = Head(kind, model.pooling, min(settings.length, model.positions), labels=tuple(labels), low=low, high=high)
    for given in (examples, valid):
        _checked(given, head)
    frozen = settings.frozen_layers if settings.train == "frozen" else 0
    words = settings.words and settings.train == "full"
    trained = cross(model, head, frozen=frozen, words=words, dropout=settings.dropout)
    if kind == "rating" and len(examples) and not bool(trained.head.weight.any()):
        trained.head.bias.data.fill_(float(np.mean(examples.targets)))  # a head that begins at nothing says the mean
    course = Course(
        (kind,),
        lambda steps: TextLists(examples, steps=steps, batch=settings.batch, seed=settings.seed),
        math.ceil(settings.epochs * len(examples) / settings.batch),
        metric=METRICS[kind] if valid is not None else "",
        judge=None if valid is None else lambda state: figure(state, valid),
    )
    tuned = train(trained, course, settings, work=work, seconds=seconds, tick=tick)
    trained.save(folder, head)
    return tuned


def figure(state: Cross, examples: Examples) -> float:
    """Macro F1, AUC or R² of a state; AUC of one class alone is 0."""
    said, wanted = state.judge(examples.first, examples.second), np.asarray(examples.targets, np.float64)
    if state.said.kind == "classes":
        return f1(wanted.astype(int).tolist(), said.argmax(1).tolist())
    if state.said.kind == "relevance":
        return auc(wanted, said[:, 0]) if len(set(wanted.tolist())) > 1 else 0.0
    spread = float(((wanted - wanted.mean()) ** 2).sum())
    return 1 - float(((wanted - said[:, 0]) ** 2).sum()) / spread if spread > 0 else 0.0


def _checked(examples: Examples | None, head: Head) -> None:
    if examples is None or head.kind == "rating":
        return
    known = set(range(len(head.labels))) if head.kind == "classes" else {0, 1}
    if wrong := sorted(set(examples.targets) - known):
        raise DataError(f"target {wrong[0]:g} is none of {len(known)} classes", cure="number the classes from 0")
