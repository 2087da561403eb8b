"""A log and a moment in; the log without what happened before it out."""

from __future__ import annotations

import sqlite3

from mercer.errors import RequestError
from mercer.events.log import EventLog

__all__ = ["prune"]

TABLES = ("events", "impressions", "answers")
"""What grows with every request; changes of products stay, as an index is built from them."""
AT_ONCE = 5000
"""Rows of one transaction: others that write to the log wait for some milliseconds, not for all of it."""


def prune(log: EventLog, before: int) -> dict[str, int]:
    """Delete what has a time before a moment; table → rows. They are overwritten on the disk.

    An event that is sent again after it was pruned is taken for a new one.

    Args:
        log: may be in use by a server.
        before: UTC milliseconds.

    Raises:
        RequestError: the moment is no time.
        DiskFull, ShopLocked, ShopError: it was cut off; what is deleted stays deleted, run it again.
    """
    if before < 0:
        raise RequestError(f"the moment is {before}", cure="give UTC milliseconds since 1970")
    log.flush()
    gone = {table: _prune(log, table, before) for table in TABLES}
    log._writer.tidy()
    return gone


def _prune(log: EventLog, table: str, before: int) -> int:
    query = f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} WHERE time<? LIMIT ?)"  # noqa: S608  # of TABLES

    def delete(database: sqlite3.Connection) -> int:
        return database.execute(query, (before, AT_ONCE)).rowcount

    gone = 0
    while some := log._writer.run(delete):
        gone += some
    return gone
