"""`mercer experiment SHOP start | list | show | stop`: arms that shoppers share, and what came of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import FormatError, NotFoundError, UsageError

if TYPE_CHECKING:
    from mercer.watch.experiment import Experiment
    from mercer.watch.outcome import Outcome

__all__ = ["register"]


class Act(StrEnum):
    """What to do."""

    list = "list"
    show = "show"
    start = "start"
    stop = "stop"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("experiment")(experiment)


def experiment(
    folder: ShopArgument,
    act: Annotated[Act, typer.Argument(help="list, show ID, start FILE, or stop ID")] = Act.list,
    what: Annotated[str, typer.Argument(metavar="ID|FILE", help="Of start: a TOML or JSON file.")] = "",
    json: JsonFlag = False,
) -> None:
    """Start, judge and stop experiments; a running server follows from the next request on."""
    from mercer.shop import Shop
    from mercer.watch.experiment_book import ExperimentBook

    book = ExperimentBook(Shop(folder))
    if act is not Act.list and not what:
        raise UsageError(f"{act} names nothing", cure=f"mercer experiment {folder} {act} ID, or FILE to start")
    if act is Act.list:
        _list(book.all(), as_json=json)
        return
    if act is Act.start:
        row = _read(Path(what))
        _check(folder, row)
        one = book.start(row)
    else:
        one = book.stop(what) if act is Act.stop else book.one(what)
    _show(folder, one, as_json=json)


def _read(path: Path) -> dict[str, Any]:
    """What a file says of an experiment.

    Raises:
        NotFoundError: no such file. FormatError: neither TOML nor JSON.
    """
    import json
    import tomllib

    try:
        text = path.read_text("utf-8")
        row: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} is not there", cure="give a file such as docs/en/watch.md has") from error
    except ValueError as error:
        raise FormatError(f"{path} cannot be read: {error}", cure="mend it, or name it .json if it is JSON") from error
    if not isinstance(row, dict):
        raise FormatError(f"{path} holds no table", cure="give an id and arms")
    return row


def _check(folder: Path, row: dict[str, Any]) -> None:
    """Refuse arms whose settings cannot be; without the index, which a server may hold."""
    from mercer.cli.settings import read_settings
    from mercer.doors.arm import changed
    from mercer.shop import Shop
    from mercer.watch.experiment import read

    settings, shop = read_settings(folder), Shop(folder)
    for arm in read(row).arms:
        ranker = changed(settings, arm.settings).rank.ranker
        if ranker not in ("", "off"):
            shop.card("models", ranker)


def _list(known: list[Experiment], *, as_json: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from mercer.watch.report import moment

    if as_json:
        print_json([each.row() for each in known])
        return
    table = Table(box=None, pad_edge=False)
    for head in ("id", "state", "kind", "scenes", "arms", "since", "note"):
        table.add_column(head)
    for each in known:
        arms = ", ".join(f"{arm.name}{' (stopped)' if arm.stopped else ''}" for arm in each.arms)
        cells = (each.id, each.state, each.kind, ", ".join(each.scenes), arms, moment(each.started), each.note)
        table.add_row(*map(escape, cells))
    answers.print(table if known else "no experiments; begin one: mercer experiment SHOP start FILE")


def _show(folder: Path, one: Experiment, *, as_json: bool) -> None:
    from mercer.events.log import EventLog
    from mercer.shop import Shop
    from mercer.watch.outcome import outcome

    with EventLog(Shop(folder).events) as log:
        found = outcome(one, log)
    if as_json:
        print_json({"experiment": one.row(), "outcome": found.row()})
    else:
        _tell(one, found)


def _tell(one: Experiment, found: Outcome) -> None:
    """Arms beside each other, then what follows."""
    from rich.markup import escape
    from rich.table import Table

    answers.print(f"{one.id}: {one.kind}, {one.state}, in {', '.join(one.scenes)}", highlight=False)
    table = Table(box=None, pad_edge=False)
    names = list(found.arms[0].metrics)
    for head in ("arm", "shoppers", *names):
        table.add_column(head)
    for arm in found.arms:
        values = (f"{arm.metrics[name]:.4g}" if arm.metrics[name] == arm.metrics[name] else "" for name in names)
        table.add_row(escape(arm.name), f"{arm.units:,}", *values)
    answers.print(table)
    for each in found.comparisons:
        if each.n and each.low > float("-inf"):
            sure = "" if each.low <= 0 <= each.high else "[bold]sure[/] "
            spread = f"{each.difference:+.4g} \\[{each.low:+.4g}, {each.high:+.4g}] p {each.p:.2g}"
            answers.print(f"  {sure}{escape(each.arm)} {each.metric} {spread}", highlight=False)
    answers.print(
        f"sample ratio: p {found.ratio_p:.3g}{'' if found.trusted else '  [red]not as was set[/]'}", highlight=False
    )
    for said in found.said:
        answers.print(escape(said), highlight=False)
