"""`mercer recommend SHOP`: the live recommendation door on the command line."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recommend")(recommend)


def recommend(
    folder: ShopArgument,
    shopper: Annotated[str, typer.Option(help="Whose page; without one it is for everybody.")] = "",
    item: Annotated[str, typer.Option(help="The product that similar, together and next are about.")] = "",
    scene: Annotated[
        Literal["home", "next", "similar", "together", "trending"] | None,
        typer.Option(help="Which page; similar if there is an item, else home."),
    ] = None,
    seen: Annotated[list[str] | None, typer.Option(help="A product just looked at, oldest first; repeat.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="Products to show, 1 to 1000.")] = 10,
    offset: Annotated[int, typer.Option(help="Products to skip.")] = 0,
    exclude: Annotated[list[str] | None, typer.Option(help="A product not to show; repeat.")] = None,
    filter: Annotated[list[str] | None, typer.Option(help="brand=Nord, price=10..50, category=Cups; repeat.")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of the reasons.")] = "en",
    explain: Annotated[bool, typer.Option(help="Show the ledger of each score.")] = False,
    json: JsonFlag = False,
) -> None:
    """Recommend from the live index."""
    from mercer.cli.search import page_json, parse_filters, show
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.records import Request, Shopper

    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        known = doors.shopper(shopper) if shopper else Shopper("")
        if seen:
            known = Shopper(shopper, (*known.products, *seen))
        request = Request(
            scene=scene or ("similar" if item else "home"),
            item=item,
            shopper=known,
            filters=parse_filters(filter or ()),
            exclude=tuple(exclude or ()),
            k=k,
            offset=offset,
            context={"language": language},
        )
        page = doors.recommend(request)
    finally:
        doors.close()
    if json:
        print_json(page_json(page))
    else:
        show(page, explain=explain)
