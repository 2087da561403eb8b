"""Events as codes in; visits, the runs of actions that one shopper makes without a long pause, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.quality.event_codes import EventCodes, combined

__all__ = ["PAUSE", "Visits", "replayed", "visits_of"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

PAUSE = 1_800_000
"""Milliseconds without an action that end a visit where the log has no session: the half hour of web analytics."""
GRAM = 4
"""Actions in a row that are compared: three come together by chance in one session of a hundred."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Some events in order of visit, time and row; shape (events,) but for `start`."""

    place: Whole
    """Row of the table."""
    visit: Whole
    """From 0."""
    start: Whole
    """Where each visit begins; shape (visits + 1,)."""

    def __len__(self) -> int:
        return len(self.start) - 1

    def sums(self, value: NDArray[np.generic]) -> Real:
        """Sums of a column by visit, shape (visits,)."""
        return np.bincount(self.visit, weights=value.astype(np.float64), minlength=len(self)).astype(np.float64)


def visits_of(codes: EventCodes, which: NDArray[np.bool_]) -> Visits:
    """The visits of some events; those of nobody and of no session are left out."""
    place = np.flatnonzero(which & (codes.time >= 0) & ((codes.session >= 0) | (codes.shopper >= 0)))
    named = codes.session[place] >= 0
    owner = combined(np.where(named, codes.session[place], -1), np.where(named, -1, codes.shopper[place]))
    time = codes.time[place]
    order = np.lexsort((place, time, owner))
    place, owner, time, named = place[order], owner[order], time[order], named[order]
    new = np.ones(len(place), bool)
    new[1:] = (np.diff(owner) != 0) | (~named[1:] & (np.diff(time) > PAUSE))
    visit = np.cumsum(new) - 1
    return Visits(place, visit, np.append(np.flatnonzero(new), len(place)))


def replayed(codes: EventCodes, visits: Visits) -> tuple[Real, Real]:
    """Of each visit, how many runs of GRAM actions on two products or more it has, and how many an earlier one had."""
    place, visit = visits.place, visits.visit
    length = len(place) - GRAM + 1
    if length < 1:
        return np.zeros(len(visits)), np.zeros(len(visits))
    act = np.unique(combined(codes.kind[place], codes.product[place]), return_inverse=True)[1].astype(np.int64)
    product, gram = codes.product[place], act[:length]
    varied = np.zeros(length, bool)
    for step in range(1, GRAM):
        key = gram * (int(act.max()) + 1) + act[step : length + step]
        gram = np.unique(key, return_inverse=True)[1].astype(np.int64)
        varied |= product[step : length + step] != product[:length]
    whole = (visit[GRAM - 1 :] == visit[:length]) & varied
    gram, owner = gram[whole], visit[:length][whole]
    began = codes.time[place[visits.start[:-1]]][owner] if len(owner) else owner
    order = np.lexsort((owner, began, gram))
    gram, owner = gram[order], owner[order]
    first = np.ones(len(gram), bool)
    first[1:] = np.diff(gram) != 0
    original = owner[np.maximum.accumulate(np.where(first, np.arange(len(gram)), 0))]
    size = len(visits)
    runs = np.bincount(owner, minlength=size).astype(np.float64)
    return runs, np.bincount(owner[owner != original], minlength=size).astype(np.float64)
