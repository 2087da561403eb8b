"""One call of `mercer learn` in; what encoders and rerankers share of it (gate, pairs, time, proof) out."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import console, progress

if TYPE_CHECKING:
    from mercer.doors import Doors, Settings
    from mercer.doors.prove import Proof
    from mercer.doors.weigh import Weight
    from mercer.encode import Encoder
    from mercer.encode.model import Model
    from mercer.learn.encoder import Learned
    from mercer.learn.gather import Gathered
    from mercer.learn.reranker import RerankerSettings
    from mercer.learn.run import Tick
    from mercer.learn.settings import LearnSettings
    from mercer.shop import Shop

__all__ = [
    "APART",
    "Outcome",
    "Run",
    "base_of",
    "doors_of",
    "encoded",
    "first_stage",
    "gathered_of",
    "pace",
    "prove",
    "reads",
    "start",
    "ticking",
]

APART = ("active", "search", "head", "self", "contrast", "pretrain", "prompt")
"""Sections within ``[learn]`` that other commands read."""
KEPT = 0.1
"""Share of the budget kept for what cannot be foreseen."""
PROBE = 48
"""Products encoded to see how long all of them will take."""
PATIENT = 600_000.0
"""Milliseconds that a reranker has for one query of a proof: what is proved must not hang on how busy a machine is."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command."""

    shop: Shop
    settings: Settings
    learning: LearnSettings
    own: RerankerSettings
    """Section ``[learn.reranker]``."""
    checked: str
    override: str
    started: float
    budget: float
    """Seconds; infinite where none was set."""

    @property
    def rest(self) -> float:
        """Seconds of the budget that are not spent yet."""
        return self.budget - (time.monotonic() - self.started)

    def left(self, others: float) -> float:
        """Seconds there are to learn in, when `others` go into all that comes after.

        Raises:
            RequestError: less than one.
        """
        from mercer.errors import RequestError

        seconds = self.rest * (1 - KEPT) - others
        if seconds >= 1:
            return seconds
        needed = (self.budget - seconds) / 60
        raise RequestError(
            f"a budget of {self.budget / 60:g} minutes leaves no time to learn",
            cure=f"give at least {math.ceil(needed + 1)} minutes: what comes beside takes {needed:.1f}",
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was learned, the index version that stands on it, and what held-out queries say of that."""

    learned: Learned
    index: str
    proof: Proof
    weight: Weight | None = None
    """Of a reranker."""
    notes: tuple[str, ...] = ()
    """What else the owner should know."""


def start(folder: Path, budget: float, override: str, changes: Mapping[str, Any], own: Mapping[str, Any]) -> Run:
    """Read the settings and ask the data gate.

    Raises:
        SettingsError: a setting that cannot be; MissingExtra: a package; RequestError: a budget that is none.
        GateBlocked: the gate is closed and `override` is "".
    """
    from mercer.cli.index import blocked
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.doors.build import gate_refusal, latest
    from mercer.errors import GateBlocked, RequestError
    from mercer.learn.settings import LearnSettings, need_packages
    from mercer.shop import Shop

    if not (math.isfinite(budget) and budget >= 0):
        raise RequestError(f"budget is {budget}", cure="give minutes above 0, or 0 for no limit")
    shop, settings = Shop(folder), read_settings(folder)
    found = dict(tables(folder).get("learn", {}))
    apart = [found.pop(name, {}) for name in ("ranker", "reranker", *APART)][1]
    learning = dataclasses.replace(section(found, LearnSettings, name="learn"), **changes)
    need_packages(learning)
    from mercer.learn.reranker import RerankerSettings  # loads torch, which the line before made sure of

    reranking = dataclasses.replace(section(apart, RerankerSettings, name="learn.reranker"), **own)
    checked = blocked(shop) or latest(shop)
    refusal = gate_refusal(shop, checked)
    if refusal and not override:
        raise GateBlocked(f"the data gate is closed ({refusal})", cure='mend the data, or give --override "why"')
    seconds = budget * 60 or math.inf
    return Run(shop, settings, learning, reranking, checked, override, time.monotonic(), seconds)


def gathered_of(run: Run) -> Gathered:
    """Make the pairs, and say how many of which kind there are."""
    from mercer.learn.gather import gather

    with console.status("making pairs") if console.is_terminal else contextlib.nullcontext():
        gathered = gather(run.shop, run.checked, run.learning, override=run.override)
    for part, sources in gathered.counts().items():
        counted = ", ".join(f"{name} {number:,}" for name, number in sorted(sources.items()))
        console.print(f"{part:6} {counted}", highlight=False)
    for note in gathered.notes:
        console.print(f"[dim]{note}[/]", highlight=False)
    return gathered


def first_stage(run: Run) -> str:
    """The index version that the new one must not be worse than: the live one, if it stands on the same data."""
    from mercer.cli.index import build_with_progress

    live = run.shop.live("index")
    if live is not None and run.shop.card("index", live.version)["checked"] == run.checked:
        return live.version
    return build_with_progress(run.shop, run.settings, checked=run.checked, override=run.override).version


def base_of(run: Run, index: str) -> Model:
    """The encoder of an index version; where that was compressed, the one it came from, which can be trained."""
    from mercer.encode.model import read
    from mercer.encode.source import default_cache, resolve

    recipe, encode = run.shop.card("index", index)["encoder"], run.settings.encode
    source = recipe.get("model", "") or recipe["source"]  # cards of before there were models have no name of one
    while source in run.shop.versions("models"):
        card = run.shop.card("models", source)
        if not card.get("compressed"):
            return read(run.shop.path("models", source))
        source = card["base"]["model"]
    cache = Path(encode.cache).expanduser() if encode.cache else default_cache()
    return resolve(source, cache=cache, timeout=encode.hub_timeout)


def reads(run: Run, index: str) -> int:
    """Products that an index version's reranker reads for each query."""
    card, rank = run.shop.card("index", index), run.settings.rank
    return rank.closed(card.get("rerank", {})).rerank if rank.reranker or card.get("reranker") else 0


def encoded(run: Run, gathered: Gathered, encoder: Encoder) -> None:
    """Have every product's vector on disk, so that what is left of a budget is known before it is shared out."""
    from mercer.encode.cache import VectorCache
    from mercer.retrieve.text import passage

    if math.isinf(run.budget):
        return  # the index encodes what it lacks
    with progress() as bars:
        task = bars.add_task("encode", total=len(gathered.products))
        texts = map(passage, gathered.products.values())
        VectorCache(run.shop.cache).encode(encoder, texts, tick=lambda more: bars.advance(task, more))


def pace(encoder: Encoder, gathered: Gathered) -> float:
    """Seconds that encoding one product takes."""
    from mercer.retrieve.text import passage

    texts = [passage(product) for product in list(gathered.products.values())[:PROBE]]
    encoder(texts[:2])  # the first run is slower than all others
    began = time.monotonic()
    encoder(texts)
    return (time.monotonic() - began) / len(texts)


@contextlib.contextmanager
def ticking() -> Iterator[Tick]:
    """A bar that says the step, the loss and the last figure."""
    with progress() as bars:
        task = bars.add_task("learn", total=None)

        def tick(step: int, steps: int, said: Mapping[str, float]) -> None:
            figures = " ".join(f"{name} {said[key]:.3f}" for name, key in SHOWN.items() if key in said)
            bars.update(task, completed=step, total=steps, description=f"learn {figures}")

        yield tick


SHOWN = {"loss": "loss", "nDCG@10": "eval_nDCG@10"}


@contextlib.contextmanager
def doors_of(run: Run, version: str, **rank: Any) -> Iterator[Doors]:
    """An index version, opened to be asked in peace; `rank` is what of ``[rank]`` is otherwise than set."""
    from mercer.doors import open_doors

    ranking = dataclasses.replace(run.settings.rank, rerank_budget=PATIENT, **rank)
    settings = dataclasses.replace(run.settings, rank=ranking)
    with contextlib.closing(open_doors(run.shop.folder, settings, version=version, writable=False)) as doors:
        yield doors


def prove(
    run: Run,
    gathered: Gathered,
    before: Doors,
    after: Doors,
    *,
    truth: Mapping[str, Mapping[str, float]],
    systems: Sequence[str] = ("dense", "hybrid"),
) -> Proof:
    """Ask both versions the held-out queries."""
    from mercer.doors import prove as proving

    seen = frozenset(gathered.labelled["train"]["product"].to_pylist()) if gathered.has_labels else frozenset()
    with progress() as bars:
        task = bars.add_task("prove", total=2 * len(systems) * len(truth))
        return proving.prove(
            before,
            after,
            truth,
            systems=systems,
            seen=seen,
            labelled=gathered.has_labels,
            worse=run.learning.worse,
            seed=run.learning.seed,
            tick=lambda more: bars.advance(task, more),
        )
