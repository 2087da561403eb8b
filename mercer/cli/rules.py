"""``mercer rules SHOP list | check | preview | add | remove``: a shop's merchandising rules, looked at and changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json
from mercer.errors import RequestError, ShopLocked

if TYPE_CHECKING:
    from mercer.doors.preview import Preview
    from mercer.rank.rule import Rule
    from mercer.rank.rule_book import RuleBook
    from mercer.rank.rule_conflict import Conflict
    from mercer.records import Page

__all__ = ["register"]

Several = list[str] | None


class Act(StrEnum):
    """What to do with rules."""

    list = "list"
    check = "check"
    preview = "preview"
    add = "add"
    remove = "remove"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def rules(
        shop: ShopArgument,
        act: Annotated[Act, typer.Argument(help="list, check, preview, add ID KIND, or remove ID…")] = Act.list,
        words_: Annotated[Several, typer.Argument(metavar="WORD…", help="Of add: id and kind; of remove: ids.")] = None,
        *,
        query: Annotated[Several, typer.Option(help="Of preview: ask this. Of add: the query is this; repeat.")] = None,
        rule: Annotated[Several, typer.Option(help="Of preview: this rule; repeat. All where none is named.")] = None,
        k: Annotated[int, typer.Option("-k", "--k", help="Of preview: products of a page.", min=1, max=100)] = 10,
        words: Annotated[Several, typer.Option(help="The query has all these words; repeat for others.")] = None,
        pattern: Annotated[Several, typer.Option(help="The query fits this regular expression; repeat.")] = None,
        category: Annotated[Several, typer.Option(help='The shopper looks at "Home > Cups"; repeat.')] = None,
        scene: Annotated[Several, typer.Option(help="search where none is named, home, similar …; repeat.")] = None,
        device: Annotated[Several, typer.Option(help="The request's device; repeat.")] = None,
        place: Annotated[Several, typer.Option(help="The request's place; repeat.")] = None,
        segment: Annotated[Several, typer.Option(help="The shopper's segment; repeat.")] = None,
        start: Annotated[str, typer.Option(help="2026-12-01T00:00:00+08:00, or a day in the file's zone.")] = "",
        end: Annotated[str, typer.Option(help="As start; a day ends with its last moment.")] = "",
        product: Annotated[Several, typer.Option(help="A product's id; repeat.")] = None,
        filter: Annotated[Several, typer.Option(help="brand=Nord, price=10..50, category=Cups; repeat.")] = None,
        position: Annotated[int | None, typer.Option(help="Of a pin; 1 is the top.")] = None,
        points: Annotated[float | None, typer.Option(help="Of a boost or bury, of the score.")] = None,
        url: Annotated[str, typer.Option(help="Of a redirect or banner.")] = "",
        text: Annotated[str, typer.Option(help="Of a banner.")] = "",
        image: Annotated[str, typer.Option(help="Of a banner: a path of the shop.")] = "",
        synonym: Annotated[Several, typer.Option(help="Words that mean the same: sofa|couch; repeat.")] = None,
        note: Annotated[str, typer.Option(help="For people.")] = "",
        off: Annotated[bool, typer.Option("--off", help="Keep it, but do not apply it.")] = False,
        json_: JsonFlag = False,
    ) -> None:
        """Say what search and recommendation are told to do, and change it; a change holds from the next search on."""
        given = words_ or []
        if act is Act.preview:
            _preview(shop, rule or [], query or [], k, as_json=json_)
            return
        if act is Act.check:
            _check(shop, as_json=json_)
            return
        book = _book(shop)
        if act is Act.add:
            if len(given) != 2:
                raise RequestError(f"add was given {given}", cure="give an id and a kind: add spring pin --product p1")
            values: dict[str, Any] = {
                "note": note, "query": query, "words": words, "pattern": pattern, "category": category, "scenes": scene,
                "device": device, "place": place, "segment": segment, "start": start, "end": end, "products": product,
                "filters": _filters(filter or ()), "position": position, "points": points, "url": url, "text": text,
                "image": image, "synonyms": [group.split("|") for group in synonym or ()],
            }  # fmt: skip
            row = {"id": given[0], "do": given[1]} | {
                name: value for name, value in values.items() if value not in (None, "", [])
            }
            book.put([row | ({"enabled": False} if off else {})])
        elif act is Act.remove:
            if not given:
                raise RequestError("remove names no rule", cure=f"list them: mercer rules {shop}")
            book.remove(given)
        _list(book, as_json=json_)


def _book(shop: Path) -> RuleBook:
    """The rules without the shop's index.

    Raises:
        RequestError: a file that cannot be read.
    """
    from mercer.cli.settings import read_settings
    from mercer.rank.rule_book import RuleBook
    from mercer.search.ruled import READING
    from mercer.shop import Shop

    return RuleBook(Shop(shop), reading=READING, settings=read_settings(shop).rules).checked()


def _filters(given: Iterable[str]) -> list[dict[str, Any]]:
    from mercer.cli.search import parse_filters
    from mercer.rank.rule import filter_row

    return [filter_row(one) for one in parse_filters(given)]


def _list(book: RuleBook, *, as_json: bool) -> None:
    """All rules, and what contradicts as far as the rules themselves say."""
    from rich.markup import escape
    from rich.table import Table

    from mercer.rank.rule_conflict import conflicts

    now, found = book.now(), book.rules
    wrong = conflicts(found, now=now, reading=book.reading)
    if as_json:
        rows = [{**rule.row(), "state": rule.held(now)} for rule in found.rules]
        print_json(
            {"version": found.version, "timezone": str(book.zone or ""), "rules": rows, "conflicts": _rows(wrong)}
        )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "does", "state", "from", "to", "if", "what"):
        table.add_column(name)
    for rule in found.rules:
        cells = (rule.id, rule.do, rule.held(now), rule.start, rule.end, _condition(rule), _effect(rule))
        table.add_row(*map(escape, cells))
    answers.print(table if found.rules else "no rules; add one: mercer rules SHOP add spring pin --product ID")
    _tell(wrong)


def _condition(rule: Rule) -> str:
    """A rule's conditions in a line."""
    names = ("query", "words", "pattern", "category", "device", "place", "segment")
    said = [f"{name} {' | '.join(getattr(rule, name))}" for name in names if getattr(rule, name)]
    scenes = [] if rule.scenes == ("search",) else [f"in {', '.join(rule.scenes)}"]
    return "; ".join([*scenes, *said]) or "always"


def _effect(rule: Rule) -> str:
    """What a rule does, in a line."""
    sign = {"boost": "+", "bury": "-"}.get(rule.do, "")
    filters = [f"{one.field} {'|'.join(one.values) or f'{one.low}..{one.high}'}" for one in rule.filters]
    groups = ["=".join(group) for group in rule.synonyms]
    many = [*rule.products[:4], *(["…"] if len(rule.products) > 4 else []), *filters, *groups]
    head = [f"{sign}{rule.points:g}"] if sign else [f"at {rule.position}"] if rule.do == "pin" else []
    return " ".join([*head, ", ".join(many), rule.text, rule.url]).strip()


def _tell(found: Sequence[Conflict]) -> None:
    from rich.markup import escape

    for one in found:
        answers.print(f"[yellow]{one.problem}[/]  {escape(', '.join(one.rules))}: {escape(one.said)}", soft_wrap=True)


def _rows(found: Sequence[Conflict]) -> list[dict[str, Any]]:
    return [{"problem": one.problem, "rules": list(one.rules), "said": one.said} for one in found]


def _check(shop: Path, *, as_json: bool) -> None:
    """Everything that contradicts or never comes to anything; exit code 1 where there is something to decide."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.rank.rule_conflict import conflicts

    book = _book(shop)
    try:
        doors = open_doors(shop, read_settings(shop), writable=False)
    except ShopLocked:
        console.print("a server holds the index: products and filters were not looked at; ask it: GET /v1/rules")
        found = conflicts(book.rules, now=book.now(), reading=book.reading)
    else:
        found = doors.conflicts()
        doors.close()
    if as_json:
        print_json(_rows(found))
    elif found:
        _tell(found)
    else:
        answers.print(f"{len(book.rules.rules)} rules, nothing contradicts")
    if any(one.problem != "unasked" for one in found):
        raise typer.Exit(1)


def _preview(shop: Path, ids: Sequence[str], queries: Sequence[str], k: int, *, as_json: bool) -> None:
    """Pages without and with rules, as if they were live."""
    from mercer.cli.search import page_json
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    about = list(ids) or [rule.id for rule in _book(shop).rules.rules if rule.do != "synonym"]
    if not about:
        raise RequestError(
            "there are no rules to look at", cure=f"add one: mercer rules {shop} add spring pin --product ID"
        )
    doors = open_doors(shop, read_settings(shop), writable=False)
    try:
        seen = doors.preview([], about, queries=queries, k=k)
    finally:
        doors.close()
    if as_json:
        pages = [
            {"query": one.query, "before": page_json(one.before), "after": page_json(one.after)} for one in seen.pages
        ]
        print_json({"touched": seen.touched, "log": seen.log, "pages": pages, "conflicts": _rows(seen.conflicts)})
    else:
        _show(seen)


def _show(seen: Preview) -> None:
    from rich.markup import escape
    from rich.table import Table

    for one in seen.pages:
        before, after = one.before, one.after
        table = Table(
            title=f"“{escape(one.query)}”: {before.total} → {after.total} products", title_justify="left", box=None
        )
        for name in ("", "before", "after", ""):
            table.add_column(name)
        was = {hit.id: place for place, hit in enumerate(before.hits, start=1)}
        for place in range(max(len(before.hits), len(after.hits))):
            left, right = _line(before, place), _line(after, place)
            moved = _moved(after.hits[place].id, place + 1, was) if place < len(after.hits) else ""
            table.add_row(str(place + 1), escape(left), escape(right), moved)
        answers.print(table)
        if after.redirect:
            answers.print(f"leads to {escape(after.redirect)}")
        if after.banner:
            answers.print(f"banner: {escape(after.banner['text'])} {escape(after.banner['url'])}".rstrip())
    answers.print(f"{seen.touched} of {seen.log} queries of the log are touched")
    _tell(seen.conflicts)


def _line(page: Page, place: int) -> str:
    return f"{page.hits[place].id}  {page.hits[place].product.title[:44]}" if place < len(page.hits) else ""


def _moved(id: str, now: int, was: dict[str, int]) -> str:
    """How far a product came, seen from the page before."""
    if id not in was:
        return "new"
    return "" if was[id] == now else f"{was[id] - now:+d}"
