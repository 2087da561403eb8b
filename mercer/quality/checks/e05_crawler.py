"""Events in; those of machines that read the shop, or that play a visit of a person again, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.event_codes import EventCodes, codes_of
from mercer.quality.finding import Found
from mercer.quality.visit import Visits, replayed, visits_of

__all__ = ["Crawler", "crawler"]

LOOKS = ("view", "click")
ACTS = (*LOOKS, "add_to_cart", "purchase", "like", "dislike")
MINUTE = 60_000


@dataclass(frozen=True)
class Crawler(CheckSettings):
    """What no person does in a visit."""

    fast: int = 30
    """Products opened in a visit from which its speed counts."""
    speed: float = 30.0
    """Products opened a minute, on the average of the visit, that no person keeps up."""
    tireless: int = 50
    """Products opened in a visit from which its evenness counts."""
    pause: float = 60.0
    """Seconds; a person who opens so many rests longer than this once."""
    evenness: float = 0.6
    """Standard deviation of the gaps by their mean, below which they are a machine's; people's are above 1."""
    endless: int = 200
    """Products opened in a visit that nobody opens without wanting one."""
    wanted: float = 0.02
    """Carts, purchases and likes by product opened: above it a tireless or endless visitor is a keen one."""
    replay: float = 0.8
    """Share of a visit's runs of four actions that an earlier visit had."""
    runs: int = 2
    """Runs at least; one more for every tenfold of 10,000 visits, as chance repeats more among more."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("fast", "tireless", "endless"):
            if getattr(self, name) < 10:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 10 products")
        for name in ("speed", "pause", "evenness", "replay", "runs"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a number above 0")


@check(
    "E05",
    families=("events",),
    tier="global",
    severity="high",
    problems={
        "crawler": Problem("a machine that reads the shop", "爬虫访问", "quarantine"),
        "replay": Problem("a visit that repeats an earlier one", "重放他人访问的会话", "quarantine"),
    },
    settings=Crawler,
    english="visits are people's",
    chinese="访问来自真人",
)
def crawler(inputs: Inputs[Any], settings: Crawler) -> Iterator[Found]:
    """Visits that are too fast, too even or too long for a person, and visits that repeat an earlier one step by step.

    Only what is opened counts: an invoice of 500 lines is no crawler. A replay that keeps fewer than four in five runs
    of four actions, or has fewer than five actions, is not found.
    """
    codes = codes_of(inputs["events"])
    looks = codes.is_kind(*LOOKS)
    if not looks.any():
        return
    visits = visits_of(codes, codes.is_kind(*ACTS))
    if not len(visits):
        return
    machine, evidence = _machines(codes, visits, looks[visits.place], settings)
    yield _rows(codes, visits, machine, problem="crawler", score=0.95, evidence=evidence)
    runs, again = replayed(codes, visits)
    least = settings.runs + max(0, round(float(np.log10(len(visits)))) - 4)
    looked = visits.sums(looks[visits.place]) >= 0.3 * np.diff(visits.start)
    copied = ~machine & looked & (runs >= least) & (again >= settings.replay * runs)
    yield _rows(codes, visits, copied, problem="replay", score=0.8, evidence={"runs": runs, "repeated": again})


def _machines(
    codes: EventCodes, visits: Visits, looked: NDArray[np.bool_], settings: Crawler
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """Which visits are a machine's, and what says so."""
    visit, time = visits.visit[looked], codes.time[visits.place[looked]]
    size = len(visits)
    opened = np.bincount(visit, minlength=size).astype(np.float64)
    same = np.diff(visit) == 0
    gap, owner = np.diff(time)[same].astype(np.float64), visit[1:][same]
    total = np.bincount(owner, weights=gap, minlength=size)
    squares = np.bincount(owner, weights=gap**2, minlength=size)
    longest = np.zeros(size)
    np.maximum.at(longest, owner, gap)
    gaps = np.maximum(opened - 1, 1)
    mean = total / gaps
    spread = np.sqrt(np.maximum(squares / gaps - mean**2, 0)) / np.maximum(mean, 1.0)
    wanted = visits.sums(codes.is_kind("add_to_cart", "purchase", "like")[visits.place]) / np.maximum(opened, 1)
    speed = (opened - 1) / np.maximum(total / MINUTE, 1e-3)
    idle = wanted <= settings.wanted
    fast = (opened >= settings.fast) & (speed >= settings.speed)
    even = (longest <= settings.pause * 1000) & (spread <= settings.evenness)
    machine = fast | ((opened >= settings.tireless) & even & idle) | ((opened >= settings.endless) & idle)
    return machine, {"opened": opened, "a_minute": speed, "unevenness": spread}


def _rows(
    codes: EventCodes,
    visits: Visits,
    guilty: NDArray[np.bool_],
    *,
    problem: str,
    score: float,
    evidence: dict[str, NDArray[np.float64]],
) -> Found:
    """All events of some visits, what was shown in their sessions too."""
    import pyarrow as pa

    owner = np.full(codes.rows, -1, np.int64)
    owner[visits.place] = np.where(guilty[visits.visit], visits.visit, -1)
    session = codes.session[visits.place]
    of_session = np.full(int(codes.session.max(initial=0)) + 2, -1, np.int64)
    of_session[session[session >= 0]] = owner[visits.place][session >= 0]
    owner = np.where((owner < 0) & (codes.session >= 0), of_session[codes.session], owner)
    rows = np.flatnonzero(owner >= 0)
    columns = {name: np.round(value[owner[rows]], 3) for name, value in evidence.items()}
    table = pa.table({"row_id": pa.array(codes.row_id[rows], pa.int64()), **columns})
    return Found(table, "events", "session", problem, score)
