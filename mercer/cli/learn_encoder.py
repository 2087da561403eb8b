"""A run of `mercer learn` and its pairs in; a tuned encoder, the index that stands on it, and its proof, out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.cli.learn_run import Outcome, doors_of, first_stage, pace, prove, reads, ticking

if TYPE_CHECKING:
    from mercer.cli.learn_run import Run
    from mercer.learn.gather import Gathered
    from mercer.rank.reranker import Reranker

__all__ = ["encoder_learned", "steadying"]

STEADY_STEPS = 500
"""Of the last stage, where `--typos` asks for it and the settings name no number."""

INDEXING = 1.3
"""Times what encoding alone takes that a new index takes."""
OPENING = 10.0
"""Seconds that opening both versions and asking the held-out queries takes."""


def encoder_learned(run: Run, gathered: Gathered) -> Outcome:
    """Train, build an index that stands on it, and hold both versions against held-out queries."""
    from mercer.cli.index import build_with_progress
    from mercer.doors.prove import keep_proof
    from mercer.encode import load
    from mercer.encode.source import default_cache, resolve
    from mercer.learn.encoder import learn_encoder
    from mercer.learn.pairs import gains_of

    teacher, encode = teacher_of(run), run.settings.encode
    cache = Path(encode.cache).expanduser() if encode.cache else default_cache()
    encoder = load(texts=(product.title for product in gathered.products.values()), settings=encode)
    named = encoder.name.partition("-")[0] if encode.source == "auto" else encode.source
    base = resolve(named, cache=cache, timeout=encode.hub_timeout)
    before = first_stage(run)
    truth, each = gains_of(gathered.parts["test"]), pace(encoder, gathered)
    read = 2 * reads(run, before) * len(truth)
    seconds = run.left(INDEXING * each * (len(gathered.products) + read) + OPENING)
    with ticking() as tick:
        learned = learn_encoder(
            run.shop,
            gathered,
            base,
            encoder,
            run.learning,
            teacher=teacher,
            seconds=seconds,
            budget=run.budget,
            tick=tick,
        )
    built = build_with_progress(
        run.shop, run.settings, checked=run.checked, model=learned.version, override=run.override
    )
    with doors_of(run, before) as old, doors_of(run, built.version) as new:
        proof = prove(run, gathered, old, new, truth=truth)
    keep_proof(run.shop, learned.version, proof)
    return Outcome(learned, built.version, proof)


def steadying(run: Run) -> Run:
    """The run with the last stage against mistyped queries on."""
    consistent = run.learning.consistent
    steps = consistent.steps or STEADY_STEPS
    learning = dataclasses.replace(run.learning, consistent=dataclasses.replace(consistent, steps=steps))
    return dataclasses.replace(run, learning=learning)


def teacher_of(run: Run) -> Reranker | None:
    """The cross-encoder that objective distil learns from: the one named, else the one that serves.

    Raises:
        RequestError: there is none. NotFoundError: no such version. ModelError: it is damaged or no reranker.
    """
    from mercer.errors import RequestError
    from mercer.rank.reranker import open_reranker

    if "distil" not in run.learning.objective:
        return None
    live = run.shop.live("index")
    serving = run.shop.card("index", live.version).get("reranker", "") if live else ""
    name = run.learning.teacher or run.settings.rank.reranker or serving
    if not name:
        raise RequestError(
            "objective distil has no teacher: no reranker is live",
            cure=f"run: mercer learn {run.shop.folder} --reranker, or name one: --teacher VERSION",
        )
    folder = Path(name).expanduser()
    if name in run.shop.versions("models") or not folder.is_dir():
        run.shop.card("models", name)
        folder = run.shop.path("models", name)
    return open_reranker(folder, settings=run.settings.encode)
