"""Kept documents in; surges of a topic, an entity and a sentiment, with the documents that explain them, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.opinion.naming import distinctive, terms
from mercer.opinion.season import HOURS
from mercer.opinion.settings import OpinionSettings
from mercer.opinion.store import Store
from mercer.opinion.surges import Surge, surges
from mercer.opinion.surprise import SurgeSettings, surprise
from mercer.records import Alarm, Severity
from mercer.shop import content_hash

__all__ = ["HOUR", "Counted", "alarms", "counted", "replayed"]

HOUR = 3_600_000
"""Milliseconds."""
Series = tuple[str, str, str]
"""Topic, entity and sentiment; "*" is all of them."""
SHOWN = 5
"""Documents that explain an alarm."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents by hour and series; the same document counts in every series that it belongs to."""

    series: tuple[Series, ...]
    counts: NDArray[np.float64]
    """(hours, series)."""
    start: int
    """UTC ms at which the first hour begins."""


def counted(store: Store, settings: OpinionSettings, *, now: int, weeks: int) -> Counted:
    """Count the last weeks before `now`, or before the newest document where that is older."""
    newest = store.rows("SELECT max(time) FROM documents WHERE time <= ?", [now])[0][0]
    if newest is None:
        return Counted((), np.zeros((0, 0)), now)
    last = newest // HOUR + 1 if now - newest > HOURS * HOUR else now // HOUR
    first = max(last - weeks * HOURS, store.rows("SELECT min(time) FROM documents")[0][0] // HOUR)
    found: dict[Series, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    sql = (
        "SELECT d.time / ? - ?, d.topic, coalesce(e.name, ''), d.sentiment, count(*) FROM documents d "
        "LEFT JOIN entities e ON e.document = d.id WHERE d.time >= ? AND d.time < ? AND d.trust >= ? "
        "GROUP BY 1, 2, 3, 4"
    )
    seen = [HOUR, first, first * HOUR, last * HOUR, settings.least_trust]
    for hour, topic, entity, sentiment, number in store.rows(sql, seen):
        if entity:
            found["*", entity, sentiment][hour] += number
            if topic:
                found[topic, entity, sentiment][hour] += number
    alone = (
        "SELECT time / ? - ?, topic, sentiment, count(*) FROM documents WHERE time >= ? AND time < ? AND trust >= ? "
        "GROUP BY 1, 2, 3"
    )
    for hour, topic, sentiment, number in store.rows(alone, seen):
        found["*", "*", sentiment][hour] += number
        if topic:
            found[topic, "*", sentiment][hour] += number
    hours = int(last - first)
    most = sorted(found, key=lambda one: (-sum(found[one].values()), one))[: settings.series]
    kept = [one for one in most if sum(found[one].values()) >= settings.weekly * hours / HOURS]
    counts = np.zeros((hours, len(kept)))
    for place, one in enumerate(kept):
        for hour, number in found[one].items():
            counts[hour, place] = number
    return Counted(tuple(kept), counts, first * HOUR)


def alarms(store: Store, settings: OpinionSettings, *, now: int, days: float = 14) -> list[dict[str, Any]]:
    """Surges raised in the last days, standing ones first, each with what people said of it."""
    weeks = settings.surge.season.weeks + max(1, round(days / 7))
    given = counted(store, settings, now=now, weeks=weeks)
    if not given.series or len(given.counts) <= settings.surge.season.warm * HOURS:
        return []
    end = given.start + len(given.counts) * HOUR
    found = surges(surprise(given.counts, settings.surge), settings.surge)
    told = dict(store.rows("SELECT id, acknowledged FROM alarms"))
    muted = dict(store.rows("SELECT series, until FROM muted"))
    made = [_told(store, one, given) for one in found if given.start + one.raised * HOUR >= end - days * 24 * HOUR]
    for row in made:
        row["acknowledged"] = told.get(row["id"], "")
        row["muted"] = muted.get(row["series"], 0) > now
    return sorted(made, key=lambda row: (not row["stands"], -row["surprise"]))


def replayed(
    store: Store, settings: OpinionSettings, *, now: int, weeks: int, levels: Sequence[float]
) -> list[dict[str, float]]:
    """What each level of false alarms would have raised in the weeks before `now`."""
    given = counted(store, settings, now=now, weeks=weeks + settings.surge.season.warm)
    warm = settings.surge.season.warm * HOURS
    if not given.series or len(given.counts) <= warm:
        return []
    tested = (len(given.counts) - warm) / HOURS
    plain = surprise(given.counts, settings.surge)
    rows = []
    for level in levels:
        one = SurgeSettings(false_alarms=level, season=settings.surge.season)
        found = surges(plain, one)
        strongest = max((surge.seen / max(surge.expected, 0.05) for surge in found), default=0.0)
        told = {"false_alarms": level, "alarms": len(found), "a_week": len(found) / tested, "strongest": strongest}
        rows.append(told)
    return rows


def _told(store: Store, one: Surge, given: Counted) -> dict[str, Any]:
    """A surge as people and machines read it."""
    topic, entity, sentiment = given.series[one.series]
    start, end = given.start + one.started * HOUR, given.start + (one.ended + 1) * HOUR
    inside = _within(store, given.series[one.series], start, end, 400)
    before = _within(store, given.series[one.series], start - 28 * 24 * HOUR, start, 400)
    names = distinctive([row["text"] for row in inside], [row["text"] for row in before], 4)
    ratio = one.seen / max(one.expected, 0.05)
    name = " · ".join(part for part in (sentiment, topic, entity) if part != "*")
    about = f": {', '.join(names)}" if names else ""
    summary = (
        f"{name}: {one.seen:.0f} documents in {one.window} h where {one.expected:.1f} are usual ({ratio:.1f}×){about}"
    )
    series = "/".join(given.series[one.series])
    severity: Severity = "critical" if ratio >= 5 else "high" if ratio >= 3 else "medium"
    alarm = Alarm(
        content_hash(series, str(given.start + one.raised * HOUR)),
        summary,
        severity,
        given.start + (one.raised + 1) * HOUR,
    )
    return {
        "id": alarm.id, "title": alarm.title, "severity": alarm.severity, "time": alarm.time, "series": series,
        "topic": topic, "entity": entity, "sentiment": sentiment, "first_seen": start,
        "ended": 0 if one.stands else end,
        "stands": one.stands, "seen": one.seen, "expected": round(one.expected, 2), "ratio": round(ratio, 2),
        "hours": one.window, "surprise": round(one.surprise, 2), "terms": names,
        "documents": _explaining(inside, names),
    }  # fmt: skip


def _within(store: Store, series: Series, start: int, end: int, limit: int) -> list[dict[str, Any]]:
    topic, entity, sentiment = ("" if part == "*" else part for part in series)
    return store.find(since=start, until=end, topic=topic, entity=entity, sentiment=sentiment, limit=limit)


def _explaining(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The documents that have most of the words that are new, copies and sure readings first among equals."""
    wanted = set(names)
    ranked = sorted(
        rows, key=lambda row: (-len(wanted & terms(row["text"])), -row["copies"], -row["chance"], row["id"])
    )
    return [
        {
            "id": row["id"],
            "text": row["text"][:300],
            "source": row["source"],
            "time": row["time"],
            "copies": row["copies"],
        }
        for row in ranked[:SHOWN]
    ]
