"""Steps over pairs, or labelled texts, in; what each training step of a head looks at, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mercer.errors import DataError
from mercer.learn.step import Plan, Steps

__all__ = ["Examples", "Lists", "PairLists", "TextLists"]


@dataclass(frozen=True, slots=True)
class Lists:
    """Texts or pairs of one step and what is known of them."""

    first: tuple[str, ...]
    second: tuple[str, ...] | None
    """None where texts stand alone."""
    targets: NDArray[np.float32]
    """(n,): gains, numbers of classes or ratings."""
    weights: NDArray[np.float32]
    lists: NDArray[np.int64]
    """(n,): number of the query whose list a pair stands in."""


class PairLists(Dataset[Lists]):
    """The judged pairs of each step, and passages of the step's other queries as wrong ones where they are few."""

    def __init__(self, steps: Steps, *, passages: int, grades: Sequence[float] = ()) -> None:
        """Fill every query's list up to `passages`; `grades` makes numbers of classes of gains."""
        self._steps = steps
        self._passages = passages
        self._grades = np.asarray(grades, np.float32)

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, step: int) -> Lists:
        plan = self._steps[step]
        cells = [(line, column) for line in range(len(plan.queries)) for column in self._columns(plan, line)]
        lines, columns = (np.array(places, np.int64) for places in zip(*cells, strict=True))
        gains = plan.gains[lines, columns]
        targets = np.nan_to_num(gains, nan=0.0)
        if len(self._grades):
            targets = np.abs(targets[:, None] - self._grades).argmin(1).astype(np.float32)
        first = tuple(plan.queries[line] for line in lines)
        second = tuple(plan.passages[column] for column in columns)
        return Lists(first, second, targets, plan.weights[lines, columns], lines)

    def _columns(self, plan: Plan, line: int) -> list[int]:
        """Judged passages of a query, then others' from its own place on."""
        known = np.flatnonzero(~np.isnan(plan.gains[line])).tolist()
        rest = np.flatnonzero(np.isnan(plan.gains[line]))
        turned = np.roll(rest, -int(line * len(rest) / len(plan.queries)))
        return [*known, *turned[: max(0, self._passages - len(known))].tolist()]


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled texts, or pairs of texts."""

    first: Sequence[str]
    targets: Sequence[float]
    """Numbers of classes, ratings, or 0 and 1."""
    second: Sequence[str] | None = None
    weights: Sequence[float] | None = None
    """How much each counts; 1 where None."""

    def __post_init__(self) -> None:
        for name in ("targets", "second", "weights"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.first):
                raise DataError(f"{len(self.first)} texts, {len(given)} {name}", cure="give one a text")
        numbers = [*self.targets, *(self.weights or ())]
        if not np.isfinite(np.asarray(numbers, np.float64)).all():
            raise DataError("a target or a weight is no finite number", cure="leave such texts out")

    def __len__(self) -> int:
        return len(self.first)

    def chosen(self, rows: Sequence[int]) -> Lists:
        """Some of them as a step."""
        weights = [1.0] * len(rows) if self.weights is None else [self.weights[row] for row in rows]
        return Lists(
            tuple(self.first[row] for row in rows),
            None if self.second is None else tuple(self.second[row] for row in rows),
            np.array([self.targets[row] for row in rows], np.float32),
            np.array(weights, np.float32),
            np.zeros(len(rows), np.int64),
        )


class TextLists(Dataset[Lists]):
    """Labelled texts in shuffled order, epoch after epoch. Which, depends on seed and number alone."""

    def __init__(self, examples: Examples, *, steps: int, batch: int, seed: int) -> None:
        """Deal out `steps` steps of `batch` texts.

        Raises:
            DataError: no example.
        """
        if not len(examples):
            raise DataError("no text to learn from", cure="give labelled texts")
        self._examples = examples
        self._steps = steps
        self._batch = min(batch, len(examples))
        self._seed = seed

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Lists:
        number = len(self._examples)
        start = step * self._batch
        turns = range(start // number, (start + self._batch - 1) // number + 1)
        order = np.concatenate([np.random.default_rng([self._seed, 4, turn]).permutation(number) for turn in turns])
        begin = start - turns[0] * number
        return self._examples.chosen(order[begin : begin + self._batch].tolist())
