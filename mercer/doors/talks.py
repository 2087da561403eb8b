"""A shop's store and a shopper in; the assistant's conversations and demo orders without that shopper out."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from mercer.doors.traces import Traces
from mercer.errors import ShopError
from mercer.shop import disk_errors

__all__ = ["FILES", "Talks"]

FILES = ("conversations.db", "orders.db")
"""In the store. The assistant stands above this room and writes them; an erasure goes by the files, as it must also
reach them where no assistant is open."""
OWN: Mapping[str, Mapping[str, str]] = {
    "conversations.db": {
        "turns": "DELETE FROM turns WHERE talk IN (SELECT id FROM talks WHERE subject=:subject)",
        "handovers": "DELETE FROM handovers WHERE talk IN (SELECT id FROM talks WHERE subject=:subject)",
        "talks": "DELETE FROM talks WHERE subject=:subject",
    },
    "orders.db": {"orders": "DELETE FROM orders WHERE shopper=:who"},
}
"""In this order: what hangs on a conversation goes before it."""
SAID = {"turns": ("text",), "handovers": ("summary", "suggested", "answer", "question", "who"), "talks": ("told",)}
"""Columns in which somebody else's conversation may name the shopper."""
FORGOTTEN = {"talks": "{}"}
"""In place of what names them; a state is JSON whose keys an odd id could hit, so it begins anew."""


class Talks:
    """What the two files know of one shopper."""

    def __init__(self, store: Path, traces: Traces, subject: str) -> None:
        """`subject` is the shopper's pseudonym, by which conversations are kept."""
        self._store, self._traces = store, traces
        self._ids = {"subject": subject, "who": traces.shopper}

    def erase(self) -> tuple[dict[str, int], list[str]]:
        """What was deleted or blanked → rows, and the files whose write-ahead file could not be emptied.

        The files are written anew, so that bytes of rows that went earlier go with them.

        Raises:
            ShopError: a file is damaged, or stays busy; nothing of that file was erased.
            DiskFull: the same.
        """
        gone: dict[str, int] = {}
        busy: list[str] = []
        for name in FILES:
            path = self._store / name
            if not path.exists():
                continue
            with disk_errors(path), self._opened(path) as database:
                with database:
                    rows = {table: database.execute(query, self._ids).rowcount for table, query in self._own(database)}
                    rows["texts"] = self._blank(database)
                database.execute("VACUUM")
                if database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    busy.append(f"{name}-wal")
            gone |= {f"{name}: {table}": count for table, count in rows.items()}
        return gone, busy

    def files(self) -> list[Path]:
        """Those that are there, with what SQLite keeps beside them."""
        return [path for name in FILES for path in sorted(self._store.glob(f"{name}*"))]

    def found(self) -> list[Path]:
        """Files that still speak of the shopper: by their rows, or by bytes that stand in no row."""
        wrong = []
        for name in FILES:
            if not (path := self._store / name).exists():
                continue
            with self._opened(path) as database:
                own = [query.replace("DELETE", "SELECT 1", 1) for _, query in self._own(database)]
                mine = any(database.execute(query, self._ids).fetchone() for query in own)
                if mine or any(self._others(database)):
                    wrong.append(path)
                part_of_others = self._anywhere(database)
            if not part_of_others:
                wrong += [one for one in self.files() if one.name.startswith(name) and self._traces.there(one)]
        return wrong

    def _blank(self, database: sqlite3.Connection) -> int:
        told = list(self._others(database))
        for table, column, row, text in told:
            blank = FORGOTTEN.get(table) or self._traces.blank(text)
            database.execute(f"UPDATE {table} SET {column}=? WHERE rowid=?", (blank, row))  # noqa: S608  # of SAID
        return len(told)

    def _others(self, database: sqlite3.Connection) -> Iterator[tuple[str, str, int, str]]:
        """(table, column, row, text) of what names the shopper."""
        there = _tables(database)
        for table, column in [(name, column) for name, columns in SAID.items() if name in there for column in columns]:
            query = f"SELECT rowid, {column} FROM {table} WHERE instr({column}, ?)"  # noqa: S608  # of SAID
            for row, text in database.execute(query, (self._traces.shopper,)):
                if self._traces.within(text):
                    yield table, column, row, text

    def _anywhere(self, database: sqlite3.Connection) -> bool:
        """Whether a cell has the id within it, be it as a part of somebody else's."""
        for table in sorted(_tables(database)):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            wanted = " OR ".join(f"instr({column}, :who)" for column in columns)
            if database.execute(f"SELECT 1 FROM {table} WHERE {wanted}", self._ids).fetchone():  # noqa: S608  # own names
                return True
        return False

    def _own(self, database: sqlite3.Connection) -> list[tuple[str, str]]:
        """The queries of OWN whose table is there."""
        there = _tables(database)
        return [(table, query) for queries in OWN.values() for table, query in queries.items() if table in there]

    @contextlib.contextmanager
    def _opened(self, path: Path) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
                database.execute("PRAGMA secure_delete=ON")
                yield database
        except sqlite3.DatabaseError as error:
            cure = "erase again when nobody writes to it; move a damaged file away"
            raise ShopError(f"{path} cannot be used: {error}", cure=cure) from error


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
