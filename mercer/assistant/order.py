"""Orders of the shop's order system in; one shopper's orders, and changes that its rules allow, out."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mercer.errors import ShopError
from mercer.quality.erased import Erased
from mercer.shop import disk_errors

__all__ = ["DemoOrders", "Order", "Orders"]

PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Order:
    """One order."""

    id: str
    shopper: str
    status: str
    """paid, packed, shipped, delivered, cancelled or returning."""
    items: tuple[Mapping[str, Any], ...]
    total: float
    currency: str
    placed: int
    """UTC milliseconds."""
    delivered: int | None = None
    address: str = ""
    carrier: str = ""
    tracking: str = ""

    @property
    def count(self) -> int:
        return sum(int(item.get("quantity", 1)) for item in self.items)


class Orders(Protocol):
    """What the assistant needs of an order system; whoever has a real one writes these five calls."""

    def find(self, shopper: str, id: str) -> Order | None:
        """An order of this shopper; None where it is not there or is somebody else's."""
        ...

    def latest(self, shopper: str, k: int = 5) -> Sequence[Order]: ...

    def cancel(self, shopper: str, id: str) -> Order: ...

    def send_back(self, shopper: str, id: str) -> Order: ...

    def readdress(self, shopper: str, id: str, address: str) -> Order: ...


class DemoOrders:
    """An order system for trying it out: SQLite, filled once from a file of JSON lines."""

    def __init__(self, path: Path, source: Path) -> None:
        """Open ``path``; a new one takes the orders of ``source``, without those of whom ``path``'s store has erased.

        Raises:
            ShopError: either file is damaged or cannot be used.
        """
        self._lock = threading.Lock()
        self._file = path
        with disk_errors(path), self._opened() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, shopper TEXT, placed INTEGER, told TEXT)"
            )
            database.execute("CREATE INDEX IF NOT EXISTS by_shopper ON orders (shopper, placed)")
            if not database.execute("SELECT 1 FROM orders LIMIT 1").fetchone():
                database.executemany(
                    "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", _rows(source, Erased(path.parent))
                )
            path.chmod(PRIVATE)

    def find(self, shopper: str, id: str) -> Order | None:
        if not shopper:
            return None
        with self._opened() as database:
            row = database.execute("SELECT told FROM orders WHERE id = ? AND shopper = ?", (id, shopper)).fetchone()
        return None if row is None else _order(row[0])

    def latest(self, shopper: str, k: int = 5) -> list[Order]:
        if not shopper:
            return []
        with self._opened() as database:
            found = database.execute(
                "SELECT told FROM orders WHERE shopper = ? ORDER BY placed DESC, id LIMIT ?", (shopper, k)
            ).fetchall()
        return [_order(told) for (told,) in found]

    def cancel(self, shopper: str, id: str) -> Order:
        return self._changed(shopper, id, status="cancelled")

    def send_back(self, shopper: str, id: str) -> Order:
        return self._changed(shopper, id, status="returning", returned=int(time.time() * 1000))

    def readdress(self, shopper: str, id: str, address: str) -> Order:
        return self._changed(shopper, id, address=address)

    def _changed(self, shopper: str, id: str, **changes: Any) -> Order:
        with self._lock, self._opened() as database:
            row = database.execute("SELECT told FROM orders WHERE id = ? AND shopper = ?", (id, shopper)).fetchone()
            if row is None:
                raise ShopError(f"order {id[:40]!r} is not this shopper's", cure="give the number of an own order")
            told = json.dumps({**json.loads(row[0]), **changes}, ensure_ascii=False)
            database.execute("UPDATE orders SET told = ? WHERE id = ?", (told, id))
        return _order(told)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(sqlite3.connect(self._file, timeout=10)) as database, database:
                yield database
        except sqlite3.DatabaseError as error:
            cure = "remove the file; it is made again from [assistant] orders"
            raise ShopError(f"orders {self._file} cannot be used: {error}", cure=cure) from error


def _rows(source: Path, erased: Erased) -> list[tuple[str, str, int, str]]:
    """Orders of the file but those that an erasure took; the last one is placed now, as an invented year is over."""
    found = []
    for number, line in enumerate(source.read_text("utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            found.append((str(told["order"]), str(told["shopper"]), int(told["placed"]), told))
        except (ValueError, KeyError, TypeError) as error:
            raise ShopError(f"{source.name} line {number} is no order: {error!r}", cure="mend that line") from error
    moved = int(time.time() * 1000) - max((placed for _, _, placed, _ in found), default=0)
    found = [row for row in found if (until := erased.until(row[1])) is None or row[2] > until]
    for _, _, placed, told in found:
        told["placed"] = placed + moved
        told["delivered"] = told["delivered"] + moved if told.get("delivered") else None
    return [(id, shopper, told["placed"], json.dumps(told, ensure_ascii=False)) for id, shopper, _, told in found]


def _order(text: str) -> Order:
    told = json.loads(text)
    return Order(
        str(told["order"]), str(told["shopper"]), str(told["status"]), tuple(told["items"]), float(told["total"]),
        str(told["currency"]), int(told["placed"]), told.get("delivered"), str(told.get("address", "")),
        str(told.get("carrier", "")), str(told.get("tracking", "")),
    )  # fmt: skip
