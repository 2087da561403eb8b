"""Statements from many threads in; one transaction for all that wait (group commit), durable on return, out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mercer.errors import MercerError, ShopError
from mercer.events.database import connect, database_errors

__all__ = ["Writer"]

Row = Sequence[Any]
Result = TypeVar("Result")


@dataclass(slots=True)
class _Batch:
    """One caller's rows, and what became of them."""

    statement: str
    rows: Sequence[Row]
    stored: list[bool] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False


class Writer:
    """The one writing connection of a process.

    A sync of the disk costs the same for one row as for a thousand, so the thread that gets the connection commits
    for all threads that wait for it. All rows of a batch are stored, or none.
    """

    def __init__(self, path: Path, *, wait: float) -> None:
        self.path = path
        self._database: sqlite3.Connection | None = connect(path, wait=wait)
        self._queue = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Batch] = []

    def write(self, statement: str, rows: Sequence[Row]) -> list[bool]:
        """Run an INSERT for each row; returns, once they are on the disk, which rows were new.

        Raises:
            DiskFull, ShopLocked, ShopError: nothing of the batch was stored.
        """
        batch = _Batch(statement, rows)
        with self._queue:
            self._waiting.append(batch)
        with self._turn:
            if not batch.done:
                self._commit()
        if batch.error is not None:
            raise batch.error
        return batch.stored

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something other than an INSERT, in a transaction of its own; durable on return.

        Raises:
            DiskFull, ShopLocked, ShopError: nothing of it was done.
        """
        with self._turn, database_errors(self.path):
            database = self._there()
            database.execute("BEGIN IMMEDIATE")
            try:
                found = work(database)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            return found

    def tidy(self) -> bool:
        """Move everything from SQLite's write-ahead file into the database and empty that file.

        False where another connection still reads from it: it is emptied when that one is closed.
        """
        with self._turn, database_errors(self.path):
            busy, _, _ = self._there().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def close(self) -> None:
        """Close the connection; what was acknowledged is on the disk already."""
        with self._turn:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _commit(self) -> None:
        with self._queue:
            batches, self._waiting = self._waiting, []
        try:
            self._transaction(batches)
        except MercerError as error:
            for batch in batches:
                batch.error = error
        except BaseException as error:
            for batch in batches:
                batch.error = ShopError(f"{self.path}: writing was cut off ({error!r})", cure="send the batch again")
            raise
        finally:
            for batch in batches:
                batch.done = True

    def _transaction(self, batches: Sequence[_Batch]) -> None:
        database = self._there()
        with database_errors(self.path):
            database.execute("BEGIN IMMEDIATE")
            try:
                for batch in batches:
                    batch.stored = [database.execute(batch.statement, row).rowcount == 1 for row in batch.rows]
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:  # a full disk may have rolled back already
                    database.execute("ROLLBACK")
                raise

    def _there(self) -> sqlite3.Connection:
        if self._database is None:
            raise ShopError(f"{self.path} was closed", cure="open the shop again")
        return self._database
