"""A shop's pairs and a base model in; a tuned encoder among the shop's models, with its card, out."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.encode.cache import VectorCache
from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.errors import DataError, UsageError
from mercer.learn.distil import taught
from mercer.learn.gather import Gathered
from mercer.learn.mine import Found, negatives, pool_of
from mercer.learn.pairs import joined
from mercer.learn.pool import Pool
from mercer.learn.settings import LearnSettings
from mercer.learn.soup_runs import tune_runs
from mercer.learn.steadied import augment_of, steadied
from mercer.learn.step import Task
from mercer.learn.tune import Tick, Tuned
from mercer.rank.reranker import Reranker
from mercer.retrieve.text import passage
from mercer.shop import Shop, content_hash

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Learned", "found_by", "learn_encoder", "tasks_of"]

LAYOUT = 1
"""Of a learned version; another layout is another version."""
JUDGED_BY, DEPTH = 60, 40
"""Validation queries that are ranked, and how many of the base's best are ranked for each beside the judged ones."""
MINED = 4
"""Wrong answers that look right, for each labelled query."""
STEADYING = 0.4
"""Share of the time that the last stage, which steadies queries against mistakes, may take."""
REPORTED = 30
"""Test queries that the report of mistakes asks."""
ON_TEACHING = 0.3
"""Share of the time that a teacher may read pairs in."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A tuned encoder."""

    version: str
    """Among the shop's models: ``encoder/`` and the hash of data, base and settings."""
    folder: Path
    tuned: Tuned | None
    """None where the same version was there already."""


def learn_encoder(
    shop: Shop,
    gathered: Gathered,
    base: Model,
    encoder: Encoder,
    settings: LearnSettings,
    *,
    teacher: Reranker | None = None,
    seconds: float = math.inf,
    budget: float = math.inf,
    tick: Tick | None = None,
) -> Learned:
    """Tune `base` on the pairs of a shop. It is not made live here.

    Args:
        shop: keeps the model.
        gathered: pairs, see `gather`.
        base: where training starts.
        encoder: the same model as it serves; it finds candidates and hard negatives.
        settings: see there.
        teacher: a cross-encoder, which objective distil needs.
        seconds: most time it may take.
        budget: seconds that the owner gave for everything, part of the version's name as it decides how many steps
            there are; a run that was killed goes on when it is called again with the same.
        tick: told step, steps in all and the last figures.

    Raises:
        UsageError, DataError: objective distil without a teacher, or without labels.
        DataError, ModelError: see `tune`.
    """
    if "distil" in settings.objective:
        _need(teacher, gathered)
    started = time.monotonic()
    named = {"budget": budget, "teacher": teacher.name if teacher is not None else ""}
    told = json.dumps({**dataclasses.asdict(settings), **named}, sort_keys=True)
    version = f"encoder/{content_hash(gathered.hash, base.hash, told, str(LAYOUT))}"
    if version in shop.versions("models"):
        return Learned(version, shop.path("models", version), None)
    texts = {id: passage(product) for id, product in gathered.products.items()}
    found = found_by(shop, encoder, gathered, texts)
    tasks = tasks_of(gathered, found, texts, settings)
    if teacher is not None:
        tasks = _taught(tasks, teacher, settings.seed, ON_TEACHING * (seconds - (time.monotonic() - started)))
    work = shop.store / "work" / version
    with shop.writing("models") as folder:
        augment = augment_of(shop, gathered, settings) if settings.augment.share or settings.consistent.steps else None
        left = (1 - STEADYING * bool(settings.consistent.steps)) * (seconds - (time.monotonic() - started))
        pool = _pool(gathered.parts["valid"], found, texts, settings.seed)
        tuned = tune_runs(
            base, tasks, settings, folder=folder, work=work, pool=pool, seconds=left, tick=tick, augment=augment
        )
        card = _card(gathered, base, encoder, settings, tuned) | ({"teacher": teacher.name} if teacher else {})
        if settings.consistent.steps and augment is not None:
            held = _held_out(gathered, encoder, found, texts, settings.seed)
            left = STEADYING * (seconds - (time.monotonic() - started))
            steadying = steadied(folder, work, gathered, settings, augment=augment, pool=held, seconds=left, tick=tick)
            card |= {"perturbed": steadying}
        shop.keep("models", folder, card, version=version)
    shutil.rmtree(work, ignore_errors=True)
    return Learned(version, shop.path("models", version), tuned)


def tasks_of(gathered: Gathered, found: Found, texts: Mapping[str, str], settings: LearnSettings) -> list[Task]:
    """Labelled pairs with mined negatives first, where there are any; then invented ones."""
    invented = Task("catalogue", gathered.invented["train"], ("contrastive",), 1.0, 1)
    if not gathered.has_labels:
        return [invented]
    train = gathered.labelled["train"]
    mined = negatives(train, found, texts, each=MINED, seed=settings.seed)
    share = settings.catalogue_share
    labelled = Task("labelled", joined(train, mined), settings.objective, 1 - share, settings.passages)
    return [labelled, dataclasses.replace(invented, share=share)] if share else [labelled]


def _need(teacher: Reranker | None, gathered: Gathered) -> None:
    if teacher is None:
        raise UsageError("objective distil has no teacher", cure="give a reranker")
    if not gathered.has_labels:
        cure = "give judgments or events, or take objective contrastive alone"
        raise DataError("objective distil has no labelled query whose products a teacher could compare", cure=cure)


def _taught(tasks: list[Task], teacher: Reranker, seed: int, seconds: float) -> list[Task]:
    """The labelled task with what the teacher thinks of its pairs, of as many queries as it reads in the time."""
    first, *rest = tasks
    return [dataclasses.replace(first, pairs=taught(first.pairs, teacher, seed=seed, seconds=seconds)), *rest]


def found_by(shop: Shop, encoder: Encoder, gathered: Gathered, texts: Mapping[str, str]) -> Found:
    """What the base makes of every product and of every query that is mined for or chosen by."""
    ids = list(texts)
    vectors = VectorCache(shop.cache).encode(encoder, texts.values())
    asked = {*gathered.labelled["train"]["query"].to_pylist(), *gathered.parts["valid"]["query"].to_pylist()}
    queries = sorted(asked)
    return Found(ids, vectors, dict(zip(queries, encoder(queries, side="query"), strict=True)))


def _pool(
    pairs: pa.Table, found: Found, texts: Mapping[str, str], seed: int, *, queries: int = JUDGED_BY
) -> Pool | None:
    chosen = pool_of(pairs, found, queries=queries, depth=DEPTH, seed=seed)
    if not chosen:
        return None
    truth = {query: known["truth"] for query, known in chosen.items()}
    candidates = {query: list(known["candidates"]) for query, known in chosen.items()}
    shown = {product: texts[product] for products in candidates.values() for product in products}
    return Pool({query: query for query in chosen}, truth, candidates, shown)


def _held_out(gathered: Gathered, encoder: Encoder, found: Found, texts: Mapping[str, str], seed: int) -> Pool | None:
    """Test queries, which nothing is learned from or chosen by, for the report of mistakes."""
    pairs = gathered.parts["test"]
    asked = sorted(set(pairs["query"].to_pylist()))
    known = Found(found.ids, found.products, dict(zip(asked, encoder(asked, side="query"), strict=True)))
    return _pool(pairs, known, texts, seed, queries=REPORTED)


def _card(
    gathered: Gathered, base: Model, encoder: Encoder, settings: LearnSettings, tuned: Tuned
) -> dict[str, object]:
    return {
        "checked": gathered.checked,
        "data": gathered.hash,
        "pairs": gathered.counts(),
        "notes": list(gathered.notes),
        "base": {"name": encoder.name, "label": base.label, "hash": base.hash},
        "dimension": encoder.dimension,
        "settings": dataclasses.asdict(settings),
        "seed": settings.seed,
        "training": {
            name: value if not isinstance(value, float) or math.isfinite(value) else None
            for name, value in dataclasses.asdict(tuned).items()
        },
    }
