"""`mercer learn SHOP --since last`: new events and judgments in; the next version, which forgets little, out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mercer.cli.learn_run import Outcome, Run, doors_of, pace, ticking
from mercer.cli.terminal import console, print_json
from mercer.errors import DataError, RequestError

if TYPE_CHECKING:
    from mercer.encode.model import Model
    from mercer.learn.continual import Memory, Since
    from mercer.learn.gather import Gathered

__all__ = ["learn_since"]

INDEXING, OPENING = 1.3, 10.0
"""Times what encoding alone takes that a new index takes; seconds for opening both versions."""


def learn_since(run: Run, since: str, *, promote: bool, json: bool) -> None:
    """Learn from what is new since the live encoder's data, prove it on held-out queries of all periods, go live.

    Raises:
        RequestError: `since` is not last, or no encoder of the shop is live. DataError: nothing is new.
    """
    from mercer.cli.index import build_with_progress
    from mercer.cli.learn_run import prove
    from mercer.doors.prove import keep_proof

    if since != "last":
        raise RequestError(f"--since is {since!r}", cure="give --since last")
    name, index = _before(run)
    memory, done, gathered = _learned(run, name)
    built = build_with_progress(run.shop, run.settings, checked=run.checked, model=done.version, override=run.override)
    truth = {query: gains for queries in memory.test.values() for query, gains in queries.items()}
    truth |= _gains(gathered)
    with doors_of(run, index) as old, doors_of(run, built.version) as new:
        proof = prove(run, gathered, old, new, truth=truth)
    keep_proof(run.shop, done.version, proof)
    promoted = promote and (proof.better or bool(run.override))
    if promoted:
        run.shop.publish("index", built.version, override=run.override)
    _answer(run, Outcome(_as_learned(done), built.version, proof), done, gathered, promoted=promoted, json=json)


def _answer(run: Run, outcome: Outcome, done: Since, gathered: Gathered, *, promoted: bool, json: bool) -> None:
    from mercer.cli.learn_answer import page_of, say, told

    page_of(run.shop, outcome)
    if json:
        print_json(told(run, gathered, outcome) | {"live": promoted, "continual": done.matrix.json()})
        return
    say(run, outcome, promoted=promoted)
    lost, back = done.matrix.forgetting, done.matrix.backward
    if not math.isnan(lost):
        console.print(f"forgotten {lost:.1%} of the best, backward transfer {back:+.4f} nDCG@10", highlight=False)


def _before(run: Run) -> tuple[str, str]:
    """The live encoder's version among the shop's models, and the live index."""
    live = run.shop.live("index")
    name = run.shop.card("index", live.version)["encoder"].get("model", "") if live else ""
    if live is None or not name or "training" not in run.shop.card("models", name):
        raise RequestError(
            "no encoder that the shop learned is live", cure=f"run first: mercer learn {run.shop.folder}"
        )
    return name, live.version


def _learned(run: Run, name: str) -> tuple[Memory, Since, Gathered]:
    from mercer.encode import load
    from mercer.encode.model import read
    from mercer.learn.continual import learn_since as learn
    from mercer.learn.continual import remembered
    from mercer.learn.fresh import catalogue, fresh_pairs, parted
    from mercer.learn.gather import Gathered, gather

    card, folder = run.shop.card("models", name), run.shop.path("models", name)
    products = catalogue(run.shop, run.checked)
    period, earlier = run.checked[:12], str(card["checked"])
    base: Model = read(folder)
    encoder = load(str(folder), settings=run.settings.encode)
    carries = (folder / "periods.json").exists()
    first = {} if carries else gather(run.shop, earlier, run.learning, override=run.override).labelled
    memory = remembered(folder, earlier[:12], first, run.learning)
    pairs = fresh_pairs(run.shop, earlier, run.checked, products, run.learning)
    if not len(pairs):
        raise DataError(
            f"nothing is new since checked version {earlier}",
            cure=f"bring new events, then: mercer check {run.shop.folder}",
        )
    parts = parted(pairs, run.learning, tested=memory.groups)
    gathered = Gathered(run.checked, products, parts, {part: table.slice(0, 0) for part, table in parts.items()}, ())
    console.print(f"new pairs {len(pairs):,}, to rehearse {len(memory.rehearsed):,}", highlight=False)
    base_told = {"name": encoder.name, "label": base.label, "hash": base.hash, "model": name}
    told: dict[str, Any] = {"checked": run.checked, "pairs": gathered.counts(), "notes": [], "base": base_told}
    told |= {"continual": card["continual"]} if "continual" in card else {}
    seconds = run.left(INDEXING * pace(encoder, gathered) * len(products) + OPENING)
    with ticking() as tick:
        done = learn(run.shop, base=base, encoder=encoder, memory=memory, fresh=parts, period=period, products=products,
                     settings=run.learning, card=told, seconds=seconds, tick=tick)  # fmt: skip
    return memory, done, gathered


def _gains(gathered: Gathered) -> dict[str, dict[str, float]]:
    from mercer.learn.pairs import gains_of

    return gains_of(gathered.labelled["test"])


def _as_learned(done: Since) -> Any:
    from mercer.learn.encoder import Learned

    return Learned(done.version, done.folder, done.tuned)
