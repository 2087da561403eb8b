"""`mercer explain SHOP "query" --product ID --tokens`: what each word adds to the score, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mercer.cli.terminal import answers, console, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.encode.attribute import Attributed

__all__ = ["explain_tokens"]

SHOWN = 12
"""Words of a text that are listed, those that add or take most."""


def explain_tokens(folder: Path, query: str, product: str, *, json: bool) -> None:
    """Print the attributions and write them as a page.

    Raises:
        RequestError: no product was named. NotFoundError: it is not in the index.
    """
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.attribute import attribute
    from mercer.doors.attribute_page import page
    from mercer.shop import Shop, disk_errors

    if not product:
        raise RequestError("--tokens names no product", cure='mercer explain SHOP "query" --product ID --tokens')
    settings = read_settings(folder)
    doors = open_doors(folder, settings, writable=False)
    try:
        found = attribute(doors, query, product, settings)
    finally:
        doors.close()
    path = Shop(folder).reports / "explain-tokens.html"
    with disk_errors(path.parent):
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(found), "utf-8")
    if json:
        print_json(found.json() | {"page": str(path)})
        return
    for one in found.parts:
        _show(one)
    console.print(f"[dim]page: {path}[/]", highlight=False)


def _show(one: Attributed) -> None:
    from rich.markup import escape

    side = "query" if one.side == "query" else "product"
    total = sum(token.value for token in one.tokens)
    sums = f"{one.score:+.4f} = {one.base:+.4f} blank {total:+.4f} words {-one.gap:+.4f} not exact"
    answers.print(f"[bold]{one.by}, {side}[/] {sums}", highlight=False)
    most = max((abs(token.value) for token in one.tokens), default=0.0) or 1.0
    for token in sorted(one.tokens, key=lambda token: -abs(token.value))[:SHOWN]:
        colour = "green" if token.value >= 0 else "red"
        bar = "█" * max(1, round(20 * abs(token.value) / most))
        answers.print(f"  {token.value:+.4f} [{colour}]{bar}[/] {escape(token.text)}", highlight=False)
