"""Products and their vectors in, durable rows out: one SQLite file beside an index, the truth it is repaired from."""

from __future__ import annotations

import contextlib
import fcntl
import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mercer.errors import ModelError, ShopError, ShopLocked
from mercer.records import Product
from mercer.retrieve.columns import Columns
from mercer.shop import disk_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Store"]

KEPT_PRODUCTS = 20_000
"""Product records held in memory, about 2 kB each; the rest are read from the file."""
AT_ONCE = 500
"""Rows read in one query; SQLite takes 999 marks everywhere."""
TABLES = (
    "products (id TEXT PRIMARY KEY, body TEXT, vector BLOB)",
    "changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT)",
    "meta (name TEXT PRIMARY KEY, value TEXT)",
)


class Store:
    """Rows (id, product, unit vector) that survive a kill, with columns and vectors in memory.

    Every change has a sequence number; an index that has applied changes up to `applied` asks `changed_since`
    for the rest when it opens, so the two never drift apart.
    """

    def __init__(self, path: Path, *, dimension: int, read_only: bool = False) -> None:
        """Open or make the file; `read_only` is a promise that lets several processes look at once.

        Raises:
            ShopLocked: another process holds it.
            ShopError: it is damaged.
            ModelError: its vectors are not of this dimension.
        """
        import numpy as np

        self.dimension = dimension
        self.columns = Columns()
        self._lock = threading.RLock()
        self._known: OrderedDict[str, Product] = OrderedDict()
        self._vectors = np.zeros((1024, dimension), dtype=np.float32)
        with disk_errors(path.parent), contextlib.ExitStack() as opened:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._held = opened.enter_context(_held(path.with_suffix(".lock"), shared=read_only))
            self._database = opened.enter_context(contextlib.closing(_opened(path)))
            try:
                self._load(path)
            except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, AttributeError) as error:
                cure = "build the index again: mercer index SHOP"
                raise ShopError(f"{path} is damaged: {error}", cure=cure) from error
            opened.pop_all()

    def _load(self, path: Path) -> None:
        import numpy as np

        with self.writing():
            for table in TABLES:
                self._database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        for body, vector in self._database.execute("SELECT body, vector FROM products ORDER BY rowid"):
            held = np.frombuffer(vector, dtype=np.float32)
            if len(held) != self.dimension:
                raise ModelError(
                    f"{path} has vectors of {len(held)} numbers, the encoder gives {self.dimension}",
                    cure="build the index again with this encoder: mercer index SHOP",
                )
            self._remember(Product.from_row(json.loads(body)), held)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One durable transaction."""
        with self._lock, disk_errors(Path("products.db")):
            try:
                with self._database:
                    yield
            except sqlite3.OperationalError as error:
                if "full" in str(error):
                    from mercer.errors import DiskFull

                    raise DiskFull("no space is left for products", cure="free some space and try again") from error
                if "locked" in str(error):
                    raise ShopLocked("products.db is held by another process", cure="wait until it ends") from error
                raise

    def put(self, products: Sequence[Product], vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Insert or replace; durable when it returns. The rows come back, in order.

        Raises:
            ModelError: vectors of the wrong shape or not finite.
        """
        import numpy as np

        vectors = self.fitting(products, vectors)
        with self._lock, self.writing():
            self._database.executemany(
                "INSERT INTO products VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body, "
                "vector = excluded.vector",
                [
                    (product.id, json.dumps(product.to_row(), ensure_ascii=False), vector.tobytes())
                    for product, vector in zip(products, vectors, strict=True)
                ],
            )
            self._database.executemany("INSERT INTO changes (id) VALUES (?)", [(product.id,) for product in products])
        rows = [self._remember(product, vector) for product, vector in zip(products, vectors, strict=True)]
        return np.array(rows, dtype=np.int64)

    def fitting(self, products: Sequence[Product], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vectors, if there is one for each product and each is as long as this index wants.

        Raises:
            ModelError: vectors of the wrong shape or not finite.
        """
        import numpy as np

        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.shape != (len(products), self.dimension):
            raise ModelError(
                f"vectors have shape {vectors.shape}, the index wants {(len(products), self.dimension)}",
                cure="build the index again with this encoder: mercer index SHOP",
            )
        if not np.isfinite(vectors).all():
            raise ModelError("a vector is not finite", cure="check the encoder's weights: mercer doctor SHOP")
        return vectors

    def drop(self, ids: Iterable[str]) -> list[str]:
        """Delete; durable when it returns. Those that were there come back."""
        with self._lock:
            gone = [id for id in dict.fromkeys(ids) if id in self.columns.row]
            with self.writing():
                self._database.executemany("DELETE FROM products WHERE id = ?", [(id,) for id in gone])
                self._database.executemany("INSERT INTO changes (id) VALUES (?)", [(id,) for id in gone])
            for id in gone:  # only what is gone from the disk goes from memory
                self.columns.remove(id)
                self._known.pop(id, None)
        return gone

    def products(self, ids: Iterable[str]) -> list[Product]:
        """Products in the order asked; one that is not there is left out."""
        asked = list(ids)
        with self._lock:
            found: dict[str, Product] = {}
            for id in asked:
                if (known := self._known.get(id)) is not None:
                    self._known.move_to_end(id)
                    found[id] = known
            for row in self._rows([id for id in dict.fromkeys(asked) if id not in found]):
                product = found[row["id"]] = Product.from_row(row)
                self._keep(product)
        return [found[id] for id in asked if id in found]

    def texts(self, ids: Iterable[str]) -> dict[str, tuple[str, str, str]]:
        """Title, bullets and description of those that are there: a third of the time that whole products take."""
        asked = list(dict.fromkeys(ids))
        with self._lock:
            known = [product for id in asked if (product := self._known.get(id)) is not None]
            found = {product.id: (product.title, product.bullets, product.description) for product in known}
            for row in self._rows([id for id in asked if id not in found]):
                found[row["id"]] = (row["title"] or "", row["bullets"] or "", row["description"] or "")
        return found

    def __iter__(self) -> Iterator[Product]:
        for (body,) in self._database.execute("SELECT body FROM products ORDER BY rowid"):
            yield Product.from_row(json.loads(body))

    def __len__(self) -> int:
        return len(self.columns.row)

    def rows(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Row numbers of ids that are there."""
        import numpy as np

        row = self.columns.row
        return np.array([row[id] for id in ids if id in row], dtype=np.int64)

    def vectors(self, rows: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Unit vectors, shape (rows, dimension)."""
        return self._vectors[rows]

    def newest(self) -> int:
        """Sequence number of the latest change; 0 where there is none."""
        with self._lock:
            return int(self._database.execute("SELECT coalesce(max(seq), 0) FROM changes").fetchone()[0])

    def changed_since(self, seq: int) -> list[str]:
        """Ids touched after `seq`, each once."""
        with self._lock:
            query = "SELECT id FROM changes WHERE seq > ? GROUP BY id ORDER BY max(seq)"
            return [id for (id,) in self._database.execute(query, (seq,))]

    def note(self, name: str, value: str | None = None) -> str:
        """Read, or write where `value` is given, a small fact that lives with the rows."""
        if value is not None:
            with self.writing():
                self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            return value
        with self._lock:
            found = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""

    def close(self) -> None:
        with self._lock:
            self._database.close()
            self._held.close()

    def _rows(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Rows of the file, in any order."""
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            query = f"SELECT body FROM products WHERE id IN ({', '.join('?' * len(some))})"  # noqa: S608  # marks alone
            for (body,) in self._database.execute(query, some).fetchall():
                yield json.loads(body)

    def _keep(self, product: Product) -> None:
        self._known[product.id] = product
        if len(self._known) > KEPT_PRODUCTS:
            self._known.popitem(last=False)

    def _remember(self, product: Product, vector: NDArray[np.float32]) -> int:
        import numpy as np

        with self._lock:
            row = len(self.columns.ids)
            if row == len(self._vectors):
                self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._vectors[row] = vector
            self._keep(product)
            return self.columns.add(product)


def _held(path: Path, *, shared: bool) -> IO[str]:
    """A lock that the kernel releases when the file is closed or the process ends."""
    handle = open(path, "a", encoding="utf-8")  # noqa: SIM115  # held until the store is closed
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise ShopLocked(f"{path.parent} is held by another process", cure="stop it or wait until it ends") from error
    return handle


def _opened(path: Path) -> sqlite3.Connection:
    """One connection that threads share under a lock; FULL so that what was acknowledged survives a power cut."""
    try:
        database = sqlite3.connect(path, check_same_thread=False, timeout=2)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise ShopLocked(f"{path.name} is held by another process", cure="stop it or wait until it ends") from error
        raise ShopError(f"{path} is damaged: {error}", cure="build the index again: mercer index SHOP") from error
    return database
