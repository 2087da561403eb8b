"""A conversation's id and a shopper in; what was said, shown and offered, without what names a person, out."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mercer.assistant.tool import Pending
from mercer.errors import ShopError
from mercer.quality.erased import Erased, pseudonym
from mercer.quality.personal import mask
from mercer.quality.secret import shop_salt
from mercer.shop import disk_errors

__all__ = ["Memory", "State", "Turn"]

PRIVATE = 0o600
DAY_MS = 86_400_000
TABLES = (
    "CREATE TABLE IF NOT EXISTS talks (id TEXT PRIMARY KEY, subject TEXT, told TEXT, time INTEGER)",
    "CREATE TABLE IF NOT EXISTS turns (talk TEXT, seq INTEGER, role TEXT, text TEXT, time INTEGER, "
    "PRIMARY KEY (talk, seq))",
    "CREATE TABLE IF NOT EXISTS handovers (id INTEGER PRIMARY KEY, talk TEXT, why TEXT, summary TEXT, suggested TEXT, "
    "time INTEGER, state TEXT DEFAULT 'open', answer TEXT DEFAULT '', who TEXT DEFAULT '', question TEXT DEFAULT '')",
    "CREATE INDEX IF NOT EXISTS waiting ON handovers (state, time)",
)


@dataclass(slots=True)
class State:
    """What the next message may refer to."""

    shown: list[str] = field(default_factory=list)
    """Products shown last, in order."""
    focus: str = ""
    """The product spoken of."""
    order: str = ""
    """The order spoken of."""
    wanted: str = ""
    """A tool that waits for an order number or an address."""
    pending: dict[str, Any] = field(default_factory=dict)
    """An offered write, as `Pending`."""
    intent: str = ""
    """Of the message before, for one that says only what changed."""
    turns: int = 0
    abuse: int = 0
    misses: int = 0
    """Answers in a row that were none."""
    heard: list[str] = field(default_factory=list)
    """Last messages, by `Memory.digest`: enough to see that one comes again."""
    answered: list[str] = field(default_factory=list)
    """Last answers, by `Memory.digest`."""
    handed: bool = False
    """Whether a person has been called."""
    ended: bool = False

    def offer(self) -> Pending | None:
        """The write that waits for a yes."""
        return Pending(**self.pending) if self.pending else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it is kept."""

    role: str
    text: str
    time: int


class Memory:
    """Conversations in ``store/conversations.db``, mode 0600; shoppers by pseudonym, texts masked (T01)."""

    def __init__(
        self, store: Path, *, idle: float = 60.0, keep: float = 30.0, clock: Callable[[], float] = time.time
    ) -> None:
        """Open, and drop what is older than `keep` days; `idle` minutes end references.

        Raises:
            ShopError: the file is damaged.
        """
        self.path, self._store, self._idle, self._clock = store / "conversations.db", store, idle, clock
        self._salt = shop_salt(store)
        self._lock = threading.Lock()
        with disk_errors(self.path), self.opened() as database:
            for statement in TABLES:
                database.execute(statement)
            old = int(clock() * 1000 - keep * DAY_MS)
            database.execute("DELETE FROM turns WHERE talk IN (SELECT id FROM talks WHERE time < ?)", (old,))
            database.execute("DELETE FROM handovers WHERE talk IN (SELECT id FROM talks WHERE time < ?)", (old,))
            database.execute("DELETE FROM talks WHERE time < ?", (old,))
        self.path.chmod(PRIVATE)

    def begin(self, id: str, shopper: str) -> tuple[str, State]:
        """A conversation of this shopper's; a new one where there is none, or where it is somebody else's."""
        subject = self._subject(shopper)
        with self.opened() as database:
            row = (
                database.execute("SELECT subject, told, time FROM talks WHERE id = ?", (id,)).fetchone() if id else None
            )
        if row is None or row[0] != subject or self._erased(shopper, row[2]):
            return (id if id and row is None and id.isprintable() else secrets.token_urlsafe(12)), State()
        state = State(**json.loads(row[1]))
        if self._clock() * 1000 - row[2] > self._idle * 60_000:
            state = State(turns=state.turns, abuse=state.abuse, ended=state.ended)
        if state.pending:
            state.pending["shopper"] = shopper  # whose conversation it is was just seen; no id is kept
        return id, state

    def keep(self, id: str, shopper: str, state: State, turns: Mapping[str, str]) -> None:
        """Write state and what was said, masked: role → text in order."""
        now = int(self._clock() * 1000)
        with self._lock, self.opened() as database:
            plain = asdict(state)
            plain["pending"].pop("shopper", None)
            told = json.dumps(plain, ensure_ascii=False)
            database.execute(
                "INSERT OR REPLACE INTO talks VALUES (?, ?, ?, ?)", (id, self._subject(shopper), told, now)
            )
            self._add(database, id, turns, now)

    def history(self, id: str, k: int = 200) -> list[Turn]:
        """What was said, oldest first, as it is kept."""
        with self.opened() as database:
            rows = database.execute(
                "SELECT role, text, time FROM turns WHERE talk = ? ORDER BY seq DESC LIMIT ?", (id, k)
            ).fetchall()
        return [Turn(*row) for row in reversed(rows)]

    def own(self, id: str, shopper: str) -> bool:
        """Whether a conversation is this shopper's."""
        with self.opened() as database:
            row = database.execute("SELECT subject FROM talks WHERE id = ?", (id,)).fetchone()
        return row is not None and row[0] == self._subject(shopper)

    def add(self, id: str, role: str, text: str) -> None:
        """One more message, of a person who took over."""
        with self._lock, self.opened() as database:
            self._add(database, id, {role: text}, int(self._clock() * 1000))

    def masked(self, text: str) -> str:
        """A text without what names a person."""
        return mask(text, salt=self._salt)[0]

    def digest(self, text: str) -> str:
        """What tells equal texts, and nothing else of them (HMAC-SHA-256 under the shop's secret)."""
        return pseudonym(text, self._salt)

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """A connection whose block is one transaction."""
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                with database:
                    yield database
        except sqlite3.DatabaseError as error:
            raise ShopError(f"conversations {self.path} cannot be used: {error}", cure="move that file away") from error

    def _add(self, database: sqlite3.Connection, id: str, turns: Mapping[str, str], now: int) -> None:
        (last,) = database.execute("SELECT COALESCE(MAX(seq), 0) FROM turns WHERE talk = ?", (id,)).fetchone()
        rows = [(id, last + place, role, self.masked(text), now) for place, (role, text) in enumerate(turns.items(), 1)]
        database.executemany("INSERT INTO turns VALUES (?, ?, ?, ?, ?)", rows)

    def _subject(self, shopper: str) -> str:
        return pseudonym(shopper, self._salt) if shopper else ""

    def _erased(self, shopper: str, time: int) -> bool:
        until = Erased(self._store).until(shopper)
        return until is not None and time <= until
