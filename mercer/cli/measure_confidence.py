"""`mercer measure confidence SHOP`: judged queries in; how far a score is to be trusted, and a plot of it, out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.doors.confidence import Confidence

__all__ = ["register"]


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("confidence")(confidence)


def confidence(
    folder: ShopArgument,
    queries: Annotated[Path | None, typer.Option(help="Queries; the shop's own checked ones if absent.")] = None,
    judgments: Annotated[Path | None, typer.Option(help="Judgments; the shop's own if absent.")] = None,
    least: Annotated[float, typer.Option(help="Grade from which on a first hit is right.")] = 1.0,
    foreign: Annotated[Path | None, typer.Option(help="Queries of another shop, which must find nothing here.")] = None,
    method: Annotated[
        Literal["logistic", "isotonic"], typer.Option(help="How scores become probabilities.")
    ] = "logistic",
    keep: Annotated[bool, typer.Option("--keep", help="Let `mercer search` say how sure an answer is.")] = False,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 7,
    json: JsonFlag = False,
) -> None:
    """Turn the first hit's score into the chance that it is right, checked on queries that it was not fitted on."""
    from mercer.cli.measure import judged
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.confidence import keep as write
    from mercer.doors.confidence import measure_confidence
    from mercer.measure.calibration import CalibrationSettings, plot
    from mercer.quality.read import read
    from mercer.shop import Shop, disk_errors

    texts, truth = judged(folder, queries, judgments)
    others = [row["text"] for row in read("queries", foreign).table.to_pylist() if row["text"]] if foreign else []
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        with progress() as bars:
            task = bars.add_task("ask", total=len(set(texts) & set(truth)) + len(others))
            found = measure_confidence(
                doors, texts, truth, least=least, foreign=others, settings=CalibrationSettings(method=method),
                seed=seed, tick=lambda more: bars.advance(task, more),
            )  # fmt: skip
    finally:
        doors.close()
    shop = Shop(folder)
    if keep:
        write(shop, found)
    page = shop.reports / "measure-confidence.html"
    with disk_errors(shop.reports):
        shop.reports.mkdir(exist_ok=True)
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>confidence 置信度</title>'
        page.write_text(f"{head}<h1>confidence 置信度</h1>{plot(found.reliability)}</html>\n", "utf-8")
    if json:
        print_json(found.json() | {"page": str(page)})
        return
    _show(found)
    console.print(f"[dim]plot: {page}[/]", highlight=False)


def _show(found: Confidence) -> None:
    own, raw = found.reliability, found.raw
    answers.print(f"{found.right} of {found.queries} first hits are right", highlight=False)
    answers.print(f"calibration error {own.ece:.3f}, of the score as it is {raw.ece:.3f}", highlight=False)
    answers.print(f"Brier {own.brier:.3f}, of the score as it is {raw.brier:.3f}", highlight=False)
    said = f"nothing fits below cosine {found.near:.3f}: {found.nothing_here:.1%} of the shop's own queries"
    if found.nothing_foreign is not None:
        said += f", {found.nothing_foreign:.1%} of {found.foreign} foreign ones; told apart {found.told_apart:.1%}"
    answers.print(said, highlight=False, soft_wrap=True)
