"""`mercer explain SHOP --shopper ID`: what the shop knows of a shopper, with its evidence; corrected where asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.cli.terminal import answers, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.doors.portrait import Evidence, Portrait

__all__ = ["explain_shopper"]


def explain_shopper(
    folder: Path, id: str, *, mute: Sequence[str] = (), want: Sequence[str] = (), unset: Sequence[str] = (), json: bool
) -> None:
    """Change what is asked for, then show the portrait.

    Args:
        folder: of the shop.
        id: of the shopper.
        mute, want, unset: FIELD=VALUE each, such as brand=Nord.
        json: print one JSON document.
    """
    import dataclasses

    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    changes = [
        (_pair(text), wanted) for texts, wanted in ((mute, False), (want, True), (unset, None)) for text in texts
    ]
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        for (field, value), wanted in changes:
            doors.prefer(id, field, value, wanted=wanted)
        found = doors.portrait(id)
    finally:
        doors.close()
    if json:
        print_json(dataclasses.asdict(found))
    else:
        _show(found)


def _pair(text: str) -> tuple[str, str]:
    field, sign, value = text.partition("=")
    if not (field and sign and value):
        raise RequestError(
            f"{text!r} is no preference", cure='give FIELD=VALUE, such as brand=Nord or "category=A > B"'
        )
    return field, value


def _show(found: Portrait) -> None:
    from rich.markup import escape
    from rich.table import Table

    def say(text: str) -> None:
        answers.print(text, highlight=False, soft_wrap=True)

    say(
        f"[bold]{escape(found.id)}[/]  {found.products} products, {found.bought} bought, on {found.active_days} days; "
        f"first {_day(found.first)}, last {_day(found.last)}"
    )
    for segment in found.segments:
        say(f"[bold]{escape(segment.name)}[/]  [dim]{escape(segment.why)}[/]")
    if found.price:
        band = found.price
        say(f"price {band.low:g} to {band.high:g} {band.currency}, mostly {band.middle:g} ({band.products} products)")
    for word, pairs in (("muted", found.muted), ("wanted", found.wanted)):
        for field, value in pairs:
            say(f"[yellow]{word}[/] {escape(field)}={escape(value)}")
    table = Table(box=None, pad_edge=False)
    for name in ("interest", "in", "share", "x chance", "because of"):
        table.add_column(name, justify="right" if name in ("share", "x chance") else "left")
    for one in found.interests:
        value = f"{escape(one.value)} [yellow]{one.preference}[/]" if one.preference else escape(one.value)
        why = "; ".join(_said(evidence) for evidence in one.evidence)
        table.add_row(value, one.field, f"{one.share:.0%}", f"{one.lift:.1f}", escape(why))
    answers.print(table if found.interests else "no interest can be told: its products are not in the index")


def _said(evidence: Evidence) -> str:
    return f"{evidence.action} {evidence.title[:30]} ({_day(evidence.time)})"


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d") if moment else "never"
