"""The event log in; what shoppers searched for, how often nothing was found and nothing was clicked, out."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mercer.errors import NotFoundError
from mercer.events.database import database_errors

__all__ = ["ORDERS", "Day", "Order", "Query", "days", "queries", "upper"]

Order = Literal["top", "zero", "low_click"]
ORDERS: tuple[Order, ...] = ("top", "zero", "low_click")
LEAST = 5
"""Answers with products below which nothing is said of how often a query is clicked."""
MOST = 100_000
"""Different queries that are looked at."""
DAY = 86_400_000
"""Milliseconds."""

TOLD = """
WITH asked AS (
  SELECT query_id, lower(trim(query)) AS words, MAX(query) AS query, MAX(total) AS total, MAX(time) AS time,
         MAX(degraded <> '') AS degraded
  FROM answers WHERE scene = 'search' AND offset = 0 AND trim(query) <> '' AND time >= ? AND time < ?
  GROUP BY query_id),
clicked AS (
  SELECT query_id, COUNT(*) AS clicks, MIN(position) AS position, MAX(type = 'purchase') AS bought FROM events
  WHERE query_id IN (SELECT query_id FROM asked) AND type IN ('click', 'add_to_cart', 'purchase') GROUP BY query_id)
"""
BY_QUERY = f"""{TOLD}
SELECT MAX(query), COUNT(*) AS times, SUM(total = 0), SUM(total > 0), COUNT(clicks), AVG(position), SUM(bought),
       MAX(time), AVG(total), SUM(degraded)
FROM asked LEFT JOIN clicked USING (query_id) GROUP BY words ORDER BY times DESC, words LIMIT {MOST}
"""  # noqa: S608  # a constant of this file
BY_DAY = f"""{TOLD}
SELECT time / {DAY} AS day, COUNT(*), SUM(total = 0), COUNT(clicks)
FROM asked LEFT JOIN clicked USING (query_id) GROUP BY day ORDER BY day
"""  # noqa: S608  # a constant of this file


@dataclass(frozen=True, slots=True)
class Query:
    """One query, however it was written in capitals, over a span of time."""

    text: str
    asked: int
    """First pages of answers."""
    empty: int
    """Of them, those with nothing on them."""
    found: int
    clicked: int
    """Answers of which a product was opened, put in the cart or bought."""
    position: float | None
    """Mean place of the first of them; None where none was told."""
    bought: int
    last: int
    """UTC milliseconds."""
    total: float
    """Products of a whole answer, on average."""
    degraded: int

    @property
    def share(self) -> float:
        """Of the answers with products, those that were clicked; 0 where there were none."""
        return min(1.0, self.clicked / self.found) if self.found else 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day."""

    start: int
    """UTC milliseconds."""
    asked: int
    empty: int
    clicked: int


def queries(path: Path, *, since: int, until: int, order: Order = "top", words: str = "") -> list[Query]:
    """Queries of a span of time.

    Args:
        path: of the log; its writer may go on meanwhile.
        since, until: UTC milliseconds, the end not included.
        order: top: asked most; zero: with most answers that had nothing on them, no others; low_click: shown at least
            `LEAST` times, and clicked least even at the upper end of the 95 % interval of their share.
        words: only queries that have this in them.

    Raises:
        NotFoundError: there is no log.
    """
    with _read(path) as database:
        rows = [Query(*map(_number, row)) for row in database.execute(BY_QUERY, (since, until))]
    told = " ".join(words.casefold().split())
    rows = [row for row in rows if told in row.text.casefold()]
    if order == "zero":
        return sorted((row for row in rows if row.empty), key=lambda row: (-row.empty, -row.last))
    if order == "low_click":
        shown = [row for row in rows if row.found >= LEAST]
        return sorted(shown, key=lambda row: (upper(min(row.clicked, row.found), row.found), -row.found))
    return rows


def days(path: Path, *, since: int, until: int) -> list[Day]:
    """Searches by day, UTC; days without any are left out."""
    with _read(path) as database:
        return [Day(day * DAY, *rest) for day, *rest in database.execute(BY_DAY, (since, until))]


def upper(clicked: int, shown: int) -> float:
    """Upper end of the 95 % interval of a share (Wilson 1927).

    >>> round(upper(0, 5), 3), round(upper(0, 50), 3)
    (0.434, 0.071)
    """
    z, share = 1.96, clicked / shown
    middle = share + z * z / (2 * shown)
    spread = z * math.sqrt(share * (1 - share) / shown + z * z / (4 * shown * shown))
    return (middle + spread) / (1 + z * z / shown)


def _number(value: Any) -> Any:
    return 0 if value is None else value


@contextlib.contextmanager
def _read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write; a log before format 3 knows no queries."""
    if not path.exists():
        raise NotFoundError(f"there is no event log {path.name}", cure="it is made when the shop is served")
    with (
        database_errors(path),
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        if database.execute("PRAGMA user_version").fetchone()[0] < 3:
            raise NotFoundError(
                "this event log knows no queries yet", cure="it learns them from the next start of mercer serve on"
            )
        yield database
