"""`mercer audit SHOP`: who published, went back, put rows back or changed keys, and whether that list is whole."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json

if TYPE_CHECKING:
    from mercer.shop import Audit, Entry

__all__ = ["register"]


class Act(StrEnum):
    """What to do with the log."""

    list = "list"
    verify = "verify"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)


def audit(
    folder: ShopArgument,
    act: Annotated[Act, typer.Argument(help="list the changes, or verify that none was altered or taken out.")] = (
        Act.list
    ),
    *,
    limit: Annotated[int, typer.Option(help="At most so many of the newest.", min=1)] = 20,
    contains: Annotated[str, typer.Option(help="verify: hash of an entry that must be there, noted elsewhere.")] = "",
    json: JsonFlag = False,
) -> None:
    """Show who changed what, or verify that the log is whole (exit code 1 where it is not)."""
    from mercer.shop import Shop

    log = Shop(folder).audit
    if act is Act.verify:
        _verify(log, contains, as_json=json)
    else:
        _list(log.entries(), limit, as_json=json)


def _verify(log: Audit, contains: str, *, as_json: bool) -> None:
    faults = log.verify(contains=contains)
    last = log.entries()[-1:] if not faults else []
    if as_json:
        print_json({"whole": not faults, "faults": faults, "last": [entry.hash for entry in last]})
    elif faults:
        for fault in faults:
            console.print(fault, style="red", markup=False, highlight=False)
    elif last:
        answers.print(
            f"{last[0].seq:,} entries, each as it was written; note the last one's hash elsewhere:\n{last[0].hash}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    else:
        answers.print("nothing was changed yet")
    if faults:
        raise typer.Exit(1)


def _list(entries: list[Entry], limit: int, *, as_json: bool) -> None:
    import dataclasses

    shown = entries[-limit:]
    if as_json:
        print_json({"count": len(entries), "entries": [dataclasses.asdict(entry) for entry in shown]})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("entry", "time", "who", "act", "about"):
        table.add_column(name, no_wrap=name != "about")
    for entry in shown:
        told = ", ".join(f"{name} {_said(value)}" for name, value in entry.about.items() if value not in ("", [], None))
        table.add_row(str(entry.seq), _moment(entry.time), escape(entry.who), entry.act, escape(told))
    answers.print(table)
    console.print(f"{len(shown):,} of {len(entries):,} changes")


def _said(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(time: int) -> str:
    """As a person reads it, in UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
