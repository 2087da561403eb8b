"""What `mercer learn` made in; a page with plots, a table or JSON that says whether it is live out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import answers, console

if TYPE_CHECKING:
    from mercer.cli.learn_run import Outcome, Run
    from mercer.doors.prove import Proof
    from mercer.learn.gather import Gathered
    from mercer.shop import Shop

__all__ = ["page_of", "say", "table", "told"]

FEW = 20
"""Steps below which hardly anything can have been learned."""


def told(run: Run, gathered: Gathered, done: Outcome) -> dict[str, Any]:
    """Everything as JSON."""
    card = run.shop.card("models", done.learned.version)
    training = {name: value for name, value in card["training"].items() if name != "curve"}
    weight = {} if done.weight is None else {"weight": done.weight.to_json()}
    return {
        "model": done.learned.version,
        "checked": gathered.checked,
        "pairs": gathered.counts(),
        "notes": list(gathered.notes),
        "training": training,
        "new": done.learned.tuned is not None,
        "proof": done.proof.to_json(),
        "index": done.index,
        "seconds": round(time.monotonic() - run.started, 1),
        **weight,
    }


def page_of(shop: Shop, done: Outcome) -> None:
    """Write ``report.html`` beside the model's card."""
    from mercer.learn.page import page
    from mercer.shop import disk_errors

    version, folder = done.learned.version, done.learned.folder
    weight = None if done.weight is None else done.weight.to_json()
    with disk_errors(folder):
        text = page(version, shop.card("models", version), done.proof.to_json(), weight)
        (folder / "report.html").write_text(text, "utf-8")


def say(run: Run, done: Outcome, *, promoted: bool) -> None:
    """Print the proof as a table, and whether it is live."""
    from rich.markup import escape

    learned, proof = done.learned, done.proof
    answers.print(table(proof))
    if not proof.labelled:
        console.print("[dim]no labels: the held-out queries were invented from the catalogue[/]")
    if learned.tuned is not None and learned.tuned.steps < FEW:
        console.print(f"[yellow]only {learned.tuned.steps} steps fitted into the budget: give more minutes[/]")
    for note in done.notes:
        console.print(escape(note), highlight=False)
    console.print(f"model [bold]{learned.version}[/], index {done.index}; plots: {learned.folder / 'report.html'}")
    if promoted:
        console.print("it is live; mercer rollback brings the one before back")
    elif proof.refused:
        console.print(f"[yellow]it is not live: {escape(proof.refused)}[/]", highlight=False)
    elif proof.passes:
        why = "--no-promote was given" if proof.better else "the mean is lower, though that may be chance"
        console.print(f"it is not live: {why}; mercer promote {run.shop.folder} {done.index} makes it so")
    else:
        console.print("[yellow]it is not live: held-out queries say it is worse[/]")


def table(proof: Proof) -> Any:
    """The proof by system and by kind of query, for the terminal."""
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("held-out queries", "n", "before", "after", "difference", "95 %"):
        rows.add_column(name, justify="left" if name == "held-out queries" else "right")
    compared = proof.comparisons[proof.metric]
    for system, old in sorted(proof.before.items(), reverse=True):
        new = proof.after[system]
        ends = f"{compared.low:+.4f} to {compared.high:+.4f}" if system == "hybrid" else ""
        figures = (f"{compared.n:,}", f"{old:.4f}", f"{new:.4f}", f"{new - old:+.4f}", ends)
        rows.add_row(f"{system} {proof.metric}", *figures)
    for one in proof.slices:
        ends = f"{one.low:+.4f} to {one.high:+.4f}"
        figures = (f"{one.queries:,}", f"{one.before:.4f}", f"{one.after:.4f}", f"{one.after - one.before:+.4f}", ends)
        rows.add_row(f"[dim]  {one.name}[/]", *figures)
    return rows
