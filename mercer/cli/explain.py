"""`mercer explain SHOP "query"`: what was understood, and why a product is where it is, on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.doors.explain import Why
    from mercer.records import Contribution, Filter
    from mercer.understand.query import Understood

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    folder: ShopArgument,
    query: Annotated[str, typer.Argument(help="What the shopper types.")] = "",
    product: Annotated[str, typer.Option(help="Why this product is where it is, or where it was lost.")] = "",
    k: Annotated[int, typer.Option("-k", "--k", help="Products on the page it is looked for, 1 to 1000.")] = 10,
    filter: Annotated[list[str] | None, typer.Option(help="brand=Nord, price=10..50, category=Cups; repeat.")] = None,
    correct: Annotated[bool, typer.Option(help="Whether the spelling may be corrected.")] = True,
    tokens: Annotated[bool, typer.Option("--tokens", help="What each word of query and --product adds.")] = False,
    shopper: Annotated[str, typer.Option(help="Say who this shopper seems to be, and what says so.")] = "",
    mute: Annotated[list[str] | None, typer.Option(help="What --shopper must not see: brand=Nord; repeat.")] = None,
    want: Annotated[list[str] | None, typer.Option(help="What --shopper asked for: brand=Nord; repeat.")] = None,
    unset: Annotated[list[str] | None, typer.Option(help="Take a --mute or --want back; repeat.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say how a query is understood and follow one product through the search, or say who a shopper seems to be."""
    if shopper and not query:
        from mercer.cli.shopper import explain_shopper

        explain_shopper(folder, shopper, mute=mute or (), want=want or (), unset=unset or (), json=json)
        return
    if shopper or not query:
        raise RequestError(
            "a query and a shopper were given" if shopper else "neither a query nor a shopper was given",
            cure='give one: mercer explain SHOP "query", or mercer explain SHOP --shopper ID',
        )
    if tokens:
        from mercer.cli.explain_tokens import explain_tokens

        explain_tokens(folder, query, product, json=json)
        return
    from mercer.cli.search import parse_filters
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.explain import explain as follow
    from mercer.records import Request

    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        request = Request(query=query, k=k, filters=parse_filters(filter or ()), correct=correct)
        known = doors.searching.understood(request)
        why = follow(doors, request, product) if product else None
        lacks = doors.searching.understand.spelling_lacks
    finally:
        doors.close()
    if json:
        import dataclasses

        from mercer.understand.said import said

        print_json(said(known) | ({"product": dataclasses.asdict(why)} if why else {}))
        return
    _show(known)
    if lacks and correct:
        answers.print(f"[dim]without {', '.join(lacks)} fewer mistyped queries are corrected: pip install mercer[/]")
    if why:
        _show_why(why)


def _show(known: Understood) -> None:
    from rich.markup import escape
    from rich.table import Table

    for name, text in _asked(known):
        answers.print(f"[bold]{name}[/] {escape(text)}", highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for name in ("step", "read from", "became", "why", "sure"):
        table.add_column(name, justify="right" if name == "sure" else "left")
    for step in known.steps:
        table.add_row(
            step.name, escape(step.before), escape(step.after), escape(step.evidence), f"{step.confidence:.2f}"
        )
    answers.print(table if known.steps else "every word is searched as it stands")


def _asked(known: Understood) -> list[tuple[str, str]]:
    """What to say of a query, and only that."""
    facts = {
        "meaning is asked": known.text,
        "words are asked": known.words,
        "language": known.language,
        "corrected": known.corrected,
        "did you mean": known.suggestion,
        "filters": ", ".join(map(_said, known.filters)),
        "wishes": ", ".join(f"{boost.signal or _said(boost.filter)} {boost.weight:+.3f}" for boost in known.boosts),
        "without": ", ".join(known.negated),
    }
    return [(name, text) for name, text in facts.items() if text]


def _said(wanted: Filter) -> str:
    if wanted.values:
        return f"{wanted.field}={'|'.join(wanted.values)}"
    low, high = ("" if bound is None else f"{bound:g}" for bound in (wanted.low, wanted.high))
    return f"{wanted.field}={low}..{high}"


def _show_why(why: Why) -> None:
    from rich.markup import escape

    said: list[Any] = [f"[bold]{escape(why.product)}[/] {why.place}"]
    if why.position:
        said.append(f"place {why.position}")
    if why.score is not None:
        said.append(f"score {why.score:.3f}")
    elif why.place == "below the cut":
        said.append("less likely than chance")
    if why.needed is not None and why.place in ("outranked", "below the cut"):
        said.append(f"needed {why.needed:.3f}")
    if why.filters:
        said.append("does not meet " + escape(", ".join(map(_said, why.filters))))
    if why.rules:
        said.append("by rule " + escape(", ".join(why.rules)))
    said.extend(f"by {arm} {place}" for arm, place in (("words", why.words), ("meaning", why.meaning)) if place)
    answers.print(" · ".join(said), highlight=False, soft_wrap=True)
    if why.place == "not retrieved":
        answers.print(f"  neither words nor meaning bring it among their first {why.pool}")
    _show_ledger(why.ledger)
    if why.above:
        name = f"{escape(why.above.product)} {escape(why.above.title)}"
        answers.print(f"just above: [bold]{name}[/] · score {why.above.score:.3f}", highlight=False, soft_wrap=True)
        _show_ledger(why.above.ledger)


def _show_ledger(ledger: Sequence[Contribution]) -> None:
    from rich.markup import escape

    for line in ledger:
        answers.print(f"  {escape(line.signal)} {line.part:+.3f}  [dim]{line.value:.3f}[/]", highlight=False)
