"""`mercer restore SHOP FILE`: a backup, checked file by file, becomes the shop in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.terminal import JsonFlag, console, print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("restore")(restore)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="SHOP", help="The shop's folder, new or empty.")],
    file: Annotated[Path, typer.Argument(help="A backup; FILE SHOP is understood as well.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the shop that is there aside, under another name.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Bring a shop back from its backup; a damaged one changes nothing."""
    from mercer.errors import NotFoundError
    from mercer.shop.restore import restore as read

    archive, shop = (folder, file) if folder.is_file() and not file.is_file() else (file, folder)
    if not archive.is_file():
        raise NotFoundError(f"{archive} is no file", cure="name a backup: mercer backup SHOP FILE")
    with console.status(f"restoring {shop}"):
        done = read(archive, shop, replace=replace)
    if json:
        print_json(
            {"shop": str(shop), "files": done.files, "bytes": done.bytes, "made": done.made,
             "before": str(done.before) if done.before else None, "audit": done.audit}
        )  # fmt: skip
        return
    console.print(
        f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB, each as it was archived; {shop} is the shop of the backup",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    if done.before:
        console.print(f"the shop before it: {done.before}", highlight=False, soft_wrap=True, markup=False)
    for fault in done.audit:
        console.print(f"audit log: {fault}", style="yellow", highlight=False, soft_wrap=True, markup=False)
    console.print("the next start makes the search structures again; then it serves", highlight=False)
