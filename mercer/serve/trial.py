"""A request, the shop's doors and its experiments in; the page of this shopper's arm, and what the log keeps, out."""

from __future__ import annotations

import dataclasses

from mercer.errors import MercerError
from mercer.records import Hit, Page, Request
from mercer.search.effort import Effort
from mercer.serve.doors import ArmDoors, Doors
from mercer.serve.metrics import Metrics
from mercer.watch.experiment import Arm, Experiment
from mercer.watch.experiment_book import ExperimentBook
from mercer.watch.interleave import draft
from mercer.watch.unit import tag

__all__ = ["Trials"]

DEEPEST = 1000
"""Hits that a door gives at most; beyond them lists are not interleaved."""


class Trials:
    """Answers each request by the arm that its shopper has, where an experiment runs in its scene."""

    def __init__(self, doors: Doors, book: ExperimentBook | None, metrics: Metrics) -> None:
        self.doors, self.book, self._metrics = doors, book, metrics

    def __call__(self, request: Request, effort: Effort) -> tuple[Page, str | None]:
        """The page, and ``ID/ARM`` or ``ID/~TEAMS`` where it is part of an experiment."""
        fault = False
        try:
            chosen = self.book.of(request.scene, request.shopper.id or request.session) if self.book else None
            answer = self._tried(*chosen, request, effort) if chosen else None
            if answer:
                return answer
        except MercerError:  # an arm that cannot be served costs nobody the answer
            fault = True
        page = _asked(self.doors, request, effort)  # what is wrong with the request itself is told here
        if fault:
            self._metrics.trial_faults.inc()
        return page, None

    def _tried(
        self, experiment: Experiment, arm: Arm, request: Request, effort: Effort
    ) -> tuple[Page, str | None] | None:
        if experiment.kind == "interleave":
            deep = request.offset + request.k > DEEPEST or request.sort != "relevance"
            return None if effort != "full" or deep else self._interleaved(experiment, request)
        door = self.doors.arm((experiment.arms[0] if arm.stopped else arm).settings)
        return _asked(door, request, effort), None if arm.stopped else tag(experiment.id, arm.name)

    def _interleaved(self, experiment: Experiment, request: Request) -> tuple[Page, str]:
        """One list of two: the first arm's page with the hits of both, in the order of a draft that is always the same.

        Totals and facets are those of the first arm.
        """
        whole = dataclasses.replace(request, k=request.offset + request.k, offset=0)
        first, second = (_asked(self.doors.arm(arm.settings), whole, "full") for arm in experiment.arms)
        hits: dict[str, Hit] = {hit.id: hit for hit in (*second.hits, *first.hits)}
        who = request.shopper.id or request.session
        seed = f"{experiment.salt or experiment.id}\0{who}\0{request.query}\0{request.item}"
        ids, teams = draft([hit.id for hit in first.hits], [hit.id for hit in second.hits], whole.k, seed=seed)
        mine = slice(request.offset, whole.k)
        page = dataclasses.replace(first, hits=tuple(hits[id] for id in ids[mine]))
        return page, tag(experiment.id, "", teams[mine] or "-")


def _asked(door: ArmDoors, request: Request, effort: Effort) -> Page:
    if request.scene != "search":
        return door.recommend(request)
    return door.search(request) if effort == "full" else door.search(request, effort=effort)
