"""Answers and what stood on them in; rows for the log held in memory until enough wait, and the same read back, out."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from mercer.errors import ShopError
from mercer.events.accept import accept_answers, accept_shown
from mercer.events.answer import Answer
from mercer.events.writer import Writer
from mercer.records import Impression

__all__ = ["FLUSH", "HELD", "Shown", "paged"]

FLUSH = 1000
"""Rows held in memory before they are written: what a crash may lose."""
HELD = 20_000
"""Rows held while they cannot be written; older ones give way."""

SEEN = "query_id, product, position, time, score, version, shopper, session, scene, propensity, features"
ASKED = "query_id, time, scene, query, total, offset, shopper, session, device, version, models, arm, degraded"
STATEMENTS = {
    table: f"INSERT INTO {table} ({names}) VALUES ({','.join('?' * len(names.split(',')))})"  # noqa: S608
    for table, names in (("impressions", SEEN), ("answers", ASKED))
}

Read = Callable[..., list[Any]]
Row = TypeVar("Row")


def paged(
    read: Callable[..., list[tuple[int, Row]]], *, seq: int = 0, batch: int = 10_000, **how: Any
) -> Iterator[Row]:
    """Everything that ``log.since``, ``log.answers`` or ``log.impressions`` has after `seq`, read a batch at a time."""
    while rows := read(seq, limit=batch, **how):
        yield from (one for _, one in rows)
        seq = rows[-1][0]


class Shown:
    """What a log holds of answers until it writes them. Safe to call from several threads."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer, self._read = writer, read
        self._waiting: dict[str, deque[tuple[Any, ...]]] = {table: deque(maxlen=HELD) for table in STATEMENTS}

    @property
    def held(self) -> int:
        """Rows of the table of which most wait."""
        return max(map(len, self._waiting.values()))

    def __call__(self, impressions: Sequence[Impression], answers: Sequence[Answer]) -> None:
        """Hold them.

        Raises:
            RequestError: one is not acceptable; none was kept.
        """
        accept_shown(impressions)
        accept_answers(answers)
        self._waiting["impressions"].extend(
            (i.query_id, i.product, i.position, i.time, float(i.score), i.version, i.shopper, i.session, i.scene,
             None if i.propensity is None else float(i.propensity), i.features)
            for i in impressions
        )  # fmt: skip
        self._waiting["answers"].extend(
            (a.query_id, a.time, a.scene, a.query, int(a.total), int(a.offset), a.shopper, a.session, a.device,
             a.version, json.dumps(dict(a.models), ensure_ascii=False), a.arm, a.degraded)
            for a in answers
        )  # fmt: skip

    def flush(self) -> None:
        """Write what is held.

        Raises:
            DiskFull, ShopLocked, ShopError: it cannot be written now; it is kept, up to `HELD` rows.
        """
        for table, waiting in self._waiting.items():
            rows = []
            while waiting:
                try:
                    rows.append(waiting.popleft())
                except IndexError:  # another thread flushes as well
                    break
            if not rows:
                continue
            try:
                self._writer.write(STATEMENTS[table], rows)
            except ShopError:
                waiting.extendleft(reversed(rows[-HELD:]))
                raise

    def impressions(self, seq: int, limit: int, between: tuple[int, int]) -> list[tuple[int, Impression]]:
        """Those after number `seq` and of a span of time, first included, with their numbers."""
        rows = self._stored("impressions", SEEN, seq, limit, between)
        return [(row[0], Impression(*row[1:])) for row in rows]

    def answers(self, seq: int, limit: int, between: tuple[int, int]) -> list[tuple[int, Answer]]:
        """Likewise."""
        found = []
        for row in self._stored("answers", ASKED, seq, limit, between):
            models, arm, degraded = row[-3:]
            found.append((row[0], Answer(*[*row[1:-3], json.loads(models), arm, degraded])))
        return found

    def _stored(self, table: str, names: str, seq: int, limit: int, between: tuple[int, int]) -> list[Any]:
        self.flush()
        query = f"SELECT seq, {names} FROM {table} WHERE seq>? AND time>=? AND time<? ORDER BY seq LIMIT ?"  # noqa: S608
        return self._read(query, seq, *between, limit)
