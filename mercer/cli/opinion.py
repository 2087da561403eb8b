"""`mercer opinion SHOP`: what people say, read and counted; a board, alarms, a replay and a report out."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.opinion.monitor import Monitor

__all__ = ["monitor_of", "register"]


class Act(StrEnum):
    """What to do."""

    show = "show"
    read = "read"
    alarms = "alarms"
    replay = "replay"
    discover = "discover"
    acknowledge = "acknowledge"
    mute = "mute"
    speed = "speed"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("opinion")(opinion)


def opinion(
    folder: ShopArgument,
    act: Annotated[Act, typer.Argument(help="What to do; show where nothing is named.")] = Act.show,
    given: Annotated[
        list[str] | None, typer.Argument(help="Of read: files or feeds; of acknowledge and mute: ids.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="Of read: reviews, questions, tickets, news, posts or another name.")
    ] = "posts",
    days: Annotated[float, typer.Option(help="Days that the board looks back.")] = 30,
    weeks: Annotated[int, typer.Option(help="Of replay: weeks of history.", min=1, max=520)] = 26,
    hours: Annotated[float, typer.Option(help="Of mute: hours; 0 takes it back.")] = 24,
    by: Annotated[str, typer.Option(help="Of acknowledge: who.")] = "",
    groups: Annotated[int, typer.Option(help="Of discover: how many; 0 chooses.", min=0, max=100)] = 0,
    tell: Annotated[bool, typer.Option("--tell", help="Deliver new alarms to the alarm log and the webhook.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a page with plots.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say what people say of the shop: sentiment, topics, aspects, what drives the negative, and what is rising."""
    monitor = monitor_of(folder)
    words = given or []
    if words and act not in (Act.read, Act.acknowledge, Act.mute):
        raise RequestError(f"{act} was given {words[0]!r}", cure="see: mercer opinion --help")
    if act is Act.show:
        _show(monitor, days=days, report=report, tell=tell, json=json)
    elif act is Act.read:
        _read(monitor, [Path(one) for one in words], source, json=json)
    elif act is Act.alarms:
        _alarms(monitor, days, tell=tell, json=json)
    elif act is Act.replay:
        _replay(monitor, weeks, json=json)
    elif act is Act.discover:
        _discover(monitor, groups, json=json)
    elif act is Act.speed:
        _speed(monitor, json=json)
    else:
        if len(words) != 1:
            raise RequestError(f"{act} was given {len(words)} ids", cure=f"name one: mercer opinion {folder} alarms")
        row = monitor.acknowledge(words[0], by=by) if act is Act.acknowledge else monitor.mute(words[0], hours=hours)
        _told(row, json=json)


def monitor_of(folder: Path) -> Monitor:
    """A shop's monitor, with the names of its catalogue and its encoder at hand."""
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.opinion.monitor import Monitor
    from mercer.opinion.settings import OpinionSettings
    from mercer.shop import Shop

    shop = Shop(folder)
    settings = section(tables(folder).get("opinion", {}), OpinionSettings, name="opinion")

    def encoder() -> Any:
        from mercer.encode import load

        return load("" if settings.encoder == "none" else settings.encoder, settings=read_settings(folder).encode)

    return Monitor(shop, settings, encoder=encoder, products=lambda: _products(folder))


def _products(folder: Path) -> list[Any]:
    """The trusted catalogue; empty where there is none yet."""
    import pyarrow.parquet as pq

    from mercer.records import Product
    from mercer.shop import Shop

    shop = Shop(folder)
    live = shop.live("checked")
    path = shop.path("checked", live.version) / "products.parquet" if live else None
    if path is None or not path.exists():
        return []
    return [Product.from_row(row) for row in pq.read_table(path, columns=["id", "title", "brand"]).to_pylist()]


def _read(monitor: Monitor, paths: list[Path], source: str, *, json: bool) -> None:
    """Files and feeds; the shop's own reviews where none is named."""
    from mercer.opinion.source import from_file

    told: list[dict[str, Any]] = []
    with progress() as bars:
        if not paths:
            bar = bars.add_task("reviews", total=None)
            kept = monitor.take_checked(tick=lambda more: bars.advance(bar, more))
            told.append(
                {"file": "checked reviews", "new": kept.new, "copies": kept.copies, "known": kept.known, "refused": {}}
            )
        for path in paths:
            documents, refused = from_file(path, source=source, now=monitor.now)
            bar = bars.add_task(path.name, total=len(documents))
            kept = monitor.accept(documents, tick=lambda more, bar=bar: bars.advance(bar, more))  # type: ignore[misc]  # the bar of this file
            told.append(
                {
                    "file": str(path),
                    "new": kept.new,
                    "copies": kept.copies,
                    "known": kept.known,
                    "refused": dict(refused),
                }
            )
    if json:
        print_json(told)
        return
    for row in told:
        answers.print(
            f"{row['file']}: {row['new']:,} new, {row['copies']:,} copies, {row['known']:,} known", highlight=False
        )
        for why, number in row["refused"].items():
            console.print(f"[yellow]{number:,} refused: {why}[/]", highlight=False)


def _show(monitor: Monitor, *, days: float, report: Path | None, tell: bool, json: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    kept = monitor.take_checked()
    board, alarms = monitor.board(days=days), monitor.alarms()
    told = monitor.tell() if tell else []
    if report is not None:
        from mercer.opinion.board_page import board_page
        from mercer.shop import disk_errors

        with disk_errors(report):
            report.write_text(
                board_page(board, monitor.series(days=days), alarms, name=monitor.shop.folder.name), "utf-8"
            )
    if json:
        print_json(
            {**board.json(), "series": monitor.series(days=days), "alarms": alarms, "told": told, "read": kept.new}
        )
        return
    if not board.documents:
        answers.print(f"nothing was said; read some: mercer opinion {monitor.shop.folder} read FILE --source posts")
        return
    said = ", ".join(f"{name} {number:,}" for name, number in board.sentiments.items())
    answers.print(
        f"[bold]{board.documents:,} documents[/] in {days:g} days ({board.copies:,} copies beside): {said}",
        highlight=False,
    )
    for heading, rows in (
        ("what drives the negative", board.drivers),
        ("topic", board.topics),
        ("aspect", board.aspects),
    ):
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in (heading, "documents", "before", "positive", "negative", "share"):
            table.add_column(name, justify="left" if name == heading else "right")
        for one in rows[:10]:
            cells = (
                f"{one.documents:,}",
                f"{one.before:,}",
                f"{one.positive:,}",
                f"{one.negative:,}",
                f"{one.negative_share:.0%}",
            )
            table.add_row(escape(one.name), *cells)
        if rows:
            answers.print(table)
    _list(alarms)
    if report is not None:
        console.print(f"plots: {report}", highlight=False)


def _list(alarms: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    for row in alarms:
        state = "stands" if row["stands"] else "over"
        seen = f", seen by {row['acknowledged']}" if row["acknowledged"] else ""
        colour = "red" if row["stands"] else "dim"
        answers.print(
            f"[{colour}]{row['id']} {state}{seen}{', muted' if row['muted'] else ''}[/]  {escape(row['title'])}",
            highlight=False,
            soft_wrap=True,
        )
    if not alarms:
        console.print("[dim]no alarms[/]")


def _alarms(monitor: Monitor, days: float, *, tell: bool, json: bool) -> None:
    alarms, told = monitor.alarms(days=days), monitor.tell() if tell else []
    if json:
        print_json({"alarms": alarms, "told": told})
        return
    _list(alarms)
    for row in alarms:
        if row["stands"]:
            for one in row["documents"]:
                console.print(f"  {one['text'][:100]}", style="dim", highlight=False, markup=False)


def _replay(monitor: Monitor, weeks: int, *, json: bool) -> None:
    rows = monitor.replay(weeks=weeks)
    if json:
        print_json(rows)
        return
    if not rows:
        answers.print("too little history: a replay needs more than two weeks of documents")
    for row in rows:
        answers.print(
            f"false_alarms = {row['false_alarms']:<5g} {row['alarms']:5.0f} alarms, {row['a_week']:.2f} a week",
            highlight=False,
        )


def _discover(monitor: Monitor, groups: int, *, json: bool) -> None:
    from mercer.opinion.cluster import discover

    texts = [row[0] for row in monitor.store.rows("SELECT text FROM documents ORDER BY time DESC LIMIT 20000")]
    found = discover(texts, groups=groups)
    if json:
        print_json([{"name": one.name, "terms": one.terms, "texts": len(one.texts)} for one in found])
        return
    for one in found:
        answers.print(f"{len(one.texts):6,}  [bold]{one.name}[/]  {', '.join(one.terms)}", highlight=False)


def _speed(monitor: Monitor, *, json: bool) -> None:
    """How many documents a second one core reads; nothing is kept."""
    from mercer.opinion.source import from_rows

    rows = monitor.store.rows("SELECT text, product FROM documents LIMIT 2000")
    if not rows:
        raise RequestError(
            "there is nothing to read", cure=f"read something: mercer opinion {monitor.shop.folder} read FILE"
        )
    documents, _ = from_rows([{"text": text, "product": product} for text, product in rows], source="speed", now=0)
    reader = monitor.reader()
    reader(documents[:50])
    began, spent = time.perf_counter(), time.process_time()
    reader(documents)
    wall, core = time.perf_counter() - began, time.process_time() - spent
    told = {"documents": len(documents), "a_second": round(len(documents) / wall),
            "a_core_second": round(len(documents) / core),
            "model": reader.version or "word lists"}  # fmt: skip
    if json:
        print_json(told)
    else:
        answers.print(
            f"{told['a_core_second']:,} documents a second of one core ({told['a_second']:,} of the clock), "
            f"by {told['model']}",
            highlight=False,
        )


def _told(row: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(row)
    else:
        _list([row])
