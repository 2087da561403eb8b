"""A shopper's id in; what they were shown and left, what they said they want, and the erasure of it all, out."""

from __future__ import annotations

import sqlite3
import time

from mercer.errors import RequestError
from mercer.events.log import EventLog

__all__ = ["People"]

ERASE = {
    "impressions": "DELETE FROM impressions WHERE shopper=:who OR (shopper='' AND query_id<>'' AND query_id IN "
    "(SELECT query_id FROM events WHERE shopper=:who AND query_id<>''))",
    "anonymous answers": "DELETE FROM answers WHERE shopper='' AND (query_id IN (SELECT query_id FROM events WHERE "
    "shopper=:who AND query_id<>'') OR session<>'' AND session IN (SELECT session FROM events WHERE shopper=:who AND "
    "session<>'' UNION SELECT session FROM answers WHERE shopper=:who AND session<>''))",
    "answers": "DELETE FROM answers WHERE shopper=:who",
    "anonymous events": "DELETE FROM events WHERE shopper='' AND session<>'' AND session IN "
    "(SELECT session FROM events WHERE shopper=:who AND session<>'')",
    "events": "DELETE FROM events WHERE shopper=:who",
    "queries": "UPDATE answers SET query='' WHERE instr(' ' || query || ' ', ' ' || :who || ' ')",
    "preferences": "DELETE FROM preferences WHERE shopper=:who",
}
"""In this order: what the shopper's events tell of answers and sessions is read before they go.

A query of somebody else that names the shopper loses its text. Anonymous events and answers are those before a
sign-in, in the same session. Impressions of format 1 name nobody; they go by the answers that the shopper's events
name."""

UNTOUCHED = """
SELECT product, count(*) FROM impressions AS shown WHERE {whose} AND time>? AND scene<>'search' AND NOT EXISTS (
  SELECT 1 FROM events AS done WHERE {own} AND done.product=shown.product AND done.time>=shown.time
  AND done.type<>'impression')
GROUP BY product"""
PUT = """
INSERT INTO preferences VALUES (?,?,?,?,?)
ON CONFLICT (shopper, field, value) DO UPDATE SET wanted=excluded.wanted, time=excluded.time"""
DROP = "DELETE FROM preferences WHERE shopper=? AND field=? AND value=?"


class People:
    """What the log of one shop knows of its shoppers beside their events.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with EventLog(Path(tempfile.mkdtemp()) / "events.db") as log:
    ...     people = People(log)
    ...     people.prefer("ann", "brand", "Nord", wanted=False)
    ...     people.preferences("ann"), people.erase("ann")["preferences"], people.preferences("ann")
    ([('brand', 'Nord', False)], 1, [])
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def ids(self) -> list[str]:
        """Every shopper that an event names, in order."""
        return [row[0] for row in self._log._read("SELECT DISTINCT shopper FROM events WHERE shopper<>'' ORDER BY 1")]

    def untouched(self, shopper: str, session: str = "", *, since: int) -> dict[str, int]:
        """Product → how often it was recommended after a moment (UTC ms) without an action on it since.

        What a search found was asked for and does not count. Of a shopper, or where the id is empty of a session that
        names nobody.
        """
        if not shopper and not session:
            return {}
        whose = "shopper=? AND shopper<>''" if shopper else "shopper='' AND session=? AND session<>''"
        own = "done.shopper=shown.shopper" if shopper else "done.shopper='' AND done.session=shown.session"
        self._log.flush()
        return dict(self._log._read(UNTOUCHED.format(whose=whose, own=own), shopper or session, since))

    def prefer(self, shopper: str, field: str, value: str, *, wanted: bool | None) -> None:
        """Keep that a shopper wants (True) or does not want (False) what has this value; None takes that back.

        Raises:
            RequestError: the id is empty.
        """
        if not shopper:
            raise RequestError("the shopper's id is empty", cure="name the shopper whose profile changes")
        key, now = (shopper, field, value), int(time.time() * 1000)

        def change(database: sqlite3.Connection) -> None:
            database.execute(DROP, key) if wanted is None else database.execute(PUT, (*key, int(wanted), now))

        self._log._writer.run(change)

    def preferences(self, shopper: str) -> list[tuple[str, str, bool]]:
        """(field, value, whether it is wanted) of a shopper, in order."""
        query = "SELECT field, value, wanted FROM preferences WHERE shopper=? ORDER BY field, value"
        return [(field, value, bool(wanted)) for field, value, wanted in self._log._read(query, shopper)]

    def longer(self, shopper: str) -> bool:
        """Whether the id of a session or of another shopper, or of an event or answer, has this one within it."""
        names = [("events", name) for name in ("event_id", "shopper", "session", "query_id")]
        names += [("impressions", name) for name in ("query_id", "shopper", "session")] + [("preferences", "shopper")]
        names += [("answers", name) for name in ("query_id", "query", "shopper", "session")]
        return any(
            self._log._read(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE instr({name}, ?))", shopper)[0][0]  # noqa: S608
            for table, name in names
        )

    def erase(self, shopper: str) -> dict[str, int]:
        """Take a shopper out: what was deleted → rows; they are overwritten on the disk when this returns.

        ``"write-ahead file"`` is 1 where another process keeps SQLite from emptying that file: it holds what was
        erased until that one closes.

        Raises:
            RequestError: the id is empty.
            DiskFull, ShopLocked, ShopError: nothing was erased.
        """
        if not shopper:
            raise RequestError("the shopper's id is empty", cure="name the shopper to erase")
        self._log.flush()

        def delete(database: sqlite3.Connection) -> dict[str, int]:
            return {name: database.execute(query, {"who": shopper}).rowcount for name, query in ERASE.items()}

        return self._log._writer.run(delete) | {"write-ahead file": int(not self._log._writer.tidy())}
