"""A model, a shop's texts and settings in; the compressed model and what each step did out."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.cache import VectorCache
from mercer.encode.choose import EncodeSettings
from mercer.encode.compress.dimension import cut, rotation, shortened, truncation
from mercer.encode.compress.distil import distil, with_table
from mercer.encode.compress.invent import invent
from mercer.encode.compress.judge import Judge, Metric, Quality
from mercer.encode.compress.layers import drop, spread
from mercer.encode.compress.quantise import quantise
from mercer.encode.compress.settings import CompressSettings
from mercer.encode.compress.step import State, Step, lost, opened, state, within
from mercer.encode.compress.trim import outside, trim
from mercer.encode.encoder import Encoder
from mercer.encode.model import Model
from mercer.encode.source import KNOWN, default_cache, resolve
from mercer.errors import ModelError, UsageError

__all__ = ["Corpus", "Heal", "compress"]

Heal = Callable[[Model, Encoder, Path], Model]
"""A model that lost layers, the encoder it should agree with again and a new folder in; the healed model out."""
Tick = Callable[[str], None]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a shop has to tell by and to learn from."""

    queries: Mapping[str, str]
    """Query id → text."""
    products: Mapping[str, str]
    """Product id → what the encoder reads of it."""
    titles: Sequence[str]
    metric: Metric | None = None
    """Of queries with grades, where there are any."""
    judged: frozenset[str] = frozenset()
    """Products that somebody graded: always on the shelf."""


@dataclass(slots=True)
class _Run:
    """What steps hand on: the model so far, open, with its vectors of the shelf and its figures."""

    corpus: Corpus
    settings: CompressSettings
    encode: EncodeSettings
    work: Path
    judge: Judge
    model: Model
    encoder: Encoder
    products: Vectors
    now: State
    steps: list[Step]

    @property
    def length(self) -> int:
        """Longest text in word pieces."""
        return min(self.encode.max_length, self.model.positions)

    def take(
        self, name: str, model: Model, facts: Mapping[str, Any], *, products: Vectors | None = None, limit: float = -1
    ) -> None:
        """Open and measure what a step made, hold it against what was before, and go on with it."""
        encoder = opened(model, self.encode)
        made = encoder(list(self.judge.shelf.values())) if products is None else products
        after = state(model, encoder, self.judge, made)
        self.steps.append(within(name, self.now, after, limit if limit >= 0 else self.settings.limit, facts))
        self.model, self.encoder, self.products, self.now = model, encoder, made, after


def compress(
    model: Model,
    corpus: Corpus,
    settings: CompressSettings,
    folder: Path,
    *,
    work: Path,
    encode: EncodeSettings,
    heal: Heal | None = None,
    cache: VectorCache | None = None,
    tick: Tick | None = None,
) -> list[Step]:
    """Take the steps that `settings` asks for, in their order, and write the last model into `folder`.

    Args:
        model: the full one.
        corpus: of the shop.
        settings: see there.
        folder: of the result; its files are added to it.
        work: an empty folder on the same disk for what is between.
        encode: how models are opened; the source is not looked at.
        heal: what makes up for lost layers.
        cache: where the full model's vectors of products may be known from an index.
        tick: told each step's name before it starts.

    Raises:
        UsageError: no step is asked for.
        DataError: there is nothing to tell quality by.
        ModelError: a step lost more than its limit, or the model cannot be compressed in that way.
    """
    wanted = [(name, take) for name, asked, take in _PLAN if asked(settings)]
    if not wanted:
        raise UsageError("nothing to do", cure="name a step: --trim, --layers, --dimension, --int8 or --static")
    if tick is not None:
        tick("full model")
    run = _started(model, corpus, settings, work, encode, cache=cache)
    for name, take in wanted:
        if tick is not None:
            tick(name)
        take(run, heal)
    for path in run.model.folder.iterdir():
        kept = path.name not in ("card.json", "onnx")
        if kept:
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / path.name)
    return run.steps


def _started(
    model: Model,
    corpus: Corpus,
    settings: CompressSettings,
    work: Path,
    encode: EncodeSettings,
    *,
    cache: VectorCache | None,
) -> _Run:
    rng = random.Random(settings.seed)
    asked = sorted(corpus.queries)
    asked = sorted(rng.sample(asked, min(len(asked), settings.judged_by)))
    shelf = sorted(id for id in corpus.judged if id in corpus.products)
    others = sorted(corpus.products.keys() - set(shelf))
    shelf += rng.sample(others, min(len(others), max(settings.shelf - len(shelf), 0)))
    texts = {id: corpus.products[id] for id in sorted(shelf)}
    encoder = opened(model, encode, source=_known(model, encode))
    vectors = cache.encode(encoder, texts.values()) if cache is not None else None
    questions = {id: corpus.queries[id] for id in asked}
    judge = Judge(encoder, questions, texts, metric=corpus.metric, vectors=vectors)
    now = state(model, encoder, judge, judge.products)
    return _Run(corpus, settings, encode, work, judge, model, encoder, judge.products, now, [])


def _known(model: Model, encode: EncodeSettings) -> str:
    """The short name of a model that packages carry: an index knows its vectors under it, not under a folder's."""
    if model.label not in KNOWN:
        return ""
    cache = Path(encode.cache).expanduser() if encode.cache else default_cache()
    same = resolve(model.label, cache=cache, timeout=encode.hub_timeout).hash == model.hash
    return model.label if same else ""


def _trim(run: _Run, _: Heal | None) -> None:
    """Vectors are the same, which `trim` makes sure of by the pieces: only queries are encoded again."""
    texts = [*run.corpus.products.values(), *run.corpus.titles, *run.corpus.queries.values()]
    length = run.length
    made = trim(run.model, run.work / "trim", texts, extra=run.settings.extra, length=length)
    alone = [*run.corpus.products.values(), *run.corpus.titles]
    blind = trim(run.model, run.work / "blind", alone, extra=run.settings.extra, length=length)
    unseen = outside(run.model, blind, list(run.corpus.queries.values()), length=length)
    shutil.rmtree(blind.model.folder)
    facts = {"pieces_before": made.before, "pieces": made.after, "unseen_queries_outside": round(unseen, 4)}
    run.take("trim", made.model, facts, products=run.products)


def _layers(run: _Run, heal: Heal | None) -> None:
    keep = spread(int(run.model.config["num_hidden_layers"]), run.settings.layers)
    made = drop(run.model, run.work / "dropped", keep=keep)
    facts: dict[str, Any] = {"layers": keep}
    if heal is not None:
        encoder = opened(made, run.encode)
        facts["before_healing"] = round(1 - lost(run.now.quality, run.judge(encoder)), 4)
        made = heal(made, run.encoder, run.work / "healed")
    run.take("layers", made, facts)


def _dimension(run: _Run, _: Heal | None) -> None:
    """Truncation where that is enough, since prefixes of vectors already kept then still fit; else a rotation."""
    asked = run.encoder(list(run.judge.queries.values()), side="query")
    width = run.settings.dimension
    if not 1 <= width <= run.model.dimension:
        raise ModelError(f"dimension {width}", cure=f"give 1 to {run.model.dimension}")
    found: dict[str, tuple[NDArray[np.float32], Quality]] = {}
    for name, matrix in (
        ("truncated", truncation(run.model.dimension, width)),
        ("rotated", rotation(np.concatenate([run.products, asked]), width)),
    ):
        found[name] = matrix, run.judge.compare(shortened(asked, matrix), shortened(run.products, matrix))
    name = "truncated"
    if lost(run.now.quality, found[name][1]) > run.settings.limit:
        name = max(found, key=lambda one: found[one][1].figure)
    matrix = found[name][0]
    made = cut(run.model, run.work / "cut", matrix)
    figures = {f"{one}_figure": round(quality.figure, 4) for one, (_, quality) in found.items()}
    run.take("dimension", made, {"way": name, **figures}, products=shortened(run.products, matrix))


def _int8(run: _Run, _: Heal | None) -> None:
    rng = random.Random(run.settings.seed)
    every = sorted({*run.corpus.products.values(), *run.corpus.queries.values()})
    texts = rng.sample(every, min(len(every), run.settings.calibrate))
    vectors: dict[str, Vectors] = {}

    def loss(model: Model) -> float:
        encoder = opened(model, run.encode)
        asked = encoder(list(run.judge.queries.values()), side="query")
        first = lost(run.now.quality, run.judge.compare(asked, run.products))
        if first > run.settings.limit:  # queries alone lose too much: products need not be encoded
            return first
        vectors["products"] = encoder(list(run.judge.shelf.values()))
        return lost(run.now.quality, run.judge(encoder, products=vectors["products"]))

    made, tried = quantise(run.model, run.work / "int8", texts, length=run.length, limit=run.settings.limit, loss=loss)
    if made is None:
        best = min(one.loss for one in tried if one.loss is not None)
        raise ModelError(
            f"int8 lost {best:.2%} at best, the limit is {run.settings.limit:.2%}",
            cure="raise --limit, or leave --int8 out",
        )
    facts = {
        one.name: {"milliseconds": round(one.milliseconds, 2), "cosine": round(one.cosine, 5), "loss": one.loss}
        for one in tried
    }
    run.take("int8", made, {"tried": facts}, products=vectors["products"])


def _static(run: _Run, _: Heal | None) -> None:
    titles = run.corpus.titles
    invented = invent(titles, most=run.settings.invented, seed=run.settings.seed)
    held_out = set(run.judge.queries.values())
    own = [text for text in run.corpus.queries.values() if text not in held_out]
    length = run.length
    table = distil(run.model, run.encoder, [*own, *invented, *titles], length=length)
    made = with_table(run.model, run.work / "static", table)
    facts = {"distilled_from": len(own) + len(invented) + len(titles)}
    run.take("static", made, facts, products=run.products, limit=run.settings.static_limit)


_PLAN: tuple[tuple[str, Callable[[CompressSettings], Any], Callable[[_Run, Heal | None], None]], ...] = (
    ("trim", lambda settings: settings.trim, _trim),
    ("layers", lambda settings: settings.layers, _layers),
    ("dimension", lambda settings: settings.dimension, _dimension),
    ("int8", lambda settings: settings.int8, _int8),
    ("static", lambda settings: settings.static, _static),
)
