"""Two checked versions in; pairs of the judgments and events that only the later one has out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.learn.pairs import from_events, from_judgments, joined
from mercer.learn.pairs.pair import rows_of
from mercer.learn.settings import LearnSettings
from mercer.measure.metric import parse_gains
from mercer.quality.exposure import propensity
from mercer.records import Product
from mercer.shop import Shop

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["catalogue", "fresh_pairs", "parted"]

NEW = """
COPY (SELECT * FROM read_parquet($later) l
      WHERE NOT EXISTS (SELECT 1 FROM read_parquet($earlier) e WHERE e.event_id = l.event_id))
TO {path} (FORMAT parquet)
"""
"""Events are told apart by their id; a row that came again is no new event."""


def catalogue(shop: Shop, checked: str) -> dict[str, Product]:
    """Product id → product, of a checked version."""
    return {str(row["id"]): Product.from_row(row) for row in _rows(shop.path("checked", checked), "products")}


def fresh_pairs(
    shop: Shop, earlier: str, later: str, products: Mapping[str, Product], settings: LearnSettings
) -> pa.Table:
    """Pairs of `pairs.schema()`, of judgments that are new or have another grade, and of new events alone.

    Evidence of a click counts from zero again: what was learned from the days before is in the weights already.
    """
    before, after = shop.path("checked", earlier), shop.path("checked", later)
    gains = parse_gains(settings.gains) if settings.gains else None
    old, new = (_judged(folder, products, gains) for folder in (before, after))
    known = set(_keys(old))
    judged = rows_of(new, (row for row, key in enumerate(_keys(new)) if key not in known))
    done = _behaviour(before, after, products, settings)
    groups = set(judged["group"].to_pylist())
    unjudged = [row for row, group in enumerate(done["group"].to_pylist()) if group not in groups]
    return joined(judged, rows_of(done, unjudged))


def parted(pairs: pa.Table, settings: LearnSettings, *, tested: Set[str] = frozenset()) -> dict[str, pa.Table]:
    """train, valid and test, by group; groups that are `tested` already stay out of training.

    Which part a group is in depends on its name and the seed alone: one that comes again tomorrow is there again.
    """
    import hashlib

    shares = []
    for group in pairs["group"].to_pylist():
        digest = hashlib.blake2b(f"{settings.seed} {group}".encode(), digest_size=8).digest()
        shares.append(0.0 if group in tested else int.from_bytes(digest, "big") / 2**64)
    test, valid = settings.test, settings.test + settings.valid
    place = ["test" if one < test else "valid" if one < valid else "train" for one in shares]
    return {
        part: rows_of(pairs, (row for row, mine in enumerate(place) if mine == part))
        for part in ("train", "valid", "test")
    }


def _behaviour(before: Path, after: Path, products: Mapping[str, Product], settings: LearnSettings) -> pa.Table:
    import json

    import duckdb

    manifest = after / "manifest.json"
    told: dict[str, Any] = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
    asked: dict[str, Any] = {"propensity": propensity(told), "settings": settings.behaviour}
    events, earlier = after / "events.parquet", before / "events.parquet"
    if not (events.exists() and earlier.exists()):
        return from_events(events, after / "queries.parquet", products, **asked)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as engine:
        path = Path(folder) / "events.parquet"
        engine.execute(NEW.format(path="'" + str(path).replace("'", "''") + "'"),
                       {"later": str(events), "earlier": str(earlier)})  # fmt: skip
        return from_events(path, after / "queries.parquet", products, **asked)


def _judged(folder: Path, products: Mapping[str, Product], gains: Mapping[float, float] | None) -> pa.Table:
    queries = {str(row["query_id"]): row["text"] or "" for row in _rows(folder, "queries")}
    return from_judgments(_rows(folder, "judgments"), queries, products, gains=gains)


def _keys(pairs: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(pairs[name].to_pylist() for name in ("query", "product", "gain")), strict=True))


def _rows(folder: Path, family: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    path = folder / f"{family}.parquet"
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist() if path.exists() else []
    return found
