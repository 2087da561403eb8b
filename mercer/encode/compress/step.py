"""A model before and after a step in; size, speed and quality of both out, or a refusal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.choose import EncodeSettings, load
from mercer.encode.compress.folder import size
from mercer.encode.compress.judge import Judge, Quality
from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["State", "Step", "opened", "queries_a_second", "state", "within"]

ROUNDS = 60
"""Queries whose time is taken; their median counts."""
TEXTS = 64
"""Products that are encoded to see how many a second."""


@dataclass(frozen=True, slots=True)
class State:
    """What a model costs and gives, on one thread."""

    bytes: int
    queries: float
    """Queries a second, one at a time."""
    texts: float
    """Products a second, in batches."""
    dimension: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it was, and the model before and after it."""

    name: str
    before: State
    after: State
    loss: float
    """Share of the figure that was lost; negative where it grew."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Every figure, without those of single queries."""
        told = asdict(self)
        for side in ("before", "after"):
            told[side]["quality"].pop("values")
        return told


def opened(model: Model, settings: EncodeSettings, *, source: str = "") -> Encoder:
    """The encoder of a model folder on one thread: torch, as in training, unless its body is in int8.

    `source` is the name that an index knows the model by, where it is no folder.
    """
    return load(
        engine="onnx" if model.body is not None else "torch",
        settings=replace(settings, source=source or str(model.folder), threads=1),
    )


def state(model: Model, encoder: Encoder, judge: Judge, products: NDArray[np.float32] | None = None) -> State:
    """Measure a model that is open; `products` are its vectors of the judge's shelf where they are known."""
    quality = judge(encoder, products=products)
    queries, texts = list(judge.queries.values()), list(judge.shelf.values())[:TEXTS]
    began = time.thread_time()
    encoder(texts)
    taken = max(time.thread_time() - began, 1e-9)
    return State(size(model), queries_a_second(encoder, queries), len(texts) / taken, encoder.dimension, quality)


def queries_a_second(encoder: Encoder, queries: Sequence[str]) -> float:
    """Queries that one thread encodes in a second, one at a time: processor time, which other programs leave alone."""
    taken = []
    for at in range(ROUNDS):
        began = time.thread_time()
        encoder([queries[at % len(queries)]], side="query")
        taken.append(time.thread_time() - began)
    return 1 / max(float(np.median(taken[ROUNDS // 10 :])), 1e-9)


def within(name: str, before: State, after: State, limit: float, facts: Mapping[str, Any] | None = None) -> Step:
    """The step as a record.

    Raises:
        ModelError: it lost more than `limit`.
    """
    step = Step(name, before, after, lost(before.quality, after.quality), dict(facts or {}))
    if step.loss > limit:
        raise ModelError(
            f"{name} lost {step.loss:.2%} of {before.quality.figure:.4f}, the limit is {limit:.2%}",
            cure="leave this step out, ask less of it, or raise --limit",
        )
    return step


def lost(before: Quality, after: Quality) -> float:
    """Share of the figure that is gone."""
    return 1 - after.figure / before.figure if before.figure > 0 else 0.0
