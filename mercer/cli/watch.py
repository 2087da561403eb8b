"""`mercer watch SHOP`: drift, quality over time, alarms, experiments, and whether to train again; once or again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json
from mercer.errors import MercerError, UsageError

if TYPE_CHECKING:
    from mercer.watch.drift_answers import Features
    from mercer.watch.drift_catalogue import Vectors
    from mercer.watch.run import Watched
    from mercer.watch.settings import WatchSettings

__all__ = ["look", "register", "watch_settings"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


def watch(
    folder: ShopArgument,
    once: Annotated[bool, typer.Option("--once", help="Look once and end; so it is without --every.")] = False,
    every: Annotated[float, typer.Option(help="Look again every so many minutes; 0 is once.", min=0)] = 0.0,
    acknowledge: Annotated[str, typer.Option(metavar="RULE", help="Say that you have seen an alarm.")] = "",
    mute: Annotated[str, typer.Option(metavar="RULE", help="Deliver nothing of a rule for --hours.")] = "",
    hours: Annotated[float, typer.Option(help="Of --mute; 0 takes it back.", min=0)] = 24.0,
    note: Annotated[str, typer.Option(help="Of --acknowledge: what you know of it.")] = "",
    json: JsonFlag = False,
) -> None:
    """Say what changed, how search does, which alarms stand (then exit code 1), and whether to train again."""
    if once and every:
        raise UsageError(f"--once and --every {every:g} were given", cure="give one of them")
    if acknowledge or mute:
        _answer(folder, acknowledge, mute, hours, note)
        return
    settings = watch_settings(folder)
    while True:
        try:
            watched = look(folder, settings)
        except MercerError as error:
            if not every:
                raise
            console.print(f"[red]not this time[/] {error.problem}; cure {error.cure}", highlight=False)
        else:
            print_json(watched.row()) if json else _show(folder, watched)
            if not every:
                raise typer.Exit(1 if watched.standing else 0)
        time.sleep(every * 60)


def watch_settings(folder: Path) -> WatchSettings:
    """Section [watch] of the shop's mercer.toml."""
    from mercer.cli.settings import tables
    from mercer.config import section
    from mercer.watch.settings import WatchSettings

    return section(tables(folder).get("watch", {}), WatchSettings, name="watch")


def look(folder: Path, settings: WatchSettings) -> Watched:
    """Look once, and keep the report; a server may run meanwhile.

    Raises:
        NotFoundError: no shop. ShopError: its log cannot be read.
    """
    from mercer.events.log import EventLog
    from mercer.shop import Shop
    from mercer.watch import run

    shop = Shop(folder)
    with EventLog(shop.events) as log, console.status("looking") as status:
        found = run.watch(
            shop, settings, log, vectors=_vectors(folder), told=_features(folder),
            tell=status.update,
        )  # fmt: skip
        run.keep(shop, found)
    return found


def _vectors(folder: Path) -> Vectors | None:
    """How products become vectors, with the live index's encoder; the cache has most of them."""
    from mercer.cli.settings import read_settings
    from mercer.doors.build import encoder_settings
    from mercer.encode import load
    from mercer.encode.cache import VectorCache
    from mercer.records import Product
    from mercer.retrieve.text import passage
    from mercer.shop import Shop

    shop = Shop(folder)
    live = shop.live("index")
    if live is None:
        return None

    def encode(rows: Any) -> Any:
        card = shop.card("index", live.version)
        encoder = load(settings=encoder_settings(shop, read_settings(folder).encode, card["encoder"]))
        return VectorCache(shop.cache).encode(encoder, (passage(Product.from_row(row)) for row in rows))

    return encode


def _features(folder: Path) -> Features | None:
    """How the log keeps what the live ranker is told; None where the index has no ranker."""
    import json

    from mercer.rank.feature import NAMES, unpacked
    from mercer.shop import Shop
    from mercer.watch.change import Histogram
    from mercer.watch.drift_answers import Features

    shop = Shop(folder)
    live = shop.live("index")
    ranker = str(shop.card("index", live.version).get("ranker", "")) if live else ""
    if not ranker:
        return None
    path = shop.path("models", ranker) / "reference.json"
    rows = json.loads(path.read_text("utf-8")) if path.exists() else {}
    trained = {name: Histogram(tuple(row["edges"]), tuple(row["counts"])) for name, row in rows.items()}

    def read(told: bytes) -> Any:
        found = unpacked(told)
        return None if found is None else found[1]

    return Features(NAMES, read, trained)


def _answer(folder: Path, acknowledge: str, mute: str, hours: float, note: str) -> None:
    import getpass

    from mercer.shop import Shop
    from mercer.watch.alarm_book import AlarmBook

    book = AlarmBook(Shop(folder))
    if acknowledge:
        held = book.acknowledge(acknowledge, by=getpass.getuser(), note=note)
        answers.print(f"{acknowledge} was seen by {held.acknowledged}", highlight=False)
    if mute:
        book.mute(mute, hours=hours)
        answers.print(f"{mute} is muted for {hours:g} hours" if hours else f"{mute} is told again", highlight=False)


def _show(folder: Path, watched: Watched) -> None:
    """Tables of what was found, the decision last."""
    from rich.markup import escape

    from mercer.watch.health import MEASURES
    from mercer.watch.report import moment, rows

    slices = rows(watched.health)
    if slices:
        _table(["slice", *MEASURES], [[name, *cells] for name, cells in slices], "the last window that each slice has")
    else:
        answers.print(f"quality of search: no whole window has enough answers ({watched.health.answers} searches)")
    changed = [one for one in watched.drift if one.severity != "none"]
    if changed:
        lines = [
            [one.group, one.what, f"{one.change.size:.3f} {one.change.unit}", f"{one.corrected:.2g}", one.severity]
            for one in changed
        ]
        _table(["drift", "what", "size", "corrected p", "severity"], lines, "")
    if watched.drift:
        answers.print(f"{len(watched.drift)} distributions compared, {len(changed)} changed")
    for skip in watched.skipped:
        answers.print(f"[dim]{skip.group}, {skip.what}: not compared ({escape(skip.why)})[/]", highlight=False)
    for outcome in watched.outcomes:
        for said in outcome.said:
            answers.print(f"experiment {outcome.experiment}: {escape(said)}", highlight=False)
    for name, held in watched.standing.items():
        seen = f", seen by {held.acknowledged}" if held.acknowledged else ""
        said = f"[red]{held.alarm.severity} alarm[/] {escape(name)} since {moment(held.changed)}{escape(seen)}: "
        answers.print(said + escape(held.alarm.title), highlight=False)
    for failed in watched.failed:
        console.print(f"[red]not delivered[/] {escape(failed)}", highlight=False)
    decision = watched.decision
    answers.print(
        f"[bold]retrain: {'yes' if decision.retrain else 'no'}[/], because {escape('; '.join(decision.because))}"
    )
    if decision.index and not decision.retrain:
        answers.print(f"build the index again: mercer index {folder}", highlight=False)
    for said in decision.against:
        answers.print(f"[dim]  against: {escape(said)}[/]", highlight=False)
    answers.print(f"report: {folder / 'store' / 'reports' / 'watch.html'}", highlight=False)


def _table(heads: list[str], lines: list[list[str]], title: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=title or None, title_justify="left")
    for head in heads:
        table.add_column(head)
    for line in lines:
        table.add_row(*map(escape, line))
    answers.print(table)
