"""`mercer synonyms SHOP`: words that mean the same, listed, suggested, accepted and refused, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from mercer.shop import Shop
    from mercer.understand.synonym import Rule
    from mercer.understand.synonym_mine import Candidate

__all__ = ["register"]

Act = Literal["list", "suggest", "accept", "reject"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synonyms")(synonyms)


def synonyms(
    folder: ShopArgument,
    act: Annotated[Act, typer.Argument(help="What to do with them.")] = "list",
    words: Annotated[
        list[str] | None, typer.Argument(help="Two words or phrases and more, or: tee '=>' shirt.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, max=1000, help="Suggestions to show.")] = 20,
    json: JsonFlag = False,
) -> None:
    """Words that mean the same, in the shop's synonyms.txt; what is written there holds from the next opening on."""
    from mercer.shop import Shop
    from mercer.understand.synonym import FILE, Synonyms, append

    shop = Shop(folder)
    path = shop.folder / FILE
    known = Synonyms.read(path)
    if act in ("accept", "reject"):
        rule = _rule(words or [], refused=act == "reject")
        append(path, [rule])
        _said({"added": str(rule), "file": str(path)}, f"{path}: {rule}", json=json)
        return
    if words:
        raise RequestError(
            f"{act} takes no words, seen {words[0]!r}", cure="to add some: mercer synonyms SHOP accept A B"
        )
    if act == "list":
        lines = [str(rule) for rule in known.rules]
        _said(lines, "\n".join(lines) or f"none yet; see: mercer synonyms {folder} suggest", json=json)
        return
    found = [one for one in _mined(shop) if not known.same(one.one, one.other)][:k]
    _show(found, path, json=json)


def _rule(words: list[str], *, refused: bool) -> Rule:
    from mercer.understand.synonym import Rule
    from mercer.understand.token import key

    at = words.index("=>") if "=>" in words else len(words)
    left, right = words[:at], words[at + 1 :]
    enough = bool(left and right and not refused) if "=>" in words else len(left) > 1
    if not enough or not all(map(key, (*left, *right))):
        said = " ".join(words)
        raise RequestError(
            f"{said!r} does not say what means what", cure="give two words: sofa couch, or tee '=>' shirt"
        )
    if any(sign in word for word in (*left, *right) for sign in ",，、\n") or left[0].startswith(("#", "!")):
        raise RequestError("a word has a comma, a line break, or begins with # or !", cure="give each word on its own")
    return Rule(tuple(left), tuple(right), refused)


def _mined(shop: Shop) -> list[Candidate]:
    """From the live checked data: titles, and queries with what was clicked for them, the likeliest first."""
    import duckdb

    from mercer.doors.build import latest
    from mercer.understand.synonym_mine import from_clicks, from_retyped, from_titles

    source = shop.path("checked", latest(shop))
    with duckdb.connect() as engine:

        def rows(sql: str, *names: str) -> list[tuple[Any, ...]]:
            paths = [str(source / f"{name}.parquet") for name in names]
            if not all((source / f"{name}.parquet").exists() for name in names):
                return []
            return engine.execute(sql, paths).fetchall()

        titles = (title for (title,) in rows("SELECT title FROM read_parquet(?) WHERE title IS NOT NULL", "products"))
        found = from_titles(titles)
        texts = dict(rows("SELECT query_id, text FROM read_parquet(?) WHERE text IS NOT NULL", "queries"))
        clicks = rows(
            "SELECT query_id, product FROM read_parquet(?) "
            "WHERE query_id IS NOT NULL AND type IN ('click', 'add_to_cart', 'purchase')",
            "events",
        )
        found += from_clicks({str(id): str(text) for id, text in texts.items()}, clicks)
        visits = rows(
            "SELECT list(text ORDER BY time) FROM (SELECT e.session, q.text, min(e.time) AS time "
            "FROM read_parquet(?) e JOIN read_parquet(?) q USING (query_id) WHERE e.session IS NOT NULL "
            "GROUP BY ALL) GROUP BY session "
            "HAVING count(*) > 1",
            "events",
            "queries",
        )
        found += from_retyped(visit for (visit,) in visits)
    return sorted(found, key=lambda one: (-one.score, one.one, one.other))


def _show(found: list[Candidate], path: Path, *, json: bool) -> None:
    import dataclasses

    from rich.markup import escape
    from rich.table import Table

    if json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    table = Table(box=None, pad_edge=False)
    for name in ("words", "or", "sure", "from", "why"):
        table.add_column(name, justify="right" if name == "sure" else "left")
    for one in found:
        table.add_row(escape(one.one), escape(one.other), f"{one.score:.2f}", one.source, escape(one.evidence))
    answers.print(
        table if found else "nothing to suggest: neither titles nor the log say of two words that they are the same"
    )
    if found:
        shop = escape(str(path.parent))
        answers.print(f"[dim]none holds until you say so: mercer synonyms {shop} accept WORDS OTHER, or reject[/]")


def _said(value: dict[str, str] | list[str], text: str, *, json: bool) -> None:
    if json:
        print_json(value)
    else:
        answers.print(text, markup=False, highlight=False, soft_wrap=True)
