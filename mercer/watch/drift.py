"""Named comparisons in; those that are more than chance, by how much, and the largest of each group, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mercer.errors import MissingExtra
from mercer.watch.alarm import Measured
from mercer.watch.change import Change

__all__ = ["GROUPS", "Drift", "Group", "Question", "Skipped", "drifts", "worst"]

Group = Literal["queries", "catalogue", "scores", "features", "training"]
GROUPS: tuple[Group, ...] = ("queries", "catalogue", "scores", "features", "training")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to compare."""

    group: Group
    what: str
    ask: Callable[[], Change]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A group, or one thing of it, that cannot be compared, and why."""

    group: Group
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that was compared."""

    group: Group
    what: str
    change: Change
    corrected: float
    """p corrected for all comparisons of the run: Benjamini and Hochberg (1995)."""
    severity: Literal["none", "low", "medium", "high"]
    """By the size of the effect; none where it may be chance."""

    def row(self) -> dict[str, Any]:
        """For JSON and tables."""
        one = self.change
        return {
            "group": self.group, "what": self.what, "size": one.size, "unit": one.unit, "level": one.level, "p": one.p,
            "corrected": self.corrected, "before": one.before, "now": one.now, "severity": self.severity,
        }  # fmt: skip


def drifts(questions: Iterable[Question], *, significance: float) -> tuple[list[Drift], list[Skipped]]:
    """Ask all, then correct for how many were asked; what needs a package that is not there is skipped."""
    from scipy.stats import false_discovery_control

    asked: list[tuple[Question, Change]] = []
    skipped: list[Skipped] = []
    for question in questions:
        try:
            asked.append((question, question.ask()))
        except MissingExtra as error:
            skipped.append(Skipped(question.group, question.what, str(error)))
    corrected = false_discovery_control([change.p for _, change in asked]).tolist() if asked else []
    found = [
        Drift(question.group, question.what, change, float(p), _severity(change, p <= significance))
        for (question, change), p in zip(asked, corrected, strict=True)
    ]
    return sorted(found, key=lambda one: (GROUPS.index(one.group), -one.change.level)), skipped


def _severity(change: Change, sure: bool) -> Literal["none", "low", "medium", "high"]:
    if not sure or change.level < 0.02:
        return "none"
    return "low" if change.level < 0.1 else "medium" if change.level < 0.25 else "high"


def worst(found: Iterable[Drift], *, window: int) -> list[Measured]:
    """For alarms: ``drift.GROUP`` is the largest level of what is more than chance, 0 where nothing is."""
    by_group: dict[Group, list[Drift]] = {}
    for one in found:
        by_group.setdefault(one.group, []).append(one)
    return [_measured(group, held, window) for group, held in by_group.items()]


def _measured(group: Group, held: list[Drift], window: int) -> Measured:
    sure = [one for one in held if one.severity != "none"]
    value = max((one.change.level for one in sure), default=0.0)
    evidence: Mapping[str, Any] = {one.what: round(one.change.level, 4) for one in sure}
    return Measured(f"drift.{group}", value, value, value, window, {"compared": len(held), "changed": dict(evidence)})


def sampled(values: Any, most: int, *, seed: int = 0) -> Any:
    """At most so many of an array's rows, by chance, in their order."""
    if len(values) <= most:
        return values
    return values[np.sort(np.random.default_rng(seed).permutation(len(values))[:most])]
