"""`mercer measure fair SHOP`: judged queries in; whose products are seen, and what evening that out costs, out."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress
from mercer.errors import GateBlocked

if TYPE_CHECKING:
    from mercer.doors.fairness import Fair
    from mercer.measure.fairness import FairSettings

__all__ = ["fair_settings", "register"]

SHOWN = 12
"""Groups that are listed, those of most merit."""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("fair")(fair)


def fair_settings(folder: Path) -> FairSettings:
    """Section ``[fair]`` of a shop."""
    from mercer.cli.settings import tables
    from mercer.config import section
    from mercer.measure.fairness import FairSettings

    return section(tables(folder).get("fair", {}), FairSettings, name="fair")


def fair(
    folder: ShopArgument,
    queries: Annotated[Path | None, typer.Option(help="Queries; the shop's own checked ones if absent.")] = None,
    judgments: Annotated[Path | None, typer.Option(help="Judgments; the shop's own if absent.")] = None,
    by: Annotated[str, typer.Option(help="brand, price or attributes.NAME, as attributes.seller; else as set.")] = "",
    penalty: Annotated[float, typer.Option(help="Weight of a penalty on more of the same; says what it costs.")] = 0.0,
    version: Annotated[str, typer.Option(help="Index version; the live one if absent.")] = "",
    json: JsonFlag = False,
) -> None:
    """Exposure by group against what is due, swapped words, and the limit that `mercer promote` holds to."""
    from mercer.cli.measure import judged
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.fairness import keep, measure_fair
    from mercer.shop import Shop

    settings = fair_settings(folder)
    settings = dataclasses.replace(settings, by=by or settings.by)
    texts, truth = judged(folder, queries, judgments)
    doors = open_doors(folder, read_settings(folder), version=version, writable=False)
    try:
        with progress() as bars:
            task = bars.add_task("ask", total=None)
            found = measure_fair(doors, texts, truth, settings=settings, penalty=penalty,
                                 tick=lambda more: bars.advance(task, more))  # fmt: skip
    finally:
        doors.close()
    if not by or by == fair_settings(folder).by:
        keep(Shop(folder), found)
    if json:
        print_json(found.json())
    else:
        _show(found)
    if found.below:
        raise GateBlocked(
            f"{', '.join(found.below[:3])} get less than {found.least:g} of the exposure due to them",
            cure="turn [rank.diversity] on, or set [fair] least lower",
        )


def _show(found: Fair) -> None:
    from rich.markup import escape
    from rich.table import Table

    evened = {one.group: one for one in found.evened}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (found.by, "products", "exposure", "due", "by what is due", "95 %", *(["evened"] if evened else [])):
        table.add_column(name, justify="left" if name == found.by else "right")
    for one in found.exposures[:SHOWN]:
        ends = f"{one.low:.2f} to {one.high:.2f}"
        more = [f"{evened[one.group].ratio:.2f}" if one.group in evened else ""] if evened else []
        figures = (f"{one.products:,}", f"{one.share:.1%}", f"{one.merit:.1%}", f"{one.ratio:.2f}", ends, *more)
        table.add_row(escape(one.group), *figures)
    answers.print(table)
    if found.cost is not None:
        cost = found.cost
        said = f"{found.metric} {found.mean:.4f}, evened {cost.difference:+.4f} ({cost.low:+.4f} to {cost.high:+.4f})"
        answers.print(said, highlight=False)
    if found.swaps:
        shared = sum(one.shared for one in found.swaps) / len(found.swaps)
        console.print(f"{len(found.swaps)} queries with a word swapped share {shared:.0%} of their answers")
    priced = [one for one in found.swaps if not math.isnan(one.price)]
    for swap in sorted(priced, key=lambda one: -abs(one.price - 1))[:5]:
        console.print(f"  {escape(swap.query)} → {escape(swap.other)}: price × {swap.price:.2f}", highlight=False)
