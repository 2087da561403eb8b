"""`mercer learn SHOP opinion`: labelled texts, or the shop's own rated reviews, in; a proved opinion model out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mercer.cli.terminal import answers, console, print_json, progress
from mercer.errors import DataError, RequestError

if TYPE_CHECKING:
    from mercer.shop import Shop

__all__ = [
    "DocumentsOption", "HeadOption", "LabelOption", "LabelsOption", "NamesOption", "TaskOption", "learn_opinion",
]  # fmt: skip

DocumentsOption = Annotated[
    Path | None, typer.Option(help="Of opinion: labelled texts; else the shop's rated reviews.")
]
LabelsOption = Annotated[Path | None, typer.Option(help="Of opinion: labels, where they are in a second file.")]
NamesOption = Annotated[str, typer.Option(help="Of opinion: what labels mean: 0=negative,1=positive,2=neutral.")]
TaskOption = Annotated[Literal["sentiment", "topic"], typer.Option(help="Of opinion: what the labels say.")]
LabelOption = Annotated[str, typer.Option(help="Of opinion: the column of labels; guessed where not named.")]
HeadOption = Annotated[str, typer.Option(help="Of opinion: none, auto, minilm, e5 or a folder; none reads fastest.")]
RATED = ((2.5, "negative"), (3.5, "neutral"), (5.5, "positive"))
"""Up to which rating a review counts as what."""


def learn_opinion(
    folder: Path, *, task: Literal["sentiment", "topic"], documents: Path | None, labels: Path | None, column: str,
    names: str, encoder: str, promote: bool, override: str, seed: int | None, json: bool,
) -> None:  # fmt: skip
    """Fit, prove by folds, keep, and make live unless the proof or `promote` speaks against it."""
    from mercer.cli.measure_opinion import encoder_for
    from mercer.cli.opinion import monitor_of
    from mercer.opinion.learn import learn, sided
    from mercer.shop import Shop

    shop = Shop(folder)
    texts, said, told = _labelled(shop, documents, labels, column) if documents else _rated(shop, task)
    if task == "sentiment":
        said = sided(said, _names(names))
    with progress() as bars:
        bar = bars.add_task("read", total=None)

        def tick(what: str) -> None:
            bars.update(bar, description=what)

        model, vectors, note = encoder_for(texts, encoder, minutes=10, cache=shop.cache, tick=tick)
        fitting = monitor_of(folder).settings.fit
        told = {**told, "vectors": note}
        made = learn(shop, task, texts, said, encoder=model, vectors=vectors, settings=fitting, told=told,
                     seed=7 if seed is None else seed, tick=tick)  # fmt: skip
    live = promote and (not made.refused or bool(override))
    if live:
        shop.publish("opinion", made.version, override=override)
    if json:
        print_json({"version": made.version, "live": live, "task": task, "refused": made.refused, **made.figures})
        return
    for name, one in made.trial.figures.items():
        low, high = one.macro_f1[1:]
        answers.print(
            f"{name:30} macro-F1 {one.macro_f1[0]:.4f} ({low:.4f} to {high:.4f})  ECE {one.ece:.3f}", highlight=False
        )
    where = shop.path("opinion", made.version) / "report.html"
    console.print(f"{task} [bold]{made.version}[/] of {made.figures['texts']:,} texts; plots: {where}", highlight=False)
    if live:
        console.print(f"it is live; mercer rollback {folder} --kind opinion undoes it", highlight=False)
    else:
        console.print(f"[yellow]it is not live: {made.refused or '--no-promote was given'}[/]", highlight=False)


def _labelled(
    shop: Shop, documents: Path, labels: Path | None, column: str
) -> tuple[list[str], list[str], dict[str, Any]]:
    from mercer.opinion.labelled import read_labelled

    given = read_labelled(documents, labels, label=column)
    console.print(f"text: {given.columns.text!r}, label: {given.columns.label!r}", highlight=False, markup=False)
    return (
        given.texts,
        given.labels,
        {"documents": documents.name, "left_out": dict(given.left_out), "shop": shop.folder.name},
    )


def _rated(shop: Shop, task: str) -> tuple[list[str], list[str], dict[str, Any]]:
    """The shop's own reviews, their ratings as labels.

    Raises:
        DataError: none, or topics, which ratings say nothing of.
    """
    from mercer.opinion.source import from_checked

    rated = [one for one in from_checked(shop) if one.rating is not None] if task == "sentiment" else []
    if not rated:
        raise DataError(
            f"{shop.folder} has no rated reviews to learn {task} from", cure="give --documents FILE with labels"
        )
    said = [
        next(side for most, side in RATED if one.rating is not None and min(one.rating, 5.0) <= most) for one in rated
    ]
    return [one.text for one in rated], said, {"documents": "checked reviews, by rating"}


def _names(given: str) -> dict[str, str]:
    pairs = [one.split("=", 1) for one in given.split(",") if one.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise RequestError(f"names is {given!r}", cure="write 0=negative,1=positive,2=neutral")
    return {label.strip(): side.strip() for label, side in pairs}
