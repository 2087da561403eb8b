"""Kept documents in; trends, topics, aspects, entities and what drives the negative out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mercer.opinion.read import NEGATIVE, NEUTRAL, POSITIVE
from mercer.opinion.store import Store

__all__ = ["Board", "Share", "board", "product_aspects", "series"]

DAY = 86_400_000
MOST = 30
"""Rows of a table of the board."""
ENTITY = " AND d.id IN (SELECT document FROM entities WHERE name = ?)"
FEWEST = 3
"""Documents below which a share says nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """How a topic, aspect or entity is spoken of."""

    name: str
    kind: str
    """topic, aspect, source, or the kind of an entity."""
    documents: int
    positive: int
    negative: int
    before: int
    """Documents in the same time before."""
    negative_before: int
    excess: float
    """Negative documents more than if it were spoken of as everything else is."""

    @property
    def negative_share(self) -> float:
        return self.negative / self.documents if self.documents else 0.0


@dataclass(frozen=True, slots=True)
class Board:
    """What is said of a shop in some days."""

    since: int
    until: int
    documents: int
    copies: int
    sentiments: Mapping[str, int]
    before: Mapping[str, int]
    """Sentiments in the same time before."""
    topics: tuple[Share, ...]
    aspects: tuple[Share, ...]
    entities: tuple[Share, ...]
    sources: tuple[Share, ...]
    drivers: tuple[Share, ...]
    """Topics, aspects and entities with most negative documents beyond what is usual, the worst first."""

    def json(self) -> dict[str, Any]:
        """Everything, shares as rows."""
        told = {name: getattr(self, name) for name in ("since", "until", "documents", "copies")}
        told |= {"sentiments": dict(self.sentiments), "before": dict(self.before)}
        for name in ("topics", "aspects", "entities", "sources", "drivers"):
            told[name] = [_row(one) for one in getattr(self, name)]
        return told


def _row(one: Share) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Share.__slots__} | {"negative_share": round(one.negative_share, 4)}


def board(store: Store, *, now: int, days: float) -> Board:
    """The last days before `now`, or before the newest document where that is older."""
    newest = store.rows("SELECT max(time) FROM documents WHERE time <= ?", [now])[0][0]
    until = now + 1 if newest is None or now - newest < 7 * DAY else newest + 1
    since = int(until - days * DAY)
    spans = [int(since - days * DAY), since, until]
    sentiments, before = (_sentiments(store, start, end) for start, end in ((since, until), (spans[0], since)))
    copies = store.rows("SELECT total(copies) FROM documents WHERE time >= ? AND time < ?", [since, until])[0][0]
    total = sum(sentiments.values())
    usual = sentiments.get(NEGATIVE, 0) / total if total else 0.0
    grouped = {
        "topic": "SELECT 'topic', topic, sentiment, time FROM documents WHERE topic <> ''",
        "source": "SELECT 'source', source, sentiment, time FROM documents",
        "aspect": "SELECT 'aspect', a.aspect, a.sentiment, d.time FROM aspects a JOIN documents d ON d.id = a.document",
        "entity": "SELECT e.kind, e.name, d.sentiment, d.time FROM entities e JOIN documents d ON d.id = e.document",
    }
    shares = {name: _shares(store, sql, spans, usual) for name, sql in grouped.items()}
    drivers = sorted(
        (
            one
            for name in ("topic", "aspect", "entity")
            for one in shares[name]
            if one.negative >= FEWEST and one.excess > 0
        ),
        key=lambda one: (-one.excess, one.name),
    )
    return Board(
        since, until, total, int(copies), sentiments, before, tuple(shares["topic"][:MOST]),
        tuple(shares["aspect"][:MOST]),
        tuple(shares["entity"][:MOST]), tuple(shares["source"][:MOST]), tuple(drivers[:10]),
    )  # fmt: skip


def series(
    store: Store, *, now: int, days: float, topic: str = "", entity: str = "", aspect: str = ""
) -> list[dict[str, Any]]:
    """One row a day, days without a document too."""
    newest = store.rows("SELECT max(time) FROM documents WHERE time <= ?", [now])[0][0]
    until = now + 1 if newest is None or now - newest < 7 * DAY else newest + 1
    first, last = int(until - days * DAY) // DAY, until // DAY
    sentiment = "a.sentiment" if aspect else "d.sentiment"
    tables = "documents d" + (" JOIN aspects a ON a.document = d.id AND a.aspect = ?" if aspect else "")
    where, values = "d.time >= ? AND d.time < ?", [*([aspect] if aspect else []), first * DAY, until]
    if topic:
        where, values = f"{where} AND d.topic = ?", [*values, topic]
    if entity:
        where, values = where + ENTITY, [*values, entity]
    sql = f"SELECT d.time / {DAY}, {sentiment}, count(*) FROM {tables} WHERE {where} GROUP BY 1, 2"  # noqa: S608  # constants
    found: dict[int, dict[str, int]] = {
        day: dict.fromkeys((POSITIVE, NEUTRAL, NEGATIVE), 0) for day in range(first, last + 1)
    }
    for day, said, number in store.rows(sql, values):
        found[day][said] = number
    return [{"time": day * DAY, **counts} for day, counts in found.items()]


def product_aspects(store: Store, product: str) -> list[dict[str, Any]]:
    """Aspects that at least three documents of a product speak of, with a sentence of each side."""
    sql = (
        "SELECT a.aspect, sum(a.sentiment = ?), sum(a.sentiment = ?), count(*) FROM aspects a "
        "JOIN documents d ON d.id = a.document WHERE d.product = ? AND d.trust >= 0.3 "
        "GROUP BY 1 HAVING count(*) >= ? ORDER BY 4 DESC, 1"
    )
    return [
        {"aspect": aspect, "positive": good, "negative": bad, "documents": number}
        for aspect, good, bad, number in store.rows(sql, [POSITIVE, NEGATIVE, product, FEWEST])
    ]


def _sentiments(store: Store, since: int, until: int) -> dict[str, int]:
    sql = "SELECT sentiment, count(*) FROM documents WHERE time >= ? AND time < ? GROUP BY 1"
    return dict.fromkeys((POSITIVE, NEUTRAL, NEGATIVE), 0) | dict(store.rows(sql, [since, until]))


def _shares(store: Store, sql: str, spans: Iterable[int], usual: float) -> list[Share]:
    """Rows by name, the most spoken of first."""
    begin, since, until = spans
    whole = (
        f"SELECT kind, name, sum(time >= {since}), sum(time >= {since} AND sentiment = '{POSITIVE}'), "  # noqa: S608  # constants
        f"sum(time >= {since} AND sentiment = '{NEGATIVE}'), sum(time < {since}), "
        f"sum(time < {since} AND sentiment = '{NEGATIVE}') "
        f"FROM (SELECT * FROM (SELECT 0 AS kind, 0 AS name, 0 AS sentiment, 0 AS time WHERE 0 UNION ALL {sql}) "
        f"WHERE time >= {begin} AND time < {until}) GROUP BY 1, 2 HAVING sum(time >= {since}) > 0 ORDER BY 3 DESC, 2"
    )
    return [
        Share(str(name), kind, number, good, bad, before, bad_before, round(bad - usual * number, 2))
        for kind, name, number, good, bad, before, bad_before in store.rows(whole)
    ]
