"""``mercer bench dirt [SHOP]``: a shop's own data in; what each check finds of errors put into a copy of it, out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.bench.own import Measured
    from mercer.quality.read import Raw
    from mercer.quality.run import QualitySettings

__all__ = ["register"]


class Difficulty(StrEnum):
    """How well injected errors are hidden."""

    easy = "easy"
    medium = "medium"
    adversarial = "adversarial"


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Measure Mercer itself, on your data.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("dirt")(dirt)
    app.add_typer(group, name="bench")


def dirt(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[SHOP]", help="The shop; the invented one where none is named.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Share of rows that are hurt, above 0 and at most 0.5.")] = 0.01,
    difficulty: Annotated[Difficulty, typer.Option(help="How well errors are hidden.")] = Difficulty.medium,
    checks: Annotated[str, typer.Option(help="Ids such as C06,E02; all that have an injector if absent.")] = "",
    seed: Annotated[int, typer.Option(help="Of the choice of rows and errors.", min=0)] = 1,
    json: JsonFlag = False,
) -> None:
    """Put errors of known place into a copy of the data, and say what each check finds of them."""
    from mercer.bench.own import chosen, measure

    wanted = chosen(checks.replace(",", " ").split())
    with tempfile.TemporaryDirectory(prefix="mercer-bench-") as name:
        raws, settings = _read(folder, Path(name))
        with progress() as bars:
            task = bars.add_task("measuring", total=len(wanted))
            measured = measure(
                raws,
                checks=wanted,
                rate=rate,
                difficulty=difficulty.value,
                seed=seed,
                settings=settings,
                tick=lambda id: bars.update(task, advance=1, description=f"measured {id}"),
            )
    if json:
        print_json(_as_json(measured) | {"rate": rate, "difficulty": difficulty.value, "seed": seed})
    else:
        _print(measured)


def _read(folder: Path | None, scratch: Path) -> tuple[Mapping[str, Raw], QualitySettings | None]:
    """The raw data of a shop and its [quality]; its files alone, without what came in through the API."""
    from mercer.bench.own import invented

    if folder is None:
        return invented(scratch), None
    from mercer.cli.check_shop import quality_settings
    from mercer.cli.settings import tables
    from mercer.quality.source import read_all, sources
    from mercer.shop import Shop

    shop = Shop(folder)
    told = tables(shop.folder)
    found = sources(shop.folder, told.get("data", {}), told.get("map", {}))
    return read_all(found, parts=scratch), quality_settings(told.get("quality", {}))


def _as_json(measured: Measured) -> dict[str, Any]:
    return {"checks": [asdict(line) for line in measured.lines], "skipped": list(measured.skipped)}


def _print(measured: Measured) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("check")
    for name in ("injected", "found", "wrong", "before", "precision", "recall", "s"):
        table.add_column(name, justify="right")
    table.add_column("missed")
    for line in measured.lines:
        shares = ("–" if share is None else f"{share:.3f}" for share in (line.precision, line.recall))
        counts = (line.injected, line.found, line.wrong, line.before)
        missed = ", ".join(f"{kind} {count}" for kind, count in line.missed.items())
        table.add_row(line.check, *(f"{count:,}" for count in counts), *shares, f"{line.seconds:.1f}", missed)
    answers.print(table)
    if measured.skipped:
        console.print(f"nothing in this data to hurt for {', '.join(measured.skipped)}", highlight=False)
