"""`mercer recommend SHOP`: the live recommendation door on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, print_json
from mercer.errors import RequestError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recommend")(recommend)


def recommend(
    folder: ShopArgument,
    shopper: Annotated[str, typer.Option(help="Whose page; without one it is for everybody.")] = "",
    item: Annotated[str, typer.Option(help="The product that similar, together and next are about.")] = "",
    scene: Annotated[
        Literal["home", "next", "similar", "together", "basket", "trending"] | None,
        typer.Option(help="Which page; basket or similar where there is one or an item, else home."),
    ] = None,
    basket: Annotated[list[str] | None, typer.Option(help="A product in the basket; repeat.")] = None,
    session: Annotated[str, typer.Option(help="A visit of somebody unknown, or before --shopper signed in.")] = "",
    seen: Annotated[list[str] | None, typer.Option(help="A product just looked at, oldest first; repeat.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="Products to show, 1 to 1000.")] = 10,
    offset: Annotated[int, typer.Option(help="Products to skip.")] = 0,
    exclude: Annotated[list[str] | None, typer.Option(help="A product not to show; repeat.")] = None,
    filter: Annotated[list[str] | None, typer.Option(help="brand=Nord, price=10..50, category=Cups; repeat.")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of the reasons.")] = "en",
    device: Annotated[str, typer.Option(help="As the events name it: phone.")] = "",
    place: Annotated[str, typer.Option(help="As the events name it: Lyon.")] = "",
    occasion: Annotated[str, typer.Option(help="As products' attribute of that name has it: gift.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Every shopper, into --out; goes on if cut off.")] = False,
    out: Annotated[Path | None, typer.Option(help="A .jsonl or .parquet file for --all.")] = None,
    explain: Annotated[bool, typer.Option(help="Show the ledger of each score.")] = False,
    json: JsonFlag = False,
) -> None:
    """Recommend from the live index."""
    import dataclasses

    from mercer.cli.recommend_all import recommend_all
    from mercer.cli.search import page_json, parse_filters, show
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.records import Request, Shopper

    if everybody != (out is not None) or (everybody and (shopper or session or seen)):
        raise RequestError("--all, --out and one shopper do not go together", cure="give --all --out FILE, or neither")
    said = {"language": language, "device": device, "place": place, "occasion": occasion}
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        known = doors.shopper(shopper, session) if shopper or session else Shopper("")
        if seen:
            known = dataclasses.replace(known, products=(*known.products, *seen), times=())
        request = Request(
            scene=scene or ("basket" if basket else "similar" if item else "home"),
            item=item,
            basket=tuple(basket or ()),
            shopper=known,
            session=session,
            filters=parse_filters(filter or ()),
            exclude=tuple(exclude or ()),
            k=k,
            offset=offset,
            context={name: value for name, value in said.items() if value},
        )
        if out is not None:
            recommend_all(doors, request, out, as_json=json)
            return
        page = doors.recommend(request)
    finally:
        doors.close()
    if json:
        print_json(page_json(page))
    else:
        show(page, explain=explain)
