"""Checked events in, what each shopper did lately out: one SQLite file beside the index."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from mercer.records import Shopper
from mercer.shop import disk_errors

__all__ = ["Past"]

KEPT = 50
"""Different products of a shopper that are kept, as `events.profile` keeps of the live log."""


class Past:
    """Shoppers' recent products from before the live log began; a missing file knows nobody."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False) if path.exists() else None

    @classmethod
    def write(cls, path: Path, events: Iterable[Path]) -> int:
        """Fold Parquet files of events into one row a shopper; how many shoppers there are comes back."""
        import duckdb

        files = [str(file) for file in events if file.exists()]
        if not files:
            return 0
        found = duckdb.execute(
            """
            SELECT shopper, list({'product': product, 'time': time} ORDER BY time, product) AS past FROM (
                SELECT shopper, product, max(time) AS time FROM read_parquet($files)
                WHERE type IN ('view', 'click', 'add_to_cart', 'purchase', 'like')
                  AND shopper <> '' AND time IS NOT NULL
                GROUP BY shopper, product
                QUALIFY row_number() OVER (PARTITION BY shopper ORDER BY max(time) DESC, product) <= $kept
            ) GROUP BY shopper ORDER BY shopper
            """,
            {"files": files, "kept": KEPT},
        ).fetchall()
        with disk_errors(path), sqlite3.connect(path) as file:
            file.execute("CREATE TABLE shoppers (id TEXT PRIMARY KEY, past TEXT)")
            file.executemany("INSERT INTO shoppers VALUES (?, ?)", ((id, json.dumps(past)) for id, past in found))
        return len(found)

    def __call__(self, id: str) -> Shopper:
        """A shopper's recent products, the latest last; nothing for a stranger."""
        if self._file is None or not id:
            return Shopper(id)
        with self._lock:
            found = self._file.execute("SELECT past FROM shoppers WHERE id = ?", (id,)).fetchone()
        past = json.loads(found[0]) if found else []
        return Shopper(id, tuple(one["product"] for one in past), tuple(one["time"] for one in past))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def joined(past: Shopper, live: Shopper) -> Shopper:
    """One shopper from both: live actions come last, and a product counts at its latest time.

    >>> joined(Shopper("ann", ("cup", "tea"), (1, 2)), Shopper("ann", ("cup",), (9,))).products
    ('tea', 'cup')
    """
    latest = dict(zip(past.products, past.times, strict=True))
    latest |= dict(zip(live.products, live.times, strict=True))
    ordered = sorted(latest.items(), key=lambda item: item[1])[-KEPT:]
    return Shopper(live.id, tuple(id for id, _ in ordered), tuple(time for _, time in ordered))
