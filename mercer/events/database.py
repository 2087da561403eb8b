"""A path in; an SQLite connection whose commits survive a power cut out, and SQLite's errors as Mercer's."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mercer.errors import DiskFull, ShopError, ShopLocked, ShopTooNew

__all__ = ["connect", "database_errors"]

FORMAT = 3
"""Layout of the tables, kept in SQLite's user_version."""

TABLES = """
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, product TEXT NOT NULL,
  time INTEGER NOT NULL, shopper TEXT NOT NULL, session TEXT NOT NULL, query_id TEXT NOT NULL, position INTEGER,
  quantity REAL, price REAL, device TEXT NOT NULL, place TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS events_of_shopper ON events (shopper, time, seq) WHERE shopper <> '';
CREATE TABLE IF NOT EXISTS product_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body TEXT, time INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS changes_of_product ON product_changes (id, seq);
CREATE TABLE IF NOT EXISTS impressions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, query_id TEXT NOT NULL, product TEXT NOT NULL, position INTEGER NOT NULL,
  time INTEGER NOT NULL, score REAL NOT NULL, version TEXT NOT NULL) STRICT;
"""

WHO_WAS_SHOWN = """
ALTER TABLE impressions ADD COLUMN shopper TEXT NOT NULL DEFAULT '';
ALTER TABLE impressions ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE impressions ADD COLUMN scene TEXT NOT NULL DEFAULT '';
ALTER TABLE impressions ADD COLUMN propensity REAL;
CREATE INDEX impressions_of_shopper ON impressions (shopper, time) WHERE shopper <> '';
CREATE INDEX impressions_of_session ON impressions (session, time) WHERE shopper = '' AND session <> '';
CREATE INDEX impressions_of_answer ON impressions (query_id);
CREATE INDEX events_of_session ON events (session, time, seq) WHERE shopper = '' AND session <> '';
CREATE TABLE preferences (
  shopper TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, wanted INTEGER NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY (shopper, field, value)) STRICT;
"""
"""What format 2 has beyond format 1."""

WHAT_WAS_ASKED = """
ALTER TABLE impressions ADD COLUMN features BLOB NOT NULL DEFAULT x'';
CREATE TABLE answers (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, query_id TEXT NOT NULL, time INTEGER NOT NULL, scene TEXT NOT NULL,
  query TEXT NOT NULL, total INTEGER NOT NULL, offset INTEGER NOT NULL, shopper TEXT NOT NULL, session TEXT NOT NULL,
  device TEXT NOT NULL, version TEXT NOT NULL, models TEXT NOT NULL, arm TEXT, degraded TEXT NOT NULL) STRICT;
CREATE INDEX answers_of_query_id ON answers (query_id);
CREATE INDEX answers_of_time ON answers (time);
CREATE INDEX answers_of_shopper ON answers (shopper) WHERE shopper <> '';
CREATE INDEX answers_of_session ON answers (session) WHERE session <> '';
CREATE INDEX events_of_answer ON events (query_id) WHERE query_id <> '';
"""
"""What format 3 has beyond format 2: answers with nothing on them too, and what trees were told of each product."""


def connect(path: Path, *, wait: float) -> sqlite3.Connection:
    """Open the database, make its tables where they are missing.

    Args:
        path: the file; its folder must be there.
        wait: seconds to wait for another process that is writing.

    Raises:
        ShopTooNew: a later Mercer wrote it.
        ShopLocked, DiskFull, ShopError: as `database_errors`.
    """
    with database_errors(path):
        database = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            found = int(database.execute("PRAGMA user_version").fetchone()[0])
            if found > FORMAT:
                raise ShopTooNew(f"{path} has format {found}, this Mercer reads up to {FORMAT}", cure="upgrade mercer")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")  # every commit is on the disk before it returns
            database.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten, not only let go
            if found < FORMAT:
                _upgrade(database)
        except BaseException:
            database.close()
            raise
        return database


def _upgrade(database: sqlite3.Connection) -> None:
    """Bring the tables to `FORMAT`; another process may have done so meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        found = int(database.execute("PRAGMA user_version").fetchone()[0])
        for format, script in enumerate((TABLES, WHO_WAS_SHOWN, WHAT_WAS_ASKED)):
            for statement in script.split(";") if found <= format else ():
                database.execute(statement)
        database.execute(f"PRAGMA user_version={FORMAT}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says into the error tree, by its result code."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(
                f"no space is left on the disk of {path}; nothing of this batch was stored",
                cure="free some space and send it again",
            ) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ShopLocked(f"{path} is being written by another process", cure="wait or stop that process") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise ShopError(
                f"{path} is damaged: {error}",
                cure=f"restore it from a backup, or save what is whole: sqlite3 {path} .recover",
            ) from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise ShopError(
                f"{path} cannot be opened for writing: {error}", cure="check that its folder is there and writable"
            ) from error
        raise ShopError(f"{path} cannot be used: {error}", cure="check the disk, then open the shop again") from error
