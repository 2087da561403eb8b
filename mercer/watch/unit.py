"""An experiment and the log in; each shopper who was part of it, with what they did, out."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mercer.watch.experiment import Experiment
from mercer.watch.interleave import credit
from mercer.watch.traffic import Traffic, events, from_log

if TYPE_CHECKING:
    from mercer.events.log import EventLog
    from mercer.records import Event

__all__ = ["Unit", "tag", "tagged", "units"]

HOUR = 3_600_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One shopper, or a session of nobody known."""

    who: str
    arm: str
    first: int
    """UTC ms of the first answer."""
    values: Mapping[str, float]
    """By metric; NaN where there is nothing to measure."""


def tag(experiment: str, arm: str, teams: str = "") -> str:
    """What the log keeps with an answer: ``ID/ARM``, or ``ID/~TEAMS`` of an interleaved one."""
    return f"{experiment}/~{teams}" if teams else f"{experiment}/{arm}"


def tagged(text: str) -> tuple[str, str, str]:
    """(experiment, arm, teams) of what `tag` made.

    >>> tagged(tag("trees", "with")), tagged(tag("trees", "", "abba"))
    (('trees', 'with', ''), ('trees', '', 'abba'))
    """
    experiment, _, rest = text.partition("/")
    return (experiment, "", rest[1:]) if rest.startswith("~") else (experiment, rest, "")


def units(experiment: Experiment, log: EventLog, *, now: int | None = None) -> list[Unit]:
    """Shoppers in the order of their first answers, each with what they did in the `settle_hours` after it.

    Who came first less than that ago is not there yet, so that a shopper's values never change once they count.
    """
    now = int(time.time() * 1000) if now is None else now
    settle = int(experiment.settle_hours * HOUR)
    traffic = from_log(log, since=experiment.started, until=(experiment.ended or now) + 1)
    mine = np.array([tagged(text)[0] == experiment.id for text in traffic.arm], bool)
    held = traffic.kept(mine) if len(traffic) else traffic
    places: dict[str, list[int]] = defaultdict(list)
    for place in range(len(held)):
        places[held.shopper[place] or f"\t{held.session[place]}"].append(place)
    bought, clicked = _bought(log, experiment.started), _clicks(held)
    found = []
    for who, own in places.items():
        first = int(held.time[own[0]])
        if first + settle > now:
            continue
        early = [place for place in own if held.time[place] <= first + settle]
        done = [[one for one in clicked[place] if one[0] <= first + settle] for place in early]
        paid = [event for event in bought.get(who, ()) if first <= event.time <= first + settle]
        arm = tagged(held.arm[own[0]])[1]
        found.append(Unit(who, arm, first, _values(held, early, done, paid)))
    return sorted(found, key=lambda unit: (unit.first, unit.who))


def _bought(log: EventLog, since: int) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events(log, since=since):
        if event.type == "purchase":
            found[event.shopper or f"\t{event.session}"].append(event)
    return found


def _clicks(held: Traffic) -> list[list[tuple[int, int]]]:
    """Of each answer (time, position) of what was clicked on it; positions are those of its own page, from 1."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(len(held))]
    for row in np.flatnonzero(held.clicked >= 0).tolist():
        place = int(held.answer[row])
        found[place].append((int(held.clicked[row]), int(held.position[row] - held.offset[place])))
    return found


def _values(held: Traffic, own: list[int], clicks: list[list[tuple[int, int]]], paid: list[Event]) -> dict[str, float]:
    """Metrics of one shopper's answers; `clicks` of each of them."""
    filled = [place for place in range(len(own)) if held.total[own[place]] > 0]
    waits = [min(done)[0] - int(held.time[own[place]]) for place, done in enumerate(clicks) if done]
    values = {
        "clicked": float(bool(waits)),
        "clicks": sum(map(len, clicks)) / len(own),
        "bought": float(bool(paid)),
        "revenue": sum((event.price or 0.0) * (event.quantity or 1.0) for event in paid),
        "zero_results": 1 - len(filled) / len(own),
        "abandoned": sum(not clicks[place] for place in filled) / len(filled) if filled else math.nan,
        "first_click": max(waits[0], 0) / 1000 if waits else math.nan,
    }
    teams = [tagged(held.arm[place])[2] for place in own]
    if any(teams):
        won = [credit(team, [at for _, at in done]) for team, done in zip(teams, clicks, strict=True)]
        values["won"] = float(np.sign(sum(won)))
    return values
