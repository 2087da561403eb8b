"""`mercer prune SHOP --days N`: what a shop's log has from before N days deleted, exported first where asked."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import NotFoundError

__all__ = ["register"]

DAY = 86_400_000
"""Milliseconds."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prune")(prune)


def prune(
    folder: ShopArgument,
    days: Annotated[int, typer.Option(help="Of today and the days before it are kept, in UTC.", min=1, max=36_500)],
    export: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each day that goes as Parquet first.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    json: JsonFlag = False,
) -> None:
    """Delete old events, answers and impressions; the next check and index do without them. Served or not."""
    import datetime

    from mercer.events.export_day import days as days_of
    from mercer.events.export_day import export_day
    from mercer.events.log import EventLog
    from mercer.events.prune import prune as delete
    from mercer.rank.feature import NAMES, unpacked
    from mercer.shop import Shop

    shop = Shop(folder)
    if not shop.events.exists():
        raise NotFoundError(f"{folder} has no log yet", cure="serve it first: mercer serve SHOP")
    before = (int(time.time() * 1000) // DAY - days + 1) * DAY
    first = datetime.datetime.fromtimestamp(before / 1000, datetime.UTC).date()
    if not yes:
        typer.confirm(f"delete what {folder} has from before {first} for good?", abort=True, err=True)
    with EventLog(shop.events) as log:
        old = [day for day in days_of(log) if day < first] if export else []
        for day in old:
            export_day(log, day, export or Path(), names=NAMES, unpack=unpacked)
        gone = delete(log, before)
    shutil.rmtree(shop.cache / "live", ignore_errors=True)  # the check's copy of the log
    shop.audit.append("prune", {"before": str(first), **gone})
    if json:
        print_json({"before": str(first), **gone, "exported": len(old)})
    else:
        rows = ", ".join(f"{count:,} {table}" for table, count in gone.items())
        answers.print(f"from before {first}: {rows} deleted, {len(old)} days exported")
