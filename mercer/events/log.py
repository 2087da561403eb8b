"""Events, impressions and changes of products in, durable when acknowledged; the same in order out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import RequestError
from mercer.events.accept import accept, accept_products
from mercer.events.answer import Answer
from mercer.events.database import connect, database_errors
from mercer.events.shown import FLUSH, Shown, paged
from mercer.events.writer import Writer
from mercer.records import Event, Impression, Product

__all__ = ["ALWAYS", "FLUSH", "Change", "EventLog"]

FIELDS = "event_id, type, product, time, shopper, session, query_id, position, quantity, price, device, place"
INSERT = f"INSERT INTO events ({FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (event_id) DO NOTHING"  # noqa: S608
CHANGE = "INSERT INTO product_changes (id, body, time) VALUES (?,?,?)"

ALWAYS = (0, 1 << 62)
"""A span of time that holds every moment, UTC ms."""
MOST = 1_000_000
"""Rows that one call reads, whatever it asks for."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a product became after the last index was built; `product` is None where it was deleted."""

    seq: int
    id: str
    product: Product | None
    time: int
    """UTC milliseconds."""


class EventLog:
    """The log of one shop in one SQLite file; safe to use from many threads, and from several processes in turn.

    >>> import tempfile
    >>> log = EventLog(Path(tempfile.mkdtemp()) / "events.db")
    >>> log.append([Event("e1", "view", "cup", 1_760_000_000_000, shopper="ann")])
    1
    >>> log.append([Event("e1", "view", "cup", 1_760_000_000_000, shopper="ann")])
    0
    >>> [event.product for event in log.recent("ann", 5)]
    ['cup']
    >>> log.close()
    """

    def __init__(self, path: Path, *, wait: float = 5.0) -> None:
        """Open or make the log.

        Args:
            path: such as ``shop.events``; its folder must be there.
            wait: seconds to wait for another process that is writing.

        Raises:
            ShopLocked, ShopTooNew, DiskFull, ShopError: it cannot be opened; each with its cure.
        """
        self.path = path
        self._writer = Writer(path, wait=wait)
        self._reader = connect(path, wait=wait)
        self._reading = threading.Lock()
        self._shown = Shown(self._writer, self._read)
        self._listeners: list[Callable[[Sequence[Event]], None]] = []
        self._seers: list[Callable[[Sequence[Impression]], None]] = []

    def append(self, events: Sequence[Event]) -> int:
        """Store events; on return they are on the disk. An id that is there already is skipped: first come, first kept.

        Returns how many were new. All events of a call are stored, or none.

        Raises:
            RequestError: an event is not acceptable; nothing was stored.
            DiskFull, ShopLocked, ShopError: nothing was stored; send it again.
        """
        accept(events)
        if not events:
            return 0
        rows = [
            (e.id, e.type, e.product, e.time, e.shopper, e.session, e.query_id,
             e.position, _real(e.quantity), _real(e.price), e.device, e.place)
            for e in events
        ]  # fmt: skip
        stored = self._writer.write(INSERT, rows)
        fresh = [event for event, new in zip(events, stored, strict=True) if new]
        for listener in self._listeners if fresh else ():
            listener(fresh)
        return len(fresh)

    def listen(
        self, listener: Callable[[Sequence[Event]], None], shown: Callable[[Sequence[Impression]], None] | None = None
    ) -> None:
        """Tell `listener` of the new events of each `append`, `shown` of what was shown, before the call returns."""
        self._listeners.append(listener)
        if shown:
            self._seers.append(shown)

    def recent(self, shopper: str, k: int, *, session: str = "") -> list[Event]:
        """The last k events of a shopper, by their time, the most recent last; none for the empty id.

        With an empty id and a session, those of that session that name nobody.

        Raises:
            RequestError: k is below 1.
        """
        if k < 1:
            raise RequestError(f"k is {k}", cure="give k of 1 or more")
        if not shopper and not session:
            return []
        whose = "shopper=? AND shopper<>''" if shopper else "shopper='' AND session=? AND session<>''"
        query = f"SELECT {FIELDS} FROM events WHERE {whose} ORDER BY time DESC, seq DESC LIMIT ?"  # noqa: S608
        return [Event(*row) for row in reversed(self._read(query, shopper or session, min(k, MOST)))]

    def since(self, seq: int, *, limit: int = 10_000, between: tuple[int, int] = ALWAYS) -> list[tuple[int, Event]]:
        """Events stored after number `seq`, with their numbers, in the order in which they were stored.

        `between` two moments, UTC ms. Numbers rise and are never used again; none is seen before a smaller one, so the
        last one is a bookmark.
        """
        query = f"SELECT seq, {FIELDS} FROM events WHERE seq>? AND time>=? AND time<? ORDER BY seq LIMIT ?"  # noqa: S608
        rows = self._read(query, seq, *between, min(limit, MOST))
        return [(row[0], Event(*row[1:])) for row in rows]

    def all(self, *, batch: int = 10_000) -> Iterator[Event]:
        """Every event, in the order in which they were stored, read a batch at a time."""
        return paged(self.since, batch=batch)

    def count(self) -> int:
        """How many events are stored."""
        return int(self._read("SELECT count(*) FROM events")[0][0])

    def export(self, path: Path) -> int:
        """Write all events to Parquet in the canonical columns, in order; returns how many."""
        from mercer.events.export import export

        return export(self.all(), path)

    def shown(self, impressions: Sequence[Impression], answer: Answer | None = None) -> None:
        """Keep what was shown, and the answer it stood on, without a wait for the disk: a crash may lose the last.

        They are written when `FLUSH` are held, by `flush`, by reading them back and by `close`.

        Raises:
            RequestError: an impression or the answer is not acceptable; none was kept.
            DiskFull, ShopLocked, ShopError: they cannot be written now; they are kept in memory, up to `HELD`.
        """
        self._shown(impressions, [answer] if answer else [])
        for hears in self._seers:
            hears(impressions)
        if self._shown.held >= FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write the impressions and answers held in memory."""
        self._shown.flush()

    def impressions(
        self, seq: int = 0, *, limit: int = 10_000, between: tuple[int, int] = ALWAYS
    ) -> list[tuple[int, Impression]]:
        """Impressions stored after number `seq`, with their numbers, in order; `between` two moments, UTC ms."""
        return self._shown.impressions(seq, min(limit, MOST), between)

    def last_impression(self) -> int:
        """Number of the newest impression; 0 where there is none."""
        self.flush()
        return int(self._read("SELECT coalesce(max(seq), 0) FROM impressions")[0][0])

    def answers(
        self, seq: int = 0, *, limit: int = 10_000, between: tuple[int, int] = ALWAYS
    ) -> list[tuple[int, Answer]]:
        """Answers stored after number `seq`, as `impressions`."""
        return self._shown.answers(seq, min(limit, MOST), between)

    def record_changes(self, upserts: Sequence[Product] = (), deletes: Sequence[str] = ()) -> int:
        """Store changes of products so that they outlive the next index build; durable on return.

        Returns how many were stored. Of one product given in both, the deletion holds.

        Raises:
            RequestError: an id is empty or text is no Unicode; nothing was stored.
            DiskFull, ShopLocked, ShopError: nothing was stored.
        """
        now = int(time.time() * 1000)
        bodies: list[tuple[str, str | None]] = [
            (product.id, json.dumps(product.to_row(), ensure_ascii=False)) for product in upserts
        ]
        rows = [(id, body, now) for id, body in [*bodies, *((id, None) for id in deletes)]]
        accept_products(rows)
        if rows:
            self._writer.write(CHANGE, rows)
        return len(rows)

    def changes(self, since: int = 0) -> list[Change]:
        """The newest change of each product changed after number `since`, in the order of the changes."""
        # of a group with max() SQLite takes the other columns from the row that has the maximum
        query = "SELECT max(seq), id, body, time FROM product_changes WHERE seq>? GROUP BY id ORDER BY 1"
        return [
            Change(seq, id, None if body is None else Product.from_row(json.loads(body)), moment)
            for seq, id, body, moment in self._read(query, since)
        ]

    def last_change(self) -> int:
        """Number of the newest change of a product; 0 where there was none."""
        return int(self._read("SELECT coalesce(max(seq), 0) FROM product_changes")[0][0])

    def close(self) -> None:
        """Write what is held in memory and close; closing twice is harmless."""
        try:
            if self._shown.held:
                self.flush()
        finally:
            self._writer.close()
            with self._reading:
                self._reader.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, query: str, *values: object) -> list[Any]:
        with self._reading, database_errors(self.path):
            return self._reader.execute(query, values).fetchall()


def _real(value: float | None) -> float | None:
    """SQLite has no whole numbers beyond 64 bits; a float has."""
    return None if value is None else float(value)
