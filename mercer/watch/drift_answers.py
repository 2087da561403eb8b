"""Answers of the log before and now in; how scores and ranking features changed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mercer.watch.change import Histogram, binned, numbers
from mercer.watch.drift import Question, sampled
from mercer.watch.traffic import Traffic

__all__ = ["Features", "features", "scores"]

FIRST = 10
"""Places that scores are compared on."""


@dataclass(frozen=True, slots=True)
class Features:
    """How the log keeps what a ranker was told, and what it was told when it was trained."""

    names: Sequence[str]
    read: Callable[[bytes], NDArray[np.float64] | None]
    """Features (names,) of one impression; None where it has none."""
    trained: Mapping[str, Histogram]
    """By name, as `learn` kept them beside the ranker; empty where it kept none."""


def scores(before: Traffic, now: Traffic, *, most: int) -> Iterator[Question]:
    """Scores of the first products, of the best one, and how far it is ahead."""
    sides = [_scores(side) for side in (before, now)]
    first, second = ([sampled(column, most) for column in side] for side in sides)
    for number, what in enumerate(("of the first ten", "of the best", "best less tenth")):
        yield Question("scores", what, partial(numbers, first[number], second[number]))


def _scores(traffic: Traffic) -> tuple[NDArray[np.float64], ...]:
    place = traffic.position - traffic.offset[traffic.answer]
    top = (place <= FIRST) & (traffic.offset[traffic.answer] == 0)
    best, tenth = np.full(len(traffic), np.nan), np.full(len(traffic), np.nan)
    for column, wanted in ((best, 1), (tenth, FIRST)):
        here = top & (place == wanted)
        column[traffic.answer[here]] = traffic.score[here]
    return traffic.score[top], best, best - tenth


def features(before: Traffic, now: Traffic, how: Features, *, most: int) -> Iterator[Question]:
    """Each feature against what was before, and against training where that is known."""
    theirs, ours = (_matrix(side, how, most) for side in (before, now))
    for number, name in enumerate(how.names if len(ours) else ()):
        if len(theirs):
            yield Question("features", name, partial(binned, Histogram.of(theirs[:, number]), ours[:, number]))
        if name in how.trained:
            yield Question("training", name, partial(binned, how.trained[name], ours[:, number]))


def _matrix(traffic: Traffic, how: Features, most: int) -> NDArray[np.float64]:
    told = np.flatnonzero(np.array([bool(one) for one in traffic.features], bool))
    rows = [how.read(traffic.features[place]) for place in sampled(told, most)]
    known = [row for row in rows if row is not None]
    return np.array(known, np.float64).reshape(len(known), len(how.names))
