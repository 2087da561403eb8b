"""`mercer erase SHOP --shopper ID`: a shopper taken out of a shop's store, with a proof of what was removed where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import ShopError

if TYPE_CHECKING:
    from mercer.doors.erase import Proof

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase")(erase)


def erase(
    folder: ShopArgument,
    shopper: Annotated[str, typer.Option(help="The id, as the events have it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    json: JsonFlag = False,
) -> None:
    """Erase a shopper from events, profile, checked data and index; what is built later leaves them out."""
    import dataclasses

    from mercer.doors.erase import erase as remove
    from mercer.doors.erase import unserved
    from mercer.shop import Shop

    shop = Shop(folder)
    if not yes:
        typer.confirm(f"erase {shopper!r} from {folder} for good?", abort=True, err=True)
    with unserved(shop):
        proof = remove(shop, shopper, raw=_raw(folder))
    if json:
        print_json(dataclasses.asdict(proof))
    else:
        _show(proof)
    if proof.found:
        raise ShopError(
            f"{len(proof.found)} files still speak of the shopper: {', '.join(proof.found[:3])}",
            cure="remove those files, or build them again, then erase once more",
        )


def _raw(folder: Path) -> list[Path]:
    """The owner's files that may name shoppers."""
    from mercer.cli.settings import tables
    from mercer.quality.source import sources

    told = tables(folder)
    if not told.get("data"):
        return []
    found = sources(folder, told["data"], told.get("map", {}))
    return [path for family in ("events", "reviews") if family in found for path in found[family].files]


def _show(proof: Proof) -> None:
    from rich.markup import escape

    if not proof.removed:
        answers.print("the store had nothing of this shopper; what the files have is passed over from now on")
    for one in proof.removed:
        answers.print(f"removed {one['rows']:>7,}  {escape(one['where'])}", highlight=False, soft_wrap=True)
    for left in proof.left:
        answers.print(
            f"[yellow]left[/]  {escape(left['what'])}: {escape(left['why'])}; until {escape(left['until'])}",
            highlight=False,
            soft_wrap=True,
        )
    answers.print(
        f"{proof.files:,} files looked through, {len(proof.found)} still speak of the shopper; proof: {proof.path}",
        highlight=False,
        soft_wrap=True,
    )
