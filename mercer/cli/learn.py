"""`mercer learn SHOP`: checked data in; a tuned encoder, proved on held-out queries, and live only if better, out."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.doors import Settings
    from mercer.doors.prove import Proof
    from mercer.encode import Encoder
    from mercer.learn.encoder import Learned
    from mercer.learn.gather import Gathered
    from mercer.learn.settings import LearnSettings
    from mercer.shop import Shop

__all__ = ["register"]

KEPT = 0.1
"""Share of the budget kept for what cannot be foreseen."""
FEW = 20
"""Steps below which hardly anything can have been learned."""
PROBE = 48
"""Products encoded to see how long all of them will take."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("learn")(learn)


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the command."""

    shop: Shop
    settings: Settings
    learning: LearnSettings
    checked: str
    override: str
    started: float
    budget: float
    """Seconds; infinite where none was set."""

    @property
    def left(self) -> float:
        return self.budget - (time.monotonic() - self.started)


def learn(
    folder: ShopArgument,
    budget: Annotated[
        float, typer.Option(help="Most minutes it may take, index and proof included; 0 is no limit.")
    ] = 0,
    train: Annotated[str, typer.Option(help="full, frozen, lora or adalora; else as mercer.toml says.")] = "",
    objective: Annotated[
        list[str] | None, typer.Option(help="contrastive, listwise, graded, cosine …; repeat.")
    ] = None,
    gains: Annotated[str, typer.Option(help="Gain of each grade: 3=1,2=.1,1=.01,0=0.")] = "",
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Learn from the catalogue alone.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Never go live; `mercer promote` does.")] = False,
    override: Annotated[str, typer.Option(help="Go on although a gate is closed, and why; kept in the cards.")] = "",
    seed: Annotated[int | None, typer.Option(help="Of splits, steps and weights.")] = None,
    json: JsonFlag = False,
) -> None:
    """Tune the encoder on the shop's own data, prove it on held-out queries, and make it live if it is no worse."""
    run = _run(folder, budget, override, _changes(train, objective, gains, no_labels, seed))
    gathered = _gathered(run)
    learned, built, proof = _learned(run, gathered)
    promoted = not no_promote and (proof.better or bool(override))
    if promoted:
        run.shop.publish("index", built, note=override)
    told = _told(run, gathered, learned, proof) | {"index": built, "live": promoted}
    _page(run.shop, learned, proof)
    if json:
        print_json(told)
    else:
        _say(run, learned, proof, built, promoted)


def _changes(train: str, objective: list[str] | None, gains: str, no_labels: bool, seed: int | None) -> dict[str, Any]:
    given = {"train": train, "objective": tuple(objective or ()), "gains": gains}
    found: dict[str, Any] = {name: value for name, value in given.items() if value}
    if no_labels:
        found["least"] = 1_000_000
    return found if seed is None else {**found, "seed": seed}


def _run(folder: Path, budget: float, override: str, changes: Mapping[str, Any]) -> Run:
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
    learning = dataclasses.replace(section(tables(folder).get("learn", {}), LearnSettings, name="learn"), **changes)
    need_packages(learning)
    checked = blocked(shop) or latest(shop)
    refusal = gate_refusal(shop, checked)
    if refusal and not override:
        raise GateBlocked(f"the data gate is closed ({refusal})", cure='mend the data, or give --override "why"')
    seconds = budget * 60 or math.inf
    return Run(shop, settings, learning, checked, override, time.monotonic(), seconds)


def _gathered(run: Run) -> Gathered:
    from mercer.learn.gather import gather

    with console.status("making pairs") if console.is_terminal else _nothing():
        gathered = gather(run.shop, run.checked, run.learning, override=run.override)
    for part, sources in gathered.counts().items():
        counted = ", ".join(f"{name} {number:,}" for name, number in sorted(sources.items()))
        console.print(f"{part:6} {counted}", highlight=False)
    for note in gathered.notes:
        console.print(f"[dim]{note}[/]", highlight=False)
    return gathered


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


def _learned(run: Run, gathered: Gathered) -> tuple[Learned, str, Proof]:
    """Train, build an index that stands on it, and hold both versions against held-out queries."""
    from mercer.cli.index import build_with_progress
    from mercer.doors.prove import keep_proof
    from mercer.encode import load
    from mercer.encode.source import default_cache, resolve
    from mercer.learn.encoder import learn_encoder

    encode = run.settings.encode
    cache = Path(encode.cache).expanduser() if encode.cache else default_cache()
    encoder = load(texts=(product.title for product in gathered.products.values()), settings=encode)
    named = encoder.name.partition("-")[0] if encode.source == "auto" else encode.source
    base = resolve(named, cache=cache, timeout=encode.hub_timeout)
    before = _before(run)
    seconds = run.left * (1 - KEPT) - _rebuild(encoder, gathered)
    if seconds < 1:
        _no_time(run, seconds)
    with progress() as bars:
        task = bars.add_task("learn", total=None)

        def tick(step: int, steps: int, said: Mapping[str, float]) -> None:
            figures = " ".join(f"{name} {said[key]:.3f}" for name, key in SHOWN.items() if key in said)
            bars.update(task, completed=step, total=steps, description=f"learn {figures}")

        learned = learn_encoder(run.shop, gathered, base, encoder, run.learning, seconds=seconds, tick=tick)
    built = build_with_progress(
        run.shop, run.settings, checked=run.checked, model=learned.version, override=run.override
    )
    proof = _proof(run, gathered, before, built.version)
    keep_proof(run.shop, learned.version, proof)
    return learned, built.version, proof


SHOWN = {"loss": "loss", "nDCG@10": "eval_nDCG@10"}


def _before(run: Run) -> str:
    """The index version that the new one must not be worse than: the live one, if it stands on the same data."""
    from mercer.cli.index import build_with_progress

    live = run.shop.live("index")
    if live is not None and run.shop.card("index", live.version)["checked"] == run.checked:
        return live.version
    return build_with_progress(run.shop, run.settings, checked=run.checked, override=run.override).version


def _rebuild(encoder: Encoder, gathered: Gathered) -> float:
    """Seconds that encoding every product and indexing it will take, about."""
    from mercer.retrieve.text import passage

    texts = [passage(product) for product in list(gathered.products.values())[:PROBE]]
    began = time.monotonic()
    encoder(texts)
    return 1.3 * (time.monotonic() - began) / len(texts) * len(gathered.products) + 10


def _no_time(run: Run, seconds: float) -> None:
    from mercer.errors import RequestError

    needed = (run.budget - seconds) / 60
    raise RequestError(
        f"a budget of {run.budget / 60:g} minutes leaves no time to learn",
        cure=f"give at least {math.ceil(needed + 1)} minutes: encoding and indexing alone take {needed:.1f}",
    )


def _proof(run: Run, gathered: Gathered, before: str, after: str) -> Proof:
    from mercer.doors import open_doors
    from mercer.doors.prove import prove
    from mercer.learn.pairs import gains_of

    truth = gains_of(gathered.parts["test"])
    seen = frozenset(gathered.labelled["train"]["product"].to_pylist()) if gathered.has_labels else frozenset()
    old = open_doors(run.shop.folder, run.settings, version=before, writable=False)
    try:
        new = open_doors(run.shop.folder, run.settings, version=after, writable=False)
        try:
            with progress() as bars:
                task = bars.add_task("prove", total=4 * len(truth))
                return prove(
                    old,
                    new,
                    truth,
                    seen=seen,
                    labelled=gathered.has_labels,
                    worse=run.learning.worse,
                    seed=run.learning.seed,
                    tick=lambda more: bars.advance(task, more),
                )
        finally:
            new.close()
    finally:
        old.close()


def _told(run: Run, gathered: Gathered, learned: Learned, proof: Proof) -> dict[str, Any]:
    card = run.shop.card("models", learned.version)
    training = {name: value for name, value in card["training"].items() if name != "curve"}
    return {
        "model": learned.version,
        "checked": gathered.checked,
        "pairs": gathered.counts(),
        "notes": list(gathered.notes),
        "training": training,
        "new": learned.tuned is not None,
        "proof": proof.to_json(),
        "seconds": round(time.monotonic() - run.started, 1),
    }


def _page(shop: Shop, learned: Learned, proof: Proof) -> None:
    from mercer.learn.page import page
    from mercer.shop import disk_errors

    with disk_errors(learned.folder):
        text = page(learned.version, shop.card("models", learned.version), proof.to_json())
        (learned.folder / "report.html").write_text(text, "utf-8")


def _say(run: Run, learned: Learned, proof: Proof, built: str, promoted: bool) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("held-out queries", "n", "before", "after", "difference", "95 %"):
        table.add_column(name, justify="left" if name == "held-out queries" else "right")
    compared = proof.comparisons[proof.metric]
    ends = f"{compared.low:+.4f} to {compared.high:+.4f}"
    for system in ("hybrid", "dense"):
        old, new = proof.before[system], proof.after[system]
        difference = f"{new - old:+.4f}"
        shown = ends if system == "hybrid" else ""
        table.add_row(f"{system} {proof.metric}", f"{compared.n:,}", f"{old:.4f}", f"{new:.4f}", difference, shown)
    for one in proof.slices:
        ends = f"{one.low:+.4f} to {one.high:+.4f}"
        row = (f"{one.queries:,}", f"{one.before:.4f}", f"{one.after:.4f}", f"{one.after - one.before:+.4f}", ends)
        table.add_row(f"[dim]  {one.name}[/]", *row)
    answers.print(table)
    if not proof.labelled:
        console.print("[dim]no labels: the held-out queries were invented from the catalogue[/]")
    if learned.tuned is not None and learned.tuned.steps < FEW:
        console.print(f"[yellow]only {learned.tuned.steps} steps fitted into the budget: give more minutes[/]")
    console.print(f"model [bold]{learned.version}[/], index {built}; plots: {learned.folder / 'report.html'}")
    if promoted:
        console.print("it is live; mercer rollback brings the one before back")
    elif proof.passes:
        console.print(f"it is not live: the mean is lower or --no-promote was given; mercer promote {run.shop.folder}")
    else:
        console.print("[yellow]it is not live: held-out queries say it is worse[/]")
