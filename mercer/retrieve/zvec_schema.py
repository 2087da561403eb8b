"""The index's fields, filters and errors, said in zvec's words."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mercer.errors import DiskFull, MissingExtra, ShopError, ShopLocked
from mercer.records import Filter
from mercer.retrieve.columns import NUMBERS
from mercer.retrieve.index import IndexSettings
from mercer.shop import disk_errors

__all__ = ["AT_ONCE", "FIELDS", "engine_errors", "expression", "hashed", "key", "open_engine", "refusal"]

FIELDS = ("words", "grams")
LARGEST = sys.float_info.max
"""zvec's language has no word for infinity."""
MOST_VALUES = 32
"""That zvec takes in one contain_any."""
LONGEST_KEY = 1024
"""Bytes of an id that zvec takes; nor does it take control characters."""


def key(id: str) -> str:
    """A product's id as zvec takes it: itself where it can be, else 128 bits of it."""
    if id.isprintable() and len(id.encode()) <= LONGEST_KEY:
        return id
    return "\u241b" + hashlib.blake2b(id.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def hashed(field: str, value: str) -> str:
    """A tag as zvec sees it: 48 bits, so that no value needs quoting and none can break out of an expression."""
    return hashlib.blake2b(f"{field}\0{value}".encode(errors="surrogatepass"), digest_size=6).hexdigest()


def expression(filters: Sequence[Filter]) -> str | None:
    """The filter in zvec's language; None where it cannot say it (ids)."""
    parts = []
    for wanted in filters:
        if wanted.field == "id":
            return None
        if wanted.field in NUMBERS:
            bounds = ((">=", wanted.low), ("<=", wanted.high))
            parts += [f"{wanted.field} {sign} {_finite(bound)!r}" for sign, bound in bounds if bound is not None]
        else:
            fields = ("category", "category_level") if wanted.field == "category" else (wanted.field,)
            values = [f'"{hashed(field, value)}"' for field in fields for value in wanted.values]
            some = (values[start : start + MOST_VALUES] for start in range(0, len(values), MOST_VALUES))
            parts.append("(" + " or ".join(f"tags contain_any ({', '.join(few)})" for few in some) + ")")
    return " and ".join(parts)


def _finite(bound: float) -> float:
    return float(max(-LARGEST, min(bound, LARGEST)))


THREADS = 64
"""Of the pool inside zvec (Arrow's, one a process), where its queries wait for one another."""
AT_ONCE = threading.BoundedSemaphore(THREADS // 4)
"""Held by each query. zvec 0.8 hangs for ever once every thread of its pool waits for another: with as many threads as
two cores have, four searchers and one writer hang within seconds, and with OMP_NUM_THREADS=1 a single searcher does."""


ROOM = 8 << 20
"""Free bytes below which a failure is put down to the disk: zvec does not say why it could not write."""


@contextlib.contextmanager
def engine_errors(folder: Path) -> Iterator[None]:
    """What zvec throws, as errors that say what to do."""
    try:
        with disk_errors(folder):
            yield
    except (RuntimeError, ValueError, KeyError) as error:
        raise refusal(folder, f"the index in {folder} failed: {error}") from error


def refusal(folder: Path, problem: str) -> ShopError:
    """The error for something that zvec would not do."""
    if shutil.disk_usage(folder).free < ROOM:
        return DiskFull(f"no space is left on the disk of {folder}", cure="free some space and run again")
    return ShopError(problem, cure="build the index again: mercer index SHOP")


@functools.cache
def _ready() -> None:
    """Start zvec, and make its pool large: Arrow reads OMP_NUM_THREADS when it is first used, and never again."""
    import zvec

    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(THREADS)
    try:
        zvec.init(log_level=zvec.LogLevel.FATAL)
        with tempfile.TemporaryDirectory(prefix="mercer-") as folder:
            first = zvec.create_and_open(f"{folder}/first", schema(2, IndexSettings()))
            first.upsert(
                [zvec.Doc(id="1", fields={"words": "1", "grams": "1", "tags": ["1"]}, vectors={"vector": [1, 0]})]
            )
            first.query(
                zvec.Query("words", fts=zvec.Fts(match_string="1")), topk=1, filter="price > 0", output_fields=[]
            )
            first.close()
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def open_engine(path: Path, dimension: int, settings: IndexSettings, *, read_only: bool) -> Any:
    """Open the collection at `path`, or make it.

    Raises:
        ShopLocked: another process holds it.
        ShopError: its files are damaged.
    """
    try:
        import zvec
    except ModuleNotFoundError as error:
        raise MissingExtra("zvec", extra="dev", install="pip install zvec") from error
    _ready()
    try:
        with disk_errors(path):
            if path.exists():
                return zvec.open(str(path), zvec.CollectionOption(read_only=read_only))
            return zvec.create_and_open(str(path), schema(dimension, settings))
    except (RuntimeError, ValueError, KeyError) as error:
        if "lock" in str(error).lower():
            raise ShopLocked(f"{path} is held by another process", cure="stop it or wait until it ends") from error
        raise refusal(path.parent, f"{path} cannot be opened: {error}") from error


def schema(dimension: int, settings: IndexSettings) -> Any:
    """Fields: two of text, three of numbers, one of tags, one vector.

    Numbers have no index of their own: with zvec 0.8's range index a query fails as soon as a product that meets the
    bounds has not been merged, and reading them all is as fast (40,000 products: 1.4 ms, with the index 1.4 ms).
    """
    import zvec
    from zvec import DataType, FieldSchema

    text = zvec.FtsIndexParam(tokenizer_name="whitespace", filters=[])
    graph = zvec.HnswIndexParam(metric_type=zvec.MetricType.IP, m=settings.links, ef_construction=settings.building)
    return zvec.CollectionSchema(
        name="products",
        fields=[
            *(FieldSchema(name, DataType.STRING, index_param=text) for name in FIELDS),
            *(FieldSchema(name, DataType.DOUBLE, nullable=True) for name in NUMBERS),
            FieldSchema("tags", DataType.ARRAY_STRING, index_param=zvec.InvertIndexParam()),
        ],
        vectors=[zvec.VectorSchema("vector", DataType.VECTOR_FP32, dimension, index_param=graph)],
    )
