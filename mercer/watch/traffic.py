"""A live log, or checked events, in; answers with what was shown, clicked and asked next, as columns, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.events.shown import paged

if TYPE_CHECKING:
    from mercer.events.answer import Answer
    from mercer.events.log import EventLog
    from mercer.records import Event

__all__ = ["Row", "Traffic", "columns", "events", "from_checked", "from_log"]

Whole = NDArray[np.int64]
Words = NDArray[np.object_]
BATCH = 50_000
"""Rows of the log read at once."""
UNKNOWN = -1
ALWAYS = 1 << 62
"""After every moment, UTC ms."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Answers in order of time, shape (answers,); and what stood on them, shape (impressions,)."""

    id: Words
    time: Whole
    """UTC milliseconds."""
    scene: Words
    query: Words
    total: Whole
    """Products of the whole answer; -1 where it is not known."""
    offset: Whole
    shopper: Words
    session: Words
    device: Words
    arm: Words
    degraded: Words
    version: Words
    """Of the index."""
    answer: Whole
    """Of each impression: its answer, a place in the columns above."""
    product: Words
    position: Whole
    """From 1."""
    score: NDArray[np.float64]
    clicked: Whole
    """When it was clicked first, UTC ms; -1 is never."""
    features: Words

    def __len__(self) -> int:
        return len(self.id)

    def kept(self, keep: NDArray[np.bool_]) -> Traffic:
        """Some of the answers with what stood on them; `keep` has shape (answers,)."""
        place = np.cumsum(keep) - 1
        held = keep[self.answer] if len(self.answer) else np.zeros(0, bool)
        values = {name: getattr(self, name) for name in self.__slots__}
        return Traffic(**{
            name: (place[value[held]] if name == "answer" else value[held]) if name in SHOWN else value[keep]
            for name, value in values.items()
        })  # fmt: skip

    @property
    def first_click(self) -> Whole:
        """Milliseconds from each answer to its first click; -1 where there was none. Shape (answers,)."""
        first = np.full(len(self), np.iinfo(np.int64).max)
        done = self.clicked >= 0
        np.minimum.at(first, self.answer[done], self.clicked[done])
        return np.where(first == np.iinfo(np.int64).max, UNKNOWN, np.maximum(first - self.time, 0))


SHOWN = ("answer", "product", "position", "score", "clicked", "features")
"""Columns of impressions."""


@dataclass(slots=True)
class Row:
    """One answer on its way into columns."""

    answer: Answer
    shown: dict[str, tuple[int, float, bytes]]
    """Product → (position, score, features)."""
    clicks: dict[str, int]


def columns(rows: Iterable[Row]) -> Traffic:
    """Columns of answers, in order of time."""
    rows = sorted(rows, key=lambda row: (row.answer.time, row.answer.query_id))
    every = [row.answer for row in rows]
    flat = [
        (place, product, position, score, row.clicks.get(product, UNKNOWN), features)
        for place, row in enumerate(rows)
        for product, (position, score, features) in row.shown.items()
    ]
    first = {
        name: _column([getattr(answer, field) for answer in every], name)
        for name, field in zip(ASKED, ("query_id", *ASKED[1:]), strict=True)
    }
    held = {name: _column([one[number] for one in flat], name) for number, name in enumerate(SHOWN)}
    return Traffic(**first, **held)


ASKED = (
    "id",
    "time",
    "scene",
    "query",
    "total",
    "offset",
    "shopper",
    "session",
    "device",
    "arm",
    "degraded",
    "version",
)
NUMBERS = ("time", "total", "offset", "answer", "position", "clicked")


def _column(values: list[Any], name: str) -> Any:
    if name in NUMBERS:
        return np.array(values, np.int64)
    if name == "score":
        return np.array(values, np.float64)
    column = np.empty(len(values), object)
    column[:] = ["" if value is None else value for value in values]
    return column


def from_log(log: EventLog, *, since: int, until: int) -> Traffic:
    """Answers of a span of time, UTC ms, the end not included, with their clicks until now."""
    span = since, until
    rows = {answer.query_id: Row(answer, {}, {}) for answer in paged(log.answers, batch=BATCH, between=span)}
    for shown in paged(log.impressions, batch=BATCH, between=span):
        if shown.query_id in rows:
            rows[shown.query_id].shown[shown.product] = (shown.position, shown.score, shown.features)
    for event in events(log, since=since):
        if event.type == "click" and event.query_id in rows:
            clicks = rows[event.query_id].clicks
            clicks[event.product] = min(event.time, clicks.get(event.product, event.time))
    return columns(rows.values())


def events(log: EventLog, *, since: int = 0) -> Iterable[Event]:
    """Every event from a moment on, UTC ms, read a batch at a time."""
    return paged(log.since, batch=BATCH, between=(since, ALWAYS))


def from_checked(folder: Path) -> Traffic:
    """Answers of a checked version: what was shown in one session for one query at one time is one answer.

    Nothing is known of answers with nothing on them, nor of those that nobody logged impressions of.
    """
    import pyarrow.parquet as pq

    path = folder / "events.parquet"
    if not path.exists():
        return columns(())
    names = ["type", "shopper", "session", "product", "query_id", "position", "time", "device"]
    events = pq.read_table(path, columns=names).to_pylist()
    texts = _texts(folder)
    rows: dict[tuple[str, str, int], Row] = {}
    newest: dict[tuple[str, str, str], Row] = {}
    for event in sorted(events, key=lambda event: (event["time"] or 0, event["type"] != "impression")):
        session, query, product = event["session"] or "", event["query_id"] or "", event["product"] or ""
        if event["type"] == "impression" and event["position"]:
            row = rows.setdefault((session, query, event["time"]), _row(event, texts, session, query))
            row.shown[product] = (int(event["position"]), float("nan"), b"")
            newest[session, query, product] = row
        elif event["type"] == "click" and (session, query, product) in newest:
            newest[session, query, product].clicks.setdefault(product, event["time"])
    return columns(rows.values())


def _row(event: Mapping[str, Any], texts: Mapping[str, str], session: str, query: str) -> Row:
    from mercer.events.answer import Answer

    scene = "search" if query else "home"
    answer = Answer(
        f"{session}/{query}/{event['time']}", event["time"], scene, texts.get(query, ""), UNKNOWN, 0,
        event["shopper"] or "", session, event["device"] or "",
    )  # fmt: skip
    return Row(answer, {}, {})


def _texts(folder: Path) -> dict[str, str]:
    import pyarrow.parquet as pq

    path = folder / "queries.parquet"
    if not path.exists():
        return {}
    table = pq.read_table(path, columns=["query_id", "text"])
    return dict(zip(table["query_id"].to_pylist(), table["text"].to_pylist(), strict=True))
