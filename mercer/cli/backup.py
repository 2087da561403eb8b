"""`mercer backup SHOP FILE`: a shop, also while it is served, as one file that `mercer restore` takes back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backup")(backup)


def backup(
    folder: ShopArgument,
    file: Annotated[
        Path, typer.Argument(help="Where the backup goes; one that is there is replaced once it is whole.")
    ],
    json: JsonFlag = False,
) -> None:
    """Copy a shop into one file: settings, rules, keys, versions, events, audit log; served or not."""
    from mercer.shop import Shop
    from mercer.shop.backup import backup as write

    shop = Shop(folder)
    with console.status(f"copying {folder}"):
        members = write(shop, file)
    size = sum(member.size for member in members)
    if json:
        print_json({"file": str(file), "files": len(members), "bytes": size, "archive_bytes": file.stat().st_size})
        return
    console.print(
        f"{len(members):,} files, {size / 1e6:,.1f} MB, in {file} ({file.stat().st_size / 1e6:,.1f} MB); it holds what "
        "shoppers did and hashes of keys: only you may read it",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
