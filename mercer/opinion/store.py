"""Documents with their readings in; kept once each, with their copies counted, and found again, out."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import DiskFull, ShopError
from mercer.opinion.distinct import key
from mercer.opinion.document import Document, Reading
from mercer.shop import Shop, disk_errors

__all__ = ["Kept", "Store"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, source TEXT NOT NULL, time INTEGER NOT NULL,
  product TEXT NOT NULL, author TEXT NOT NULL, rating REAL, url TEXT NOT NULL, trust REAL NOT NULL,
  copies INTEGER NOT NULL DEFAULT 0, sentiment TEXT NOT NULL, chance REAL NOT NULL, topic TEXT NOT NULL,
  topic_chance REAL NOT NULL, language TEXT NOT NULL, version TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS documents_time ON documents (time);
CREATE INDEX IF NOT EXISTS documents_product ON documents (product);
CREATE TABLE IF NOT EXISTS copies (id TEXT PRIMARY KEY, original TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS aspects (
  document TEXT NOT NULL, aspect TEXT NOT NULL, sentiment TEXT NOT NULL, PRIMARY KEY (document, aspect)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entities (
  document TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (document, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (
  id TEXT PRIMARY KEY, acknowledged TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS muted (series TEXT PRIMARY KEY, until INTEGER NOT NULL);
"""
COLUMNS = (
    "id, text, source, time, product, author, rating, url, trust, copies, "
    "sentiment, chance, topic, topic_chance, language"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of some documents."""

    new: int
    copies: int
    """The text was known from another document: its count grew."""
    known: int
    """The document itself was known: nothing changed."""


class Store:
    """One SQLite file, ``store/opinion.db``; several processes and threads may use it."""

    def __init__(self, shop: Shop) -> None:
        self.path: Path = shop.store / "opinion.db"
        self._made = False
        self._lock = threading.Lock()

    def known(self, documents: Sequence[Document]) -> set[str]:
        """Ids among these that are kept already, as documents or as copies; they need no reading."""
        with self._open() as file:
            found: set[str] = set()
            for at in range(0, len(documents), 500):
                ids = [one.id for one in documents[at : at + 500]]
                marks = ",".join("?" * len(ids))
                for table in ("documents", "copies"):
                    found |= {row[0] for row in file.execute(f"SELECT id FROM {table} WHERE id IN ({marks})", ids)}  # noqa: S608  # marks alone
            return found

    def add(self, documents: Sequence[Document], readings: Sequence[Reading], *, trust: float, version: str) -> Kept:
        """Keep documents that are new; one text is kept once, however often it comes."""
        new = copies = known = 0
        with self._open() as file:
            file.execute("BEGIN IMMEDIATE")
            for one, read in zip(documents, readings, strict=True):
                said = key(one.text)
                if file.execute(
                    "SELECT 1 FROM documents WHERE id = ? UNION ALL SELECT 1 FROM copies WHERE id = ?", (one.id,) * 2
                ).fetchone():
                    known += 1
                    continue
                if first := file.execute("SELECT id FROM documents WHERE key = ?", (said,)).fetchone():
                    copies += 1
                    file.execute("INSERT INTO copies VALUES (?, ?)", (one.id, first[0]))
                    file.execute("UPDATE documents SET copies = copies + 1 WHERE id = ?", first)
                    continue
                new += 1
                file.execute(
                    "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,0,?,?,?,?,?,?)",
                    (one.id, said, one.text, one.source, one.time, one.product, one.author, one.rating, one.url, trust,
                     read.sentiment, read.chance, read.topic, read.topic_chance, read.language, version),
                )  # fmt: skip
                file.executemany(
                    "INSERT OR IGNORE INTO aspects VALUES (?,?,?)", [(one.id, *pair) for pair in read.aspects]
                )
                file.executemany(
                    "INSERT OR IGNORE INTO entities VALUES (?,?,?)", [(one.id, *pair) for pair in read.entities]
                )
            file.execute("COMMIT")
        return Kept(new, copies, known)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a question to the tables gives; values go in by place."""
        with self._open() as file:
            return file.execute(sql, tuple(values)).fetchall()

    def change(self, sql: str, values: Sequence[Any]) -> int:
        """Rows that a change touched."""
        with self._open() as file:
            return file.execute(sql, tuple(values)).rowcount

    def find(
        self, *, since: int = 0, until: int = 1 << 60, sentiment: str = "", topic: str = "", entity: str = "",
        aspect: str = "", product: str = "", text: str = "", limit: int = 50,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Documents that meet all that is given, the newest first; a text is matched as it stands."""
        where: list[str] = ["time >= ?", "time < ?"]
        values: list[Any] = [since, until]
        for column, value in (("sentiment", "" if aspect else sentiment), ("topic", topic), ("product", product)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if entity:
            where.append("id IN (SELECT document FROM entities WHERE name = ?)")
            values.append(entity)
        if aspect:
            also = " AND sentiment = ?" if sentiment else ""
            where.append(f"id IN (SELECT document FROM aspects WHERE aspect = ?{also})")  # noqa: S608  # a constant
            values += [aspect, *([sentiment] if sentiment else [])]
        if text:
            where.append("instr(lower(text), lower(?)) > 0")
            values.append(text)
        sql = f"SELECT {COLUMNS} FROM documents WHERE {' AND '.join(where)} ORDER BY time DESC, id LIMIT ?"  # noqa: S608  # names of columns
        names = COLUMNS.split(", ")
        return [dict(zip(names, row, strict=True)) for row in self.rows(sql, [*values, limit])]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with disk_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as file:
                with self._lock:
                    if not self._made:
                        file.execute("PRAGMA journal_mode = WAL")
                        file.executescript(SCHEMA)
                        self._made = True
                yield file
        except sqlite3.DatabaseError as error:
            if "full" in str(error):
                raise DiskFull(f"no space is left for {self.path}", cure="free some space and run again") from error
            raise ShopError(f"{self.path}: {error}", cure="remove it and read the documents again") from error
