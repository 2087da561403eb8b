"""A shop and its log in; everything that is watched, alarms counted and told, harmful arms stopped, out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.shop import Shop, disk_errors, write_json
from mercer.watch.alarm import Held, Measured
from mercer.watch.alarm_book import AlarmBook
from mercer.watch.decide import Decision, decide
from mercer.watch.deliver import Delivery
from mercer.watch.drift import Drift, Question, Skipped, drifts, worst
from mercer.watch.drift_answers import Features, features, scores
from mercer.watch.drift_catalogue import Vectors
from mercer.watch.drift_catalogue import compared as catalogue
from mercer.watch.drift_queries import compared as queries
from mercer.watch.drift_queries import shuffled
from mercer.watch.experiment_book import ExperimentBook
from mercer.watch.health import Health, health
from mercer.watch.outcome import Outcome, outcome
from mercer.watch.reference import Reference
from mercer.watch.settings import WatchSettings
from mercer.watch.traffic import Traffic, from_log

if TYPE_CHECKING:
    from mercer.events.log import EventLog

__all__ = ["Watched", "guard", "keep", "latest", "watch"]

DAY = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One look at a shop."""

    time: int
    """UTC milliseconds."""
    index: str
    health: Health
    drift: tuple[Drift, ...]
    skipped: tuple[Skipped, ...]
    alarms: Mapping[str, Held]
    """All that are known, by rule."""
    changes: tuple[tuple[str, str], ...]
    """(rule, raised or cleared) of this look."""
    failed: tuple[str, ...]
    """What could not be delivered."""
    outcomes: tuple[Outcome, ...]
    """Of running experiments; harmed arms have been stopped."""
    decision: Decision

    @property
    def standing(self) -> dict[str, Held]:
        """Alarms that stand."""
        return {name: held for name, held in self.alarms.items() if held.stands}

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "time": self.time,
            "index": self.index,
            "health": _finite(self.health.row()),
            "drift": [one.row() for one in self.drift],
            "skipped": [asdict(one) for one in self.skipped],
            "alarms": {name: asdict(held) for name, held in self.alarms.items()},
            "changes": [list(one) for one in self.changes],
            "failed": list(self.failed),
            "experiments": [one.row() for one in self.outcomes],
            "decision": asdict(self.decision),
        }


def watch(
    shop: Shop, settings: WatchSettings, log: EventLog, *,
    now: int | None = None, vectors: Vectors | None = None, told: Features | None = None,
    tell: Callable[[str], None] | None = None,
) -> Watched:  # fmt: skip
    """Look at everything once.

    Args:
        shop, settings, log: what is watched, how, and its log.
        now: UTC ms; None is the clock.
        vectors: of products, to compare their centre; None leaves that out.
        told: how to read ranking features in the log; None leaves them out.
        tell: hears of each stage.
    """
    now, say = int(time.time() * 1000) if now is None else now, tell or (lambda _: None)
    say("reading the log")
    traffic = from_log(log, since=now - settings.days * DAY, until=now)
    found = health(traffic, settings, now=now)
    say("reading what the index was built from")
    held = Reference.of(shop, log)
    asked, skipped = _questions(traffic, held, settings, now=now, vectors=vectors, told=told)
    say(f"comparing {len(asked)} distributions")
    changed, more = drifts(asked, significance=settings.significance)
    measured = [*found.measured(), *worst(changed, window=now // settings.window * settings.window)]
    say("counting alarms and experiments")
    book, changes, failed = _alarms(shop, settings, measured)
    outcomes = _experiments(shop, log, now=now)
    return Watched(
        now, held.version, found, tuple(changed), (*skipped, *more), book.all(), changes, failed, outcomes,
        decide(found, changed, held.news),
    )  # fmt: skip


def latest(shop: Shop) -> dict[str, Any] | None:
    """What the last look found, as `Watched.row`; None where nobody has looked."""
    path = shop.reports / "watch.json"
    if not path.exists():
        return None
    row: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return row


def keep(shop: Shop, watched: Watched) -> None:
    """Write what `latest` reads, and the report as a page."""
    from mercer.shop.disk import write_text
    from mercer.watch.report import page

    with disk_errors(shop.reports):
        shop.reports.mkdir(parents=True, exist_ok=True)
        write_json(shop.reports / "watch.json", watched.row())
        write_text(shop.reports / "watch.html", page(watched))


def _questions(
    traffic: Traffic, held: Reference, settings: WatchSettings, *,
    now: int, vectors: Vectors | None, told: Features | None,
) -> tuple[list[Question], list[Skipped]]:  # fmt: skip
    """What can be compared, and what cannot."""
    asked: list[Question] = []
    skipped: list[Skipped] = []
    split = now - int(settings.recent_days * DAY)
    searched = traffic.kept((traffic.scene == "search") & (traffic.query != ""))
    recent, before = searched.kept(searched.time >= split), searched.kept(searched.time < split)
    theirs = shuffled(held.queries or list(before.query))
    if len(recent) < settings.least or len(theirs) < settings.least:
        skipped.append(Skipped("queries", "all", f"{len(theirs)} queries before, {len(recent)} lately"))
    else:
        known = [row["title"] or "" for row in held.products]
        empty = ((before.total == 0).tolist(), (recent.total == 0).tolist())
        asked += queries(
            _some(theirs, settings.sample), _some(list(recent.query), settings.sample), known=known, empty=empty
        )
    if held.news.changed:
        asked += catalogue(_some(held.products, settings.sample), _some(held.now, settings.sample), vectors=vectors)
    else:
        skipped.append(Skipped("catalogue", "all", "no product has changed since the index was built"))
    same = before.kept(before.version == held.version)
    mine = recent.kept(recent.version == held.version)
    if min(len(same), len(mine)) < settings.least:
        skipped.append(Skipped("scores", "all", f"{len(same)} answers of this index before, {len(mine)} lately"))
    else:
        asked += scores(same, mine, most=settings.sample)
    if told and len(mine) >= settings.least and (told.trained or len(same) >= settings.least):
        few = len(same) < settings.least
        asked += features(same.kept(np.zeros(len(same), bool)) if few else same, mine, told, most=settings.sample)
    else:
        skipped.append(
            Skipped("features", "all", "no ranker has been told any lately" if told else "the index has no ranker")
        )
    return asked, skipped


def _some(rows: list[Any], most: int) -> list[Any]:
    order = np.random.default_rng(0).permutation(len(rows))[:most]
    return [rows[place] for place in order]


def _alarms(
    shop: Shop, settings: WatchSettings, measured: list[Measured]
) -> tuple[AlarmBook, tuple[tuple[str, str], ...], tuple[str, ...]]:
    book = AlarmBook(shop)
    delivery = Delivery(book.folder, settings)
    changes = book.see(settings.rules, measured, delivery)
    return book, tuple(changes), tuple(delivery.failed)


def _experiments(shop: Shop, log: EventLog, *, now: int) -> tuple[Outcome, ...]:
    """Judge what runs, and stop what harms."""
    book = ExperimentBook(shop)
    found = [outcome(each, log, now=now) for each in book.all() if each.state == "running"]
    for result in found:
        _stop_harm(book, result)
    return tuple(found)


def guard(shop: Shop, log: EventLog, *, now: int | None = None) -> list[tuple[str, str, str]]:
    """Only the guardrails of what runs, for who serves: (experiment, arm, why) of each arm stopped by this look."""
    book = ExperimentBook(shop)
    running = [each for each in book.all() if each.state == "running" and each.guardrails]
    return [stopped for each in running for stopped in _stop_harm(book, outcome(each, log, now=now))]


def _stop_harm(book: ExperimentBook, result: Outcome) -> list[tuple[str, str, str]]:
    """Stop arms that surely break a guardrail, if shares can be trusted."""
    stopped = []
    for arm, why in result.harmed.items() if result.trusted else ():
        one = book.one(result.experiment)
        if one.state == "running" and not one.arm(arm).stopped:
            book.stop_arm(one.id, arm, why)
            stopped.append((one.id, arm, why))
    return stopped


def _finite(value: Any) -> Any:
    """With None in place of what JSON has no word for."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
