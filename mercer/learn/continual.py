"""The live encoder and what happened since in; the next version, which knows both, with its matrix, out."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.encode.cache import VectorCache
from mercer.encode.encoder import Encoder
from mercer.encode.model import Model, read
from mercer.errors import DataError, UsageError
from mercer.learn import ranks
from mercer.learn.mine import Found, negatives, pool_of
from mercer.learn.pairs import gains_of, joined
from mercer.learn.pairs.pair import rows_of, to_pairs
from mercer.learn.pool import Pool
from mercer.learn.precision import device, precision_of
from mercer.learn.rehearse import buffer, keeper
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Task
from mercer.learn.tower import build
from mercer.learn.tune import Tick, Tuned, tune
from mercer.measure.matrix import Matrix
from mercer.records import Product
from mercer.retrieve.text import passage
from mercer.shop import Shop, content_hash, write_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Memory", "Since", "learn_since", "remembered"]

FILE, REHEARSED = "periods.json", "rehearsed.parquet"
ASKED, DEPTH, MINED = 60, 40, 4
"""Queries of a period that a version is measured on; how many of the best are ranked beside judged ones; negatives."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a version carries on to the next: held-out queries of every period, and pairs to rehearse."""

    valid: Mapping[str, Mapping[str, Mapping[str, float]]]
    test: Mapping[str, Mapping[str, Mapping[str, float]]]
    """Period → query → product → gain."""
    rehearsed: pa.Table
    groups: frozenset[str]
    """Of held-out queries, which no later version may learn from."""


@dataclass(frozen=True, slots=True)
class Since:
    """The next version."""

    version: str
    folder: Path
    tuned: Tuned
    matrix: Matrix
    fresh: int
    """New pairs that were learned from."""


def remembered(folder: Path, period: str, parts: Mapping[str, pa.Table], settings: LearnSettings) -> Memory:
    """What the version in `folder` carries; of one that was learned from scratch, its data's `parts` as one period."""
    import pyarrow.parquet as pq

    if (folder / FILE).exists():
        told = json.loads((folder / FILE).read_text("utf-8"))
        kept = pq.read_table(folder / REHEARSED)
        valid, test = ({name: told[part][name] for name in told["periods"]} for part in ("valid", "test"))
        return Memory(valid, test, kept, frozenset(told["groups"]))
    held = {group for part in ("valid", "test") for group in parts[part]["group"].to_pylist()}
    valid, test = ({period: gains_of(parts[part])} for part in ("valid", "test"))
    return Memory(valid, test, buffer(parts["train"], settings.rehearse, seed=settings.seed), frozenset(held))


def learn_since(
    shop: Shop,
    *,
    base: Model,
    encoder: Encoder,
    memory: Memory,
    fresh: Mapping[str, pa.Table],
    period: str,
    products: Mapping[str, Product],
    settings: LearnSettings,
    card: Mapping[str, Any],
    seconds: float = math.inf,
    tick: Tick | None = None,
) -> Since:
    """Tune the version before on new pairs while it rehearses, and keep what comes out. It is not made live here.

    Args:
        shop: keeps the model.
        base: the version before, and `encoder` the same as it serves.
        memory: see `remembered`.
        fresh: train, valid and test of the new pairs.
        period: name of what is new.
        products: as they are for sale now.
        settings: see there; ``rehearse`` above all.
        card: what else its card says, with ``continual`` of the version before where it has one.
        seconds, tick: see `tune`.

    Raises:
        DataError: nothing new to learn from. UsageError: several processes.
    """
    if ranks.world() > 1:
        raise UsageError("learning since the last version runs in one process", cure="call mercer without torchrun")
    if not len(fresh["train"]):
        raise DataError(f"period {period} has no new pair to learn from", cure="learn when there are new events")
    began, rehearse = time.monotonic(), settings.rehearse
    texts = {id: passage(product) for id, product in products.items()}
    rehearsed = _sold(memory.rehearsed, texts)
    new = gains_of(fresh["test"])
    valid, test = (
        {**old, period: more} for old, more in ((memory.valid, gains_of(fresh["valid"])), (memory.test, new))
    )
    found = _found(shop, encoder, texts, [fresh["train"]], [valid, test])
    pools = {name: _pool(queries, found, texts, settings.seed) for name, queries in test.items()}
    tasks = _tasks(fresh["train"], rehearsed, found, texts, settings)
    hold = keeper(rehearsed, tasks[1:], rehearse, passages=settings.batch * settings.passages,
                  temperature=settings.temperature, margin=settings.margin, seed=settings.seed)  # fmt: skip
    chosen = {query: gains for queries in valid.values() for query, gains in queries.items()}
    share = 1 - tasks[-1].share * (len(tasks) > 1)  # as many steps as without rehearsal
    own = dataclasses.replace(settings, epochs=max(0.01, rehearse.epochs * share))
    data = content_hash(*(str(table.to_pydict()) for table in (fresh["train"], rehearsed)))
    version = (
        f"encoder/{content_hash(data, base.hash, json.dumps(dataclasses.asdict(settings), sort_keys=True), period)}"
    )
    work = shop.store / "work" / version
    with shop.writing("models") as folder:
        tuned = tune(base, tasks, own, folder=folder, work=work, pool=_pool(chosen, found, texts, settings.seed),
                     seconds=seconds, tick=tick, beside=hold)  # fmt: skip
        seconds_taken = time.monotonic() - began
        matrix = _matrix(card, base, read(folder), pools, settings=settings, version=version, seconds=seconds_taken)
        kept = buffer(joined(rehearsed, fresh["train"]), rehearse, seed=settings.seed)
        groups = memory.groups | {one for part in ("valid", "test") for one in fresh[part]["group"].to_pylist()}
        _keep(folder, Memory(valid, test, kept, frozenset(groups)))
        told = {"data": data, "dimension": encoder.dimension, "settings": dataclasses.asdict(settings),
                "seed": settings.seed, "continual": matrix.json(), "training": _plain(tuned)}  # fmt: skip
        shop.keep("models", folder, {**card, **told}, version=version)
    shutil.rmtree(work, ignore_errors=True)
    return Since(version, shop.path("models", version), tuned, matrix, len(fresh["train"]))


def _tasks(
    train: pa.Table, rehearsed: pa.Table, found: Found, texts: Mapping[str, str], settings: LearnSettings
) -> list[Task]:
    mined = negatives(train, found, texts, each=MINED, seed=settings.seed)
    share = settings.rehearse.share if len(rehearsed) else 0.0
    first = Task("fresh", joined(train, mined), settings.objective, 1 - share, settings.passages)
    return [first, Task("rehearsed", rehearsed, settings.objective, share, settings.passages)] if share else [first]


def _sold(pairs: pa.Table, texts: Mapping[str, str]) -> pa.Table:
    """Pairs of products that are still there, with the text that they have now."""
    import pyarrow as pa

    kept = rows_of(pairs, (row for row, product in enumerate(pairs["product"].to_pylist()) if product in texts))
    named = pa.array([texts[product] for product in kept["product"].to_pylist()], pa.string())
    return kept.set_column(kept.column_names.index("text"), "text", named)


def _found(
    shop: Shop, encoder: Encoder, texts: Mapping[str, str], trained: Sequence[pa.Table],
    held: Sequence[Mapping[str, Mapping[str, Any]]],
) -> Found:  # fmt: skip
    ids = list(texts)
    vectors = VectorCache(shop.cache).encode(encoder, texts.values())
    asked = {query for table in trained for query in table["query"].to_pylist()}
    asked |= {query for periods in held for queries in periods.values() for query in queries}
    queries = sorted(asked)
    return Found(ids, vectors, dict(zip(queries, encoder(queries, side="query"), strict=True)))


def _pool(truth: Mapping[str, Mapping[str, float]], found: Found, texts: Mapping[str, str], seed: int) -> Pool | None:
    """Held-out queries with what is ranked for them; those whose products are all gone are left out."""
    rows = [(query, product, texts[product], gain, 1.0, query, None, "held", "")
            for query, gains in truth.items() for product, gain in gains.items() if product in texts]  # fmt: skip
    chosen = pool_of(to_pairs(rows), found, queries=ASKED, depth=DEPTH, seed=seed) if rows else {}
    if not chosen:
        return None
    candidates = {query: list(known["candidates"]) for query, known in chosen.items()}
    shown = {product: texts[product] for products in candidates.values() for product in products}
    return Pool({query: query for query in chosen}, {query: known["truth"] for query, known in chosen.items()},
                candidates, shown)  # fmt: skip


def _matrix(
    card: Mapping[str, Any], base: Model, after: Model, pools: Mapping[str, Pool | None], *, settings: LearnSettings,
    version: str, seconds: float,
) -> Matrix:  # fmt: skip
    """The matrix of the version before with one more row and column; of a first one, two periods and two rows."""
    row, before = (_figures(model, pools, settings) for model in (after, base))
    *known, period = pools
    if told := card.get("continual"):
        old = Matrix.of_json(told)
        older = [math.nan] * (len(old.versions) - 1) + [before[period]]
        return old.with_version(version, period, list(row.values()), older, seconds=seconds)
    lacking = (math.nan,) * len(pools)  # nobody asked what the first version had started from
    rows = (lacking, tuple(before.values()), tuple(row.values()))
    return Matrix(("start", base.label, version), (*known, period), rows, "nDCG@10", (math.nan, seconds))


def _figures(model: Model, pools: Mapping[str, Pool | None], settings: LearnSettings) -> dict[str, float]:
    tower = build(model, length=settings.length)
    tower.to(device())
    tower.precision = precision_of(settings.precision)
    return {name: math.nan if pool is None else float(np.float64(pool(tower))) for name, pool in pools.items()}


def _keep(folder: Path, memory: Memory) -> None:
    import pyarrow.parquet as pq

    told = {"periods": list(memory.test), "valid": memory.valid, "test": memory.test, "groups": sorted(memory.groups)}
    write_json(folder / FILE, told)
    pq.write_table(memory.rehearsed, folder / REHEARSED)


def _plain(tuned: Tuned) -> dict[str, Any]:
    told = dataclasses.asdict(tuned)
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in told.items()
    }
