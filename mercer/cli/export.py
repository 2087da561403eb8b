"""`mercer export SHOP FOLDER`: what a shop's log has of each day, as Parquet files."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import NotFoundError, UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    folder: ShopArgument,
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    day: Annotated[list[str] | None, typer.Option(help="A day in UTC, such as 2026-05-01; none is every day.")] = None,
    json: JsonFlag = False,
) -> None:
    """Export events, answers and what stood on them, a Parquet file a day; they name shoppers, so keep them safe."""
    from mercer.events.export_day import days, export_day
    from mercer.events.log import EventLog
    from mercer.rank.feature import NAMES, unpacked
    from mercer.shop import Shop

    shop, asked = Shop(folder), [_date(text) for text in day or ()]
    if not shop.events.exists():
        raise NotFoundError(f"{folder} has no log yet", cure="serve it first: mercer serve SHOP")
    with EventLog(shop.events) as log:
        found = {str(one): export_day(log, one, target, names=NAMES, unpack=unpacked) for one in asked or days(log)}
    if json:
        print_json(found)
        return
    for one, counts in found.items():
        said = ", ".join(f"{count:,} {family}" for family, count in counts.items())
        answers.print(f"{one}  {said}", highlight=False)


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--day {text!r} is no day", cure="give one such as 2026-05-01") from error
