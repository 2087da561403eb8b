"""`mercer search SHOP "query"`: the live search door on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.records import Filter, Page

__all__ = ["page_json", "parse_filters", "register", "show"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(search)


def search(
    folder: ShopArgument,
    query: Annotated[str, typer.Argument(help='What the shopper types; "" browses by popularity.')],
    k: Annotated[int, typer.Option("-k", "--k", help="Products to show, 1 to 1000.")] = 10,
    offset: Annotated[int, typer.Option(help="Products to skip.")] = 0,
    filter: Annotated[list[str] | None, typer.Option(help="brand=Nord, price=10..50, category=Cups; repeat.")] = None,
    facet: Annotated[list[str] | None, typer.Option(help="A field to count: brand, category, price …; repeat.")] = None,
    sort: Annotated[Literal["relevance", "price_up", "price_down", "rating"], typer.Option()] = "relevance",
    system: Annotated[Literal["hybrid", "lexical", "dense"], typer.Option(help="Which arms take part.")] = "hybrid",
    correct: Annotated[bool, typer.Option(help="Whether the spelling may be corrected.")] = True,
    explain: Annotated[bool, typer.Option(help="Show the ledger of each score.")] = False,
    json: JsonFlag = False,
) -> None:
    """Search the live index."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.records import Request

    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        request = Request(
            query=query, k=k, offset=offset, filters=parse_filters(filter or ()), facets=tuple(facet or ()), sort=sort,
            correct=correct,
        )  # fmt: skip
        page = doors.search(request, system=system)
    finally:
        doors.close()
    told = _confidence(doors, page) if query and sort == "relevance" and system == "hybrid" and not offset else {}
    if json:
        print_json(page_json(page) | told)
        return
    if told.get("nothing_fits"):
        answers.print("[yellow]nothing here fits well; the nearest:[/]")
    show(page, explain=explain)


def _confidence(doors: Doors, page: Page) -> dict[str, Any]:
    """How sure the first hit is, where `mercer measure confidence --keep` has measured this version."""
    from mercer.doors.confidence import kept_confidence, sure

    known = kept_confidence(doors.shop, doors.version)
    if known is None:
        return {}
    chance, nothing = sure(page, *known)
    return {"confidence": round(chance, 4), "nothing_fits": nothing}


def parse_filters(given: Iterable[str]) -> tuple[Filter, ...]:
    """``field=value``, ``field=one|other`` or ``field=low..high`` each.

    >>> parse_filters(["price=10..", "brand=Nord|青山"])[0].low
    10.0
    """
    from mercer.records import Filter
    from mercer.retrieve.columns import NUMBERS

    filters = []
    for text in given:
        field, sign, value = text.partition("=")
        if not sign or not field:
            raise RequestError(f"filter {text!r} has no =", cure="write brand=Nord or price=10..50")
        if field in NUMBERS:
            low, _, high = value.partition("..")
            filters.append(Filter(field, low=_bound(low, text), high=_bound(high if ".." in value else low, text)))
        else:
            filters.append(Filter(field, values=tuple(value.split("|"))))
    return tuple(filters)


def _bound(text: str, whole: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise RequestError(
            f"filter {whole!r} has no number", cure="write price=10..50, price=..50 or price=10.."
        ) from error


def page_json(page: Page) -> dict[str, Any]:
    """The page as the HTTP interface gives it."""
    return {
        "query_id": page.query_id,
        "total": page.total,
        "hits": [
            {
                "id": hit.id,
                "score": hit.score,
                "reason": hit.reason,
                "product": hit.product.to_row(),
                "ledger": [{"signal": c.signal, "value": c.value, "part": c.part} for c in hit.ledger],
            }
            for hit in page.hits
        ],
        "facets": {name: dict(counts) for name, counts in page.facets.items()},
        "corrected": page.corrected,
        "suggestion": page.suggestion,
        "degraded": page.degraded,
        "stages": dict(page.stages),
        "understood": dict(page.understood) or None,
        "rules": list(page.rules),
        "banner": dict(page.banner),
        "redirect": page.redirect,
    }


def show(page: Page, *, explain: bool = False) -> None:
    """Print a page as a table, with facets and times below."""
    from rich.markup import escape
    from rich.table import Table

    if page.corrected:
        answers.print(f"showing results for [bold]{escape(page.corrected)}[/] (as typed: --no-correct)")
    if page.suggestion:
        answers.print(f"did you mean: [bold]{escape(page.suggestion)}[/]")
    if page.redirect:
        answers.print(f"the shop leads this query to [bold]{escape(page.redirect)}[/]")
    if page.banner:
        answers.print(f"[bold]{escape(page.banner['text'])}[/] {escape(page.banner['url'])}")
    table = Table(box=None, pad_edge=False)
    for name in ("", "id", "title", "price", "score", "why"):
        table.add_column(name, justify="right" if name in ("", "price", "score") else "left")
    for place, hit in enumerate(page.hits, start=1):
        product = hit.product
        price = "" if product.price is None else f"{product.price:,.2f} {product.currency}".strip()
        why = " + ".join(f"{line.signal} {line.part:.3f}" for line in hit.ledger) if explain else hit.reason
        table.add_row(
            str(place), escape(product.id), escape(product.title[:80]), price, f"{hit.score:.3f}", escape(why)
        )
    answers.print(table if page.hits else "nothing found; try fewer words or fewer filters")
    for name, counts in page.facets.items():
        answers.print(f"{name}: " + ", ".join(f"{escape(value)} {count}" for value, count in list(counts.items())[:12]))
    times = ", ".join(f"{stage} {spent:.1f}" for stage, spent in page.stages.items())
    answers.print(f"[dim]{page.total} in all · {times} ms{' · ' + page.degraded if page.degraded else ''}[/]")
