"""A run of `mercer learn --reranker` and its pairs in; a cross-encoder, its weight, its index and its proof out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mercer.cli.learn_run import Outcome, base_of, doors_of, encoded, first_stage, pace, prove, reads, ticking
from mercer.cli.terminal import progress

if TYPE_CHECKING:
    from mercer.cli.learn_run import Run
    from mercer.doors import Doors
    from mercer.doors.prove import Proof
    from mercer.doors.weigh import Weight
    from mercer.learn.encoder import Learned
    from mercer.learn.gather import Gathered

__all__ = ["reranker_learned"]

WEIGHED, PROVED, LEAST = 200, 1000, 20
"""Most validation and test queries that are read for, and the fewest that a budget leaves of each."""
ON_READING = 0.3
"""Share of the budget that reading for these queries may take."""
READING = 1.3
"""Times what encoding a product takes that reading it with a query takes."""
OPENING = 25.0
"""Seconds that exporting and opening the model and building the index take."""

Truth = Mapping[str, Mapping[str, float]]


def reranker_learned(run: Run, gathered: Gathered) -> Outcome:
    """Train over the first stage, choose the weight on validation queries, build an index, prove it on test queries."""
    from mercer.cli.index import build_with_progress
    from mercer.doors.prove import keep_proof
    from mercer.doors.weigh import keep_weight
    from mercer.learn.reread import learn_reranker

    before = first_stage(run)
    with doors_of(run, before, rerank=0) as doors:
        encoded(run, gathered, doors.encoder)
        each = READING * pace(doors.encoder, gathered) * _products(run)
        valid, test = _asked(run, gathered, "valid", WEIGHED, each), _asked(run, gathered, "test", PROVED, each)
        seconds = run.left(each * (len(valid) + 2 * len(test)) + OPENING)
        with ticking() as tick:
            learned = learn_reranker(
                run.shop,
                gathered,
                base_of(run, before),
                index=doors.index,
                encoder=doors.encoder,
                settings=run.learning,
                own=run.own,
                seconds=seconds,
                budget=run.budget,
                tick=tick,
            )
        weight = _weighed(run, doors, learned, valid)
    keep_weight(run.shop, learned.version, weight)
    built = build_with_progress(
        run.shop, run.settings, checked=run.checked, reranker=learned.version, override=run.override
    )
    proof = dataclasses.replace(_proof(run, gathered, learned, before, built.version, test), refused=weight.refusal)
    keep_proof(run.shop, learned.version, proof)
    return Outcome(learned, built.version, proof, weight, _notes(run, weight))


def _products(run: Run) -> int:
    """How many are read for each query once it is live."""
    from mercer.doors.weigh import PRODUCTS

    return run.settings.rank.rerank if run.settings.rank.rerank > 0 else PRODUCTS


def _asked(run: Run, gathered: Gathered, part: str, most: int, each: float) -> Truth:
    """Queries of a part with their gains: at most `most`, and what may be read for within the budget."""
    import numpy as np

    from mercer.learn.pairs import gains_of

    known = gains_of(gathered.parts[part])
    told = sorted(query for query, gains in known.items() if any(gain > 0 for gain in gains.values()))
    number = int(min(most, max(LEAST, ON_READING * run.budget / each / 3)))
    if len(told) > number:
        told = sorted(np.random.default_rng(run.learning.seed).choice(told, number, replace=False).tolist())
    return {query: known[query] for query in told}


def _weighed(run: Run, doors: Doors, learned: Learned, valid: Truth) -> Weight:
    from mercer.doors.weigh import weigh
    from mercer.rank.reranker import open_reranker

    reranker = open_reranker(learned.folder, settings=run.settings.encode)
    with progress() as bars:
        task = bars.add_task("weigh", total=len(valid))
        return weigh(doors, reranker, valid, products=_products(run), tick=lambda more: bars.advance(task, more))


def _proof(run: Run, gathered: Gathered, learned: Learned, before: str, after: str, test: Truth) -> Proof:
    """Without a reranker against with it; where another one is live, what that serves against it."""
    other = run.shop.card("index", before).get("reranker", "") not in ("", learned.version) and reads(run, before) > 0
    first = doors_of(run, before) if other else doors_of(run, before, rerank=0)
    with first as old, doors_of(run, after, rerank=_products(run), reranker="") as new:
        return prove(run, gathered, old, new, truth=test, systems=("hybrid",))


def _notes(run: Run, weight: Weight) -> tuple[str, ...]:
    """What the owner should know of how it will serve."""
    rank = run.settings.rank
    found = [
        f"weight {weight.rerank_weight:g} against the first stage: nDCG@10 {weight.alone:.4f} without it, "
        f"{weight.best:.4f} with it on {weight.queries} validation queries"
    ]
    if weight.milliseconds > rank.rerank_budget:
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
