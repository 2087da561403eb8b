"""A shop's pairs, its index and a base model in; a cross-encoder among the shop's models, with its card, out."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.encode import Encoder
from mercer.encode.model import Model
from mercer.learn.encoder import Learned
from mercer.learn.gather import Gathered
from mercer.learn.hard import Rankings, first_stage, hard
from mercer.learn.pairs import gains_of, joined
from mercer.learn.pool import Pool
from mercer.learn.reranker import DEFAULTS, RerankerSettings, tune_reranker
from mercer.learn.run import Tick, Tuned
from mercer.learn.settings import LearnSettings
from mercer.retrieve.index import Index
from mercer.retrieve.text import passage
from mercer.shop import Shop, content_hash

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["learn_reranker"]

LAYOUT = 1
"""Of a learned version; another layout is another version."""
JUDGED_BY, DEPTH = 40, 30
"""Validation queries that are ranked, and how many of the first stage's best are ranked for each beside the judged."""
INVENTED = 2000
"""Invented queries that wrong answers are mined for: more than most budgets get to see."""
MINED = 6
"""Wrong answers that look right, for each query."""
JUDGED_FROM, INVENTED_FROM = 5, 2
"""Places of the first stage above which an unjudged product is taken for a right answer that nobody judged."""
LAST = 50
"""Place of the first stage up to which wrong answers are drawn: what is reranked in serving."""


def learn_reranker(
    shop: Shop,
    gathered: Gathered,
    base: Model,
    *,
    index: Index,
    encoder: Encoder,
    settings: LearnSettings,
    own: RerankerSettings = DEFAULTS,
    seconds: float = math.inf,
    budget: float = math.inf,
    tick: Tick | None = None,
) -> Learned:
    """Train a cross-encoder on the pairs of a shop. It is not made live here: `doors.build` takes its version.

    Args:
        shop: keeps the model, as ``reranker/`` and the hash of data, base and settings.
        gathered: pairs, see `gather`.
        base: the encoder, tuned or not, or the reranker where training starts.
        index, encoder: the first stage, which finds wrong answers that look right.
        settings: see there.
        own: see there.
        seconds: most time it may take.
        budget: seconds that the owner gave for everything, part of the version's name as it decides how many steps
            there are; a run that was killed goes on when it is called again with the same.
        tick: told step, steps in all and the last figures.

    Raises:
        DataError, ModelError: see `tune_reranker`.
    """
    started = time.monotonic()
    told = json.dumps({**dataclasses.asdict(settings), "own": dataclasses.asdict(own), "budget": budget})
    version = f"reranker/{content_hash(gathered.hash, base.hash, encoder.name, told, str(LAYOUT))}"
    if version in shop.versions("models"):
        return Learned(version, shop.path("models", version), None)
    texts = {id: passage(product) for id, product in gathered.products.items()}
    labelled, invented = gathered.labelled["train"], _some(gathered.invented["train"], settings.seed)
    chosen = _chosen(gathered.parts["valid"], settings.seed)
    asked = [query for table in (labelled, invented, chosen) for query in table["query"].to_pylist()]
    rankings = first_stage(index, encoder, asked, k=LAST)
    invented = _mined(invented, rankings, texts, INVENTED_FROM, settings.seed)
    pairs = _mined(labelled, rankings, texts, JUDGED_FROM, settings.seed) if gathered.has_labels else invented
    work = shop.store / "work" / version
    with shop.writing("models") as folder:
        tuned = tune_reranker(
            base,
            pairs,
            settings,
            own,
            folder=folder,
            work=work,
            invented=invented if gathered.has_labels else None,
            pool=_pool(chosen, rankings, texts),
            seconds=seconds - (time.monotonic() - started),
            tick=tick,
        )
        card = _card(gathered, base, settings, own, tuned)
        shop.keep("models", folder, card | {"first_stage": encoder.name}, version=version)
    shutil.rmtree(work, ignore_errors=True)
    return Learned(version, shop.path("models", version), tuned)


def _some(pairs: pa.Table, seed: int) -> pa.Table:
    """Pairs of at most `INVENTED` queries."""
    return _drawn(pairs, INVENTED, seed)


def _chosen(pairs: pa.Table, seed: int) -> pa.Table:
    """Pairs of at most `JUDGED_BY` queries that have a right answer."""
    import pyarrow.compute as pc

    right = pairs.filter(pc.greater(pairs["gain"], 0))["query"]
    return _drawn(pairs.filter(pc.is_in(pairs["query"], right.combine_chunks())), JUDGED_BY, seed)


def _drawn(pairs: pa.Table, most: int, seed: int) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    queries = sorted(set(pairs["query"].to_pylist()))
    if len(queries) <= most:
        return pairs
    kept = np.random.default_rng([seed, 5]).choice(len(queries), most, replace=False)
    return pairs.filter(pc.is_in(pairs["query"], pa.array([queries[at] for at in kept])))


def _mined(pairs: pa.Table, rankings: Rankings, texts: Mapping[str, str], first: int, seed: int) -> pa.Table:
    return joined(pairs, hard(pairs, rankings, texts, each=MINED, places=(first, LAST), seed=seed))


def _pool(pairs: pa.Table, rankings: Rankings, texts: Mapping[str, str]) -> Pool | None:
    known = gains_of(pairs).items()
    truth = {query: gains for query, all_ in known if (gains := {id: all_[id] for id in all_ if id in texts})}
    if not truth:
        return None
    candidates = {query: sorted({*gains, *rankings[query][:DEPTH]} & texts.keys()) for query, gains in truth.items()}
    return Pool({query: query for query in truth}, truth, candidates, texts)


def _card(
    gathered: Gathered, base: Model, settings: LearnSettings, own: RerankerSettings, tuned: Tuned
) -> dict[str, Any]:
    return {
        "checked": gathered.checked,
        "data": gathered.hash,
        "pairs": gathered.counts(),
        "notes": list(gathered.notes),
        "base": {"name": base.label, "label": base.label, "hash": base.hash},
        "settings": dataclasses.asdict(settings),
        "reranker": dataclasses.asdict(own),
        "seed": settings.seed,
        "training": {
            name: value if not isinstance(value, float) or math.isfinite(value) else None
            for name, value in dataclasses.asdict(tuned).items()
        },
    }
