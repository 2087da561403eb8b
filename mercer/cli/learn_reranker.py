"""A run of `mercer learn --reranker` and its pairs in; a cross-encoder, its weight, its index and its proof out."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mercer.cli.learn_run import Outcome, base_of, doors_of, encoded, first_stage, prove, reads, ticking
from mercer.cli.terminal import progress

if TYPE_CHECKING:
    from mercer.cli.learn_run import Run
    from mercer.doors import Doors
    from mercer.doors.weigh import Weight
    from mercer.encode.model import Model
    from mercer.learn.encoder import Learned
    from mercer.learn.gather import Gathered

__all__ = ["reranker_learned"]

WEIGHED, PROVED, LEAST = 200, 1000, 20
"""Most validation and test queries that are read for, and the fewest that a budget leaves of each."""
ON_READING = 0.3
"""Share of the budget that reading for these queries may take."""
PROBE, ASKED = 24, 30
"""Products that are read to see how long that takes, and characters of their titles that stand for a query."""
OPENING = 25.0
"""Seconds that exporting and opening the model and building the index take."""

Truth = Mapping[str, Mapping[str, float]]


def reranker_learned(run: Run, gathered: Gathered) -> Outcome:
    """Train over the first stage, choose the weight on validation queries, build an index, prove it on test queries."""
    from mercer.cli.index import build_with_progress
    from mercer.doors.prove import keep_proof
    from mercer.doors.weigh import keep_weight

    before = first_stage(run)
    base, other = base_of(run, before), _other(run, before)
    with doors_of(run, before, rerank=0) as doors:
        encoded(run, gathered, doors.encoder)
        each = _seconds_a_pair(run, gathered, base) * _products(run)
        valid, test = _asked(run, gathered, "valid", WEIGHED, each), _asked(run, gathered, "test", PROVED, each)
        sides = 2 if other else 1
        seconds = run.left(each * (len(valid) + sides * len(test)) + OPENING)
        learned = _learned(run, gathered, base, doors, seconds)
        weight = _weighed(run, doors, learned, valid)
    keep_weight(run.shop, learned.version, weight)
    built = build_with_progress(
        run.shop, run.settings, checked=run.checked, reranker=learned.version, override=run.override
    )
    test = _drawn(run, test, max(LEAST, run.rest / (sides * max(weight.milliseconds / 1000, 1e-3))))
    first = doors_of(run, before) if other not in ("", learned.version) else doors_of(run, before, rerank=0)
    with first as old, doors_of(run, built.version, rerank=weight.rerank, reranker="") as new:
        proof = prove(run, gathered, old, new, truth=test, systems=("hybrid",))
    proof = dataclasses.replace(proof, refused=weight.refusal)
    keep_proof(run.shop, learned.version, proof)
    return Outcome(learned, built.version, proof, weight, _notes(run, weight))


def _learned(run: Run, gathered: Gathered, base: Model, doors: Doors, seconds: float) -> Learned:
    from mercer.learn.reread import learn_reranker

    with ticking() as tick:
        return learn_reranker(
            run.shop,
            gathered,
            base,
            index=doors.index,
            encoder=doors.encoder,
            settings=run.learning,
            own=run.own,
            seconds=seconds,
            budget=run.budget,
            tick=tick,
        )


def _products(run: Run) -> int:
    """How many are read for each query once it is live, at most."""
    from mercer.doors.weigh import PRODUCTS

    return run.settings.rank.rerank if run.settings.rank.rerank > 0 else PRODUCTS


def _within(run: Run) -> float:
    """Milliseconds that decide how many are read: the owner's own number of products stands whatever it takes."""
    return math.inf if run.settings.rank.rerank > 0 else run.settings.rank.rerank_budget


def _other(run: Run, index: str) -> str:
    """The reranker that an index version serves with; "" where it reads nothing. The new one must not be worse."""
    return str(run.shop.card("index", index).get("reranker", "")) if reads(run, index) else ""


def _seconds_a_pair(run: Run, gathered: Gathered, base: Model) -> float:
    """How long reading a product together with a query takes, of a head that knows nothing yet."""
    from mercer.encode.head import Head
    from mercer.learn.cross import cross
    from mercer.retrieve.text import passage

    state = cross(base, Head(length=run.own.length))
    products = list(gathered.products.values())[:PROBE]
    titles, texts = [product.title[:ASKED] for product in products], [passage(product) for product in products]
    state.judge(titles[:2], texts[:2])  # the first run is slower than all others
    began = time.monotonic()
    state.judge(titles, texts)
    return (time.monotonic() - began) / len(products)


def _asked(run: Run, gathered: Gathered, part: str, most: int, each: float) -> Truth:
    """Queries of a part with their gains: at most `most`, and what may be read for within the budget."""
    from mercer.learn.pairs import gains_of

    known = gains_of(gathered.parts[part])
    told = sorted(query for query, gains in known.items() if any(gain > 0 for gain in gains.values()))
    return _drawn(
        run, {query: known[query] for query in told}, min(most, max(LEAST, ON_READING * run.budget / each / 3))
    )


def _drawn(run: Run, asked: Truth, number: float) -> Truth:
    """At most `number` of the queries, drawn by the seed."""
    import numpy as np

    if len(asked) <= number:
        return asked
    drawn = np.random.default_rng(run.learning.seed).choice(sorted(asked), int(number), replace=False)
    return {query: asked[query] for query in sorted(drawn.tolist())}


def _weighed(run: Run, doors: Doors, learned: Learned, valid: Truth) -> Weight:
    from mercer.doors.weigh import weigh
    from mercer.rank.reranker import open_reranker

    reranker = open_reranker(learned.folder, settings=run.settings.encode)
    with progress() as bars:
        task = bars.add_task("weigh", total=len(valid))
        return weigh(
            doors,
            reranker,
            valid,
            products=_products(run),
            budget=_within(run),
            tick=lambda more: bars.advance(task, more),
        )


def _notes(run: Run, weight: Weight) -> tuple[str, ...]:
    """What the owner should know of how it will serve."""
    rank = run.settings.rank
    found = [
        f"weight {weight.rerank_weight:g} against the first stage: nDCG@10 {weight.alone:.4f} without it, "
        f"{weight.best:.4f} with it on {weight.queries} validation queries"
    ]
    if weight.rerank < _products(run):
        found.append(
            f"reads the first {weight.rerank} of {_products(run)} products: so many fit into [rank] rerank_budget = "
            f"{rank.rerank_budget:g} ms here; set more, or a shorter [learn.reranker] length, and learn again"
        )
    elif weight.milliseconds > rank.rerank_budget:
        within = weight.rerank * rank.rerank_budget / weight.milliseconds
        found.append(
            f"the proof reads all {weight.rerank} products, {weight.milliseconds:.0f} ms a query here; serving stops "
            f"after [rank] rerank_budget = {rank.rerank_budget:g} ms, about {within:.0f} products: set more, "
            "or a shorter [learn.reranker] length"
        )
    if rank.rerank == 0:
        found.append("[rank] rerank is 0: nothing is read until that line goes")
    if rank.reranker:
        found.append(f"[rank] reranker names {rank.reranker}: that one serves until the line goes")
    return tuple(found)
