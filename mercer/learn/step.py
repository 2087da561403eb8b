"""Pairs in; what each training step looks at, the same for the same seed and number, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mercer.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Plan", "Steps", "Task", "epoch"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Texts of one step and what is known of them."""

    objectives: tuple[str, ...]
    queries: tuple[str, ...]
    passages: tuple[str, ...]
    gains: NDArray[np.float32]
    """(queries, passages): 0 to 1; NaN where nobody said."""
    weights: NDArray[np.float32]
    """(queries, passages): 1 where nobody said."""
    teacher: NDArray[np.float32]
    """(queries, passages): NaN where the teacher was not asked; (0, 0) where there is none."""


@dataclass(frozen=True)
class Task:
    """Pairs to be learned with certain objectives in a share of the steps."""

    name: str
    pairs: pa.Table
    """Of `pairs.schema()`; a column ``teacher`` (float) is what a better model thinks of the pair."""
    objectives: tuple[str, ...]
    share: float
    a_query: int
    """Passages of one query in a step; 1 for pairs that nobody judged against others."""


class Steps(Dataset[Plan]):
    """One `Plan` a step. Which, depends on seed and number alone: a run that goes on after a kill sees the same."""

    def __init__(self, tasks: Sequence[Task], *, steps: int, passages: int, seed: int) -> None:
        """Deal out `steps` steps of about `passages` passages each, among the tasks by their shares.

        Raises:
            DataError: no task has a pair with a gain above 0.
        """
        decks = [_Deck(task, seed) for task in tasks if len(task.pairs)]
        self._decks: list[_Deck] = [deck for deck in decks if deck.queries]
        if not self._decks:
            raise DataError("no pair to learn from", cure="check products, judgments or events: mercer check SHOP")
        self._passages = passages
        self._seed = seed
        shares = np.array([deck.task.share for deck in self._decks])
        rng = np.random.default_rng([seed, 1])
        self._deck = rng.choice(len(self._decks), steps, p=shares / shares.sum())
        self._turn = np.zeros(steps, np.int64)
        for number in range(len(self._decks)):
            mine = self._deck == number
            self._turn[mine] = np.arange(mine.sum())

    def __len__(self) -> int:
        return len(self._deck)

    def __getitem__(self, step: int) -> Plan:
        deck = self._decks[int(self._deck[step])]
        rng = np.random.default_rng([self._seed, 2, step])
        queries = deck.draw(int(self._turn[step]), max(2, self._passages // deck.task.a_query))
        return deck.plan(queries, rng)


def epoch(tasks: Sequence[Task], passages: int) -> int:
    """Steps in which as many pairs of the first task are seen as it has; the other tasks' shares come on top."""
    first, shares = tasks[0], sum(task.share for task in tasks)
    return max(1, math.ceil(len(first.pairs) / passages * shares / first.share))


class _Deck:
    """The pairs of a task by query."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self._seed = seed
        columns: Mapping[str, list[Any]] = task.pairs.to_pydict()
        self._text = dict(zip(columns["product"], columns["text"], strict=True)) if task.a_query > 1 else {}
        self._rows: dict[str, list[int]] = {}
        for row, query in enumerate(columns["query"]):
            self._rows.setdefault(query, []).append(row)
        self._columns = columns
        self._teacher = "teacher" in columns
        gains = columns["gain"]
        self.queries = [query for query, rows in self._rows.items() if any(gains[row] > 0 for row in rows)]

    def draw(self, turn: int, number: int) -> list[str]:
        """The next `number` queries of an endless shuffled row."""
        found: list[str] = []
        at = turn * number
        while len(found) < min(number, len(self.queries)):
            epoch, place = divmod(at, len(self.queries))
            order = np.random.default_rng([self._seed, 3, epoch]).permutation(len(self.queries))
            query = self.queries[order[place]]
            if query not in found:
                found.append(query)
            at += 1
        return found

    def plan(self, queries: Sequence[str], rng: np.random.Generator) -> Plan:
        """One step of these queries."""
        columns = self._columns
        place: dict[str, int] = {}
        chosen: list[int] = []
        for query in queries:
            for row in self._picked(self._rows[query], rng):
                if columns["product"][row] not in place:
                    place[columns["product"][row]] = len(place)
                    chosen.append(row)
        shape = (len(queries), len(place))
        gains, weights = np.full(shape, np.nan, np.float32), np.ones(shape, np.float32)
        teacher = np.full(shape if self._teacher else (0, 0), np.nan, np.float32)
        for line, query in enumerate(queries):
            for row in self._rows[query]:
                column = place.get(columns["product"][row])
                if column is not None:
                    gains[line, column], weights[line, column] = columns["gain"][row], columns["weight"][row]
                    if self._teacher and columns["teacher"][row] is not None:
                        teacher[line, column] = columns["teacher"][row]
        passages = tuple(columns["text"][row] for row in chosen)
        return Plan(self.task.objectives, tuple(queries), passages, gains, weights, teacher)

    def _picked(self, rows: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Some pairs of one query: one that is right, then any, so that all grades come."""
        most = self.task.a_query
        right = [row for row in rows if self._columns["gain"][row] > 0]
        first = int(rng.choice(right))
        rest = [row for row in rows if row != first]
        more = rng.choice(rest, min(most - 1, len(rest)), replace=False) if rest and most > 1 else ()
        return [first, *(int(row) for row in more)]
