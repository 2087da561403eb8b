"""A validation trial and a fitted linear model in; trees that order its candidates by all clues, as a scorer, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError, SettingsError
from mercer.rank.trees import lightgbm
from mercer.retrieve.clue import CLUES, Clues
from mercer.retrieve.holdout import Trial
from mercer.retrieve.sequence import Sequences

__all__ = ["Reordered", "SequenceRankerSettings", "fit_reordered"]

LEAST = 30
"""Shoppers who chose one of their candidates without whom no tree is grown."""
CELLS = 12_000_000
"""Scores of all products held at once while clues are worked out: about 400 MB with every clue's."""


@dataclass(frozen=True, slots=True)
class SequenceRankerSettings:
    """How candidates are ordered by trees that validation shoppers teach (LambdaMART)."""

    candidates: int = 100
    """Best products of the linear model that are ordered anew."""
    rounds: int = 150
    """Trees."""
    leaves: int = 15
    """Of each tree."""
    pace: float = 0.05
    """What a tree adds, 0 to 1: the learning rate."""
    least: int = 200
    """Candidates in a leaf, at least."""
    folds: int = 3
    """Parts that validation shoppers fall into: what one part says of the trees is taken from trees without it."""
    shoppers: int = 30_000
    """Validation shoppers that teach, at most."""

    def __post_init__(self) -> None:
        limits = (
            ("candidates", 10, 1000), ("rounds", 1, 5000), ("leaves", 2, 255), ("pace", 1e-3, 1), ("least", 1, 1e6),
            ("folds", 2, 20), ("shoppers", 10, 1e7),
        )  # fmt: skip
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(
                    f"the sequence ranker's {name} is {value}", cure=f"give a number from {low:g} to {high:g}"
                )


class Reordered:
    """The linear model's best products in the order of the trees, then the rest in its own."""

    usual = 1.0

    def __init__(self, clues: Clues, booster: Any, settings: SequenceRankerSettings) -> None:
        self.clues, self.booster, self.settings = clues, booster, settings
        self.products = clues.linear.products

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Shape (shoppers, products); candidates lie between 1 and 2, the rest below 1."""
        found = np.zeros((len(sequences), len(self.products)), dtype=np.float32)
        for low, codes, clues, before in _batches(self.clues, sequences, self.settings.candidates):
            said = _predicted(self.booster, clues)
            lowest, highest = said.min(axis=1, keepdims=True), said.max(axis=1, keepdims=True)
            said = 1 + (said - lowest) / np.maximum(highest - lowest, 1e-9)
            scores = np.maximum(before, 0)
            scores /= 2 * np.maximum(scores.max(axis=1, keepdims=True), 1e-9)
            row, column = np.nonzero(codes >= 0)
            scores[row, codes[row, column]] = said[row, column]
            found[low : low + len(scores)] = scores
        return found


def fit_reordered(
    trial: Trial, clues: Clues, *, settings: SequenceRankerSettings | None = None, seed: int = 7,
    tick: Callable[[], None] | None = None,
) -> tuple[Reordered, Mapping[str, float]]:  # fmt: skip
    """Grow trees on validation shoppers, and say by cross-validation among them what they are worth.

    Args:
        trial: the validation part; `clues` know only what comes before it.
        clues: of the trial's `train`.
        settings: of the trees.
        seed: of the parts and the trees.
        tick: called after each part.

    Raises:
        RequestError: fewer than `LEAST` shoppers chose one of their candidates.

    Returns:
        The scorer, and nDCG@10 on validation shoppers without it (`before`) and by trees that had not seen them.
    """
    settings = settings or SequenceRankerSettings()
    trial = trial.sample(settings.shoppers, seed=seed)
    parts = list(_batches(clues, trial.asked, settings.candidates))
    codes = np.concatenate([part[1] for part in parts])
    table = np.concatenate([part[2] for part in parts])
    del parts
    right = np.zeros(codes.shape, dtype=bool)
    for row, shopper in enumerate(trial.shoppers):
        right[row] = np.isin(codes[row], clues.linear.products.codes(trial.chosen[shopper]))
    if (taught := int(right.any(axis=1).sum())) < LEAST:
        raise RequestError(f"{taught} validation shoppers teach trees nothing", cure=f"give {LEAST} at least")
    fold = np.random.default_rng(seed).permutation(len(codes)) % settings.folds
    said = np.zeros(codes.shape)
    for part in range(settings.folds):
        booster = _grow(table[fold != part], codes[fold != part], right[fold != part], settings, seed=seed)
        said[fold == part] = _predicted(booster, table[fold == part])
        if tick:
            tick()
    truths = [len(trial.chosen[shopper]) for shopper in trial.shoppers]
    order = -np.arange(codes.shape[1])[None, :].repeat(len(codes), axis=0)
    worth = {
        "before": _ndcg(order, codes, right, truths),
        "cross_validated": _ndcg(said, codes, right, truths),
        "shoppers": float(len(codes)),
    }
    return Reordered(clues, _grow(table, codes, right, settings, seed=seed), settings), worth


def _batches(clues: Clues, asked: Sequences, candidates: int) -> Any:
    """(first shopper, candidates' codes, their clues, all scores) of some shoppers at a time."""
    size = max(1, len(clues.linear.products))
    step, depth = max(1, CELLS // size), min(candidates, size)
    for low in range(0, len(asked), step):
        some = asked.rows(low, low + step)
        scores = clues.linear.scores(some)
        usable, known = scores.copy(), some.product >= 0
        usable[some.owner()[known], some.product[known]] = -np.inf
        chosen = np.argpartition(-usable, depth - 1, axis=1)[:, :depth]
        value = np.take_along_axis(usable, chosen, axis=1)
        order = np.lexsort((chosen, -value), axis=1)
        codes, value = np.take_along_axis(chosen, order, axis=1), np.take_along_axis(value, order, axis=1)
        codes = np.where(value > 0, codes, -1)
        yield low, codes, clues(some, codes), scores


def _grow(
    table: NDArray[np.float32], codes: NDArray[np.int64], right: NDArray[np.bool_], settings: SequenceRankerSettings,
    *, seed: int,
) -> Any:  # fmt: skip
    """A booster taught by those whose choice is among their candidates; the others say nothing of the order."""
    package = lightgbm()
    told = right.any(axis=1)
    there = codes[told] >= 0
    data = package.Dataset(
        table[told][there], right[told][there].astype(np.int8), group=there.sum(axis=1), feature_name=list(CLUES),
        free_raw_data=True,
    )  # fmt: skip
    parameters = {
        "objective": "lambdarank", "learning_rate": settings.pace, "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least, "lambdarank_truncation_level": 20, "feature_fraction": 0.6,
        "bagging_fraction": 0.7, "bagging_freq": 1, "seed": seed, "num_threads": 1, "verbose": -1,
        "deterministic": True,
    }  # fmt: skip
    return package.train(parameters, data, settings.rounds)


def _predicted(booster: Any, clues: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, candidates, clues) → (n, candidates)."""
    if not clues.size:
        return np.zeros(clues.shape[:2])
    said: NDArray[np.float64] = booster.predict(clues.reshape(-1, clues.shape[2]), num_threads=1)
    return said.reshape(clues.shape[:2])


def _ndcg(scores: NDArray[Any], codes: NDArray[np.int64], right: NDArray[np.bool_], truths: list[int]) -> float:
    """Mean nDCG@10 with gains of 1."""
    order = np.argsort(np.where(codes >= 0, -scores, np.inf), axis=1, kind="stable")[:, :10]
    gains = 1 / np.log2(np.arange(10) + 2)
    reached = (np.take_along_axis(right, order, axis=1) * gains[: order.shape[1]]).sum(axis=1)
    best = np.cumsum(gains)[np.minimum(np.array(truths), 10) - 1]
    return float(np.mean(reached / best))
