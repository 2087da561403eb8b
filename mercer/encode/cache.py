"""Texts and an encoder in, vectors out; only texts never seen before are encoded, the others are read from disk."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Encoder, Side, Tick
from mercer.errors import DiskFull, ShopError, UsageError
from mercer.shop import content_hash, disk_errors

__all__ = ["VectorCache"]

SLAB = 2048
"""Texts encoded between two commits: what a killed process has to encode again."""

ASKED = 500
"""Keys in one question to SQLite."""

Vectors = NDArray[np.float32]


class VectorCache:
    """Vectors on disk, one SQLite file an encoder, keyed by a hash of the side and the text.

    SQLite in WAL mode: a killed process loses at most its last `SLAB` texts, several processes may share the folder,
    and the folder may be deleted at any time. 100,000 vectors of 384 numbers take 160 MB.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is opened or written before `encode`."""
        self.folder = folder
        self.encoded = 0
        """Texts encoded since this object was made; each distinct text counts once."""
        self.reused = 0
        """Texts whose vector was known."""

    def encode(
        self, encoder: Encoder, texts: Iterable[str], *, side: Side = "passage", tick: Tick | None = None
    ) -> Vectors:
        """Vectors of `texts` in their order, (n, dimension); `tick` hears of every text, known or new.

        Raises:
            ShopError: the file is damaged or cannot be written.
            DiskFull: there is no room for new vectors; those committed before are kept.
        """
        if isinstance(texts, str):
            raise UsageError(f"texts is one string ({texts[:20]!r})", cure="give a list of strings")
        held = list(texts)
        keys = [_key(text, side) for text in held]
        vectors = np.empty((len(held), encoder.dimension), np.float32)
        with self._open(encoder.name if side == "query" else getattr(encoder, "passages", encoder.name)) as file:
            known = _read(file, keys, encoder.dimension)
            new: dict[bytes, str] = {}
            for key, text in zip(keys, held, strict=True):
                if key not in known:
                    new.setdefault(key, text)
            if tick is not None and len(held) > len(new):
                tick(len(held) - len(new))
            for slab in _slabs(list(new)):
                made = encoder([new[key] for key in slab], side=side, tick=tick)
                _write(file, slab, made)
                known.update(zip(slab, made, strict=True))
        for row, key in enumerate(keys):
            vectors[row] = known[key]
        self.encoded += len(new)
        self.reused += len(held) - len(new)
        return vectors

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[sqlite3.Connection]:
        slug = re.sub(r"\W+", "-", name)[:40]
        path = self.folder / f"{slug}-{content_hash(name)}.db"
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as file:
                file.execute("PRAGMA page_size = 16384")
                file.execute("PRAGMA journal_mode = WAL")
                file.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL)")
                yield file
        except sqlite3.DatabaseError as error:
            raise _explained(error, path) from error


def _explained(error: sqlite3.DatabaseError, path: Path) -> ShopError:
    """SQLite's words as an error with its cure; only a damaged file is one to delete."""
    said = str(error)
    if "full" in said:
        return DiskFull(f"no space is left on the disk of {path}", cure="free some space and run again")
    if "locked" in said:
        return ShopError(f"vector cache {path} is held by another process", cure="wait until it ends and run again")
    if "readonly" in said or "unable to open" in said:
        return ShopError(f"vector cache {path} cannot be written: {said}", cure="check its permissions")
    return ShopError(f"vector cache {path}: {said}", cure="delete that file; it is made again")


def _key(text: str, side: str) -> bytes:
    return hashlib.blake2b(f"{side}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _slabs(keys: Sequence[bytes], size: int = SLAB) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _read(file: sqlite3.Connection, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vectors]:
    """Known vectors; one of another length (a test's encoder, a damaged row) counts as unknown."""
    known: dict[bytes, Vectors] = {}
    for asked in _slabs(list(dict.fromkeys(keys)), ASKED):
        marks = ",".join("?" * len(asked))
        for key, blob in file.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", asked):  # noqa: S608  # marks only
            if len(blob) == 4 * dimension:
                known[key] = np.frombuffer(blob, "<f4")
    return known


def _write(file: sqlite3.Connection, keys: Sequence[bytes], vectors: Vectors) -> None:
    rows = [(key, vector.tobytes()) for key, vector in zip(keys, vectors.astype("<f4", copy=False), strict=True)]
    file.execute("BEGIN IMMEDIATE")
    try:
        file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        file.execute("COMMIT")
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise
