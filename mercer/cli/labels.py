"""``mercer labels SHOP suggest | import | list``: what to judge next, as CSV and a page; what was judged, back in."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json
from mercer.errors import DataError, NotFoundError, RequestError
from mercer.shop import Shop, content_hash, disk_errors

if TYPE_CHECKING:
    from mercer.quality.labelled import Sorted

__all__ = ["Ask", "page", "register", "write_asks"]

TOLD = 10
"""Rows of each kind that the answer names."""
Ask = dict[str, Any]
"""One thing to judge: id, query or "", lines to read, and the columns that name it in the CSV."""


class Act(StrEnum):
    """What to do with labels."""

    suggest = "suggest"
    take = "import"
    list = "list"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def labels(
        shop: ShopArgument,
        act: Annotated[Act, typer.Argument(help="suggest what to judge next, import FILE, or list.")] = Act.list,
        file: Annotated[Path | None, typer.Argument(help="What people judged: CSV, JSON lines or qrels.")] = None,
        *,
        n: Annotated[int, typer.Option("--n", help="How many to suggest.", min=1, max=100_000)] = 50,
        how: Annotated[str, typer.Option(help="uncertainty, diverse, disagreement or random; else as set.")] = "",
        texts: Annotated[Path | None, typer.Option(help="Texts to classify instead of products to judge.")] = None,
        text: Annotated[str, typer.Option(help="Column of the text in --texts.")] = "text",
        label: Annotated[str, typer.Option(help="Column of the class in --texts, blank where not known.")] = "label",
        classes: Annotated[str, typer.Option(help="Classes there are, by commas; else those seen.")] = "",
        out: Annotated[Path | None, typer.Option(help="Folder for CSV and page; store/reports where absent.")] = None,
        replace: Annotated[bool, typer.Option("--replace", help="What was judged otherwise before gives way.")] = False,
        seed: Annotated[int | None, typer.Option(help="Of draws and clusters.")] = None,
        json_: JsonFlag = False,
    ) -> None:
        """Ask people about what teaches most, and take their answers in."""
        opened = Shop(shop)
        if act is Act.take:
            _import(opened, file, replace=replace, as_json=json_)
            return
        if file is not None:
            raise RequestError(f"{act} takes no file ({file})", cure=f"run: mercer labels {shop} import {file}")
        if act is Act.list:
            _list(opened, as_json=json_)
            return
        from mercer.cli.labels_suggest import active_of, suggest_products, suggest_texts

        active = active_of(shop, how, seed)
        if texts is None:
            asks, choices = suggest_products(opened, n, active)
        else:
            given = [one.strip() for one in classes.split(",") if one.strip()]
            asks, choices = suggest_texts(opened, texts, n, active, text=text, label=label, classes=given)
        kind = "judgments" if texts is None else "texts"
        paths = write_asks(out or opened.reports, kind, asks, choices, active.how)
        if json_:
            print_json({"kind": kind, "how": active.how, "asked": len(asks), **{k: str(v) for k, v in paths.items()}})
            return
        console.print(f"{len(asks)} to judge, by {active.how}", highlight=False)
        for name, path in paths.items():
            console.print(f"{name:5} {path}", highlight=False, soft_wrap=True)
        console.print(f"judge on the page, save its CSV, then: mercer labels {shop} import FILE", highlight=False)


def write_asks(folder: Path, kind: str, asks: Sequence[Ask], choices: Sequence[Any], how: str) -> dict[str, Path]:
    """Write what to judge as a CSV to fill in and as a page; their paths come back."""
    named = {"texts": ("text", "label"), "judgments": ("query_id", "query", "product", "title", "grade")}[kind]
    paths = {"csv": folder / f"labels-{kind}.csv", "page": folder / f"labels-{kind}.html"}
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with open(paths["csv"], "w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow([*named, "who"])
            for ask in asks:
                cells = [str(ask.get(name, "")) for name in named]
                # a spreadsheet runs what begins like a formula; only columns that the way back does not read
                guarded = {"query", "title"}
                writer.writerow(
                    [_plain(cell) if name in guarded else cell for name, cell in zip(named, cells, strict=True)] + [""]
                )
        paths["page"].write_text(page(kind, asks, choices, how), "utf-8")
    return paths


def _plain(cell: str) -> str:
    return "'" + cell if cell.startswith(("=", "+", "-", "@")) else cell


def page(kind: str, asks: Sequence[Ask], choices: Sequence[Any], how: str) -> str:
    """One file of HTML to judge on, which needs no server and keeps what was judged in the browser."""
    template = Path(__file__).with_name("labels.html").read_text("utf-8")
    name = content_hash(json.dumps([kind, list(choices), [ask["id"] for ask in asks]]))
    data = {"kind": kind, "how": how, "name": name, "choices": list(choices), "items": list(asks)}
    told = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return template.replace("__DATA__", told)


def _import(shop: Shop, file: Path | None, *, replace: bool, as_json: bool) -> None:
    from mercer.quality.labelled import Labels
    from mercer.shop.audit import whoami

    if file is None:
        raise RequestError("import names no file", cure=f"run: mercer labels {shop.folder} import FILE")
    kind, rows = _rows(file)
    with shop.lock("labels"):
        held = Labels(shop.store, kind)
        known, allowed, scale = _known(shop) if kind == "judgments" else ({}, {}, ())
        found = held.sort(rows, known=known, allowed=allowed, scale=scale)
        taken = [*found.new, *(found.conflicts if replace else [])]
        if taken:
            held.add(taken, file=content_hash(file), by=whoami(), time=int(time.time() * 1000))
            about = {"kind": kind, "file": file.name, "hash": content_hash(file), "replace": replace}
            shop.audit.append("labels", {**about, **found.counts()})
    if as_json:
        print_json({"kind": kind, "taken": len(taken), **found.counts(), **_examples(found)})
        return
    _say(found, shop, replace=replace)


def _rows(file: Path) -> tuple[str, list[dict[str, Any]]]:
    """Whether a file judges products or texts, and its rows."""
    from mercer.quality.rows import Bad
    from mercer.quality.table_file import TableFile

    table = TableFile(file, "judgments")
    if not {"query_id", "product"} <= set(table.columns) and table.format != "trec":
        table = TableFile(file, "reviews")  # a family whose first line of words is a header
    columns = list(table.columns)
    named = {name: name for name in columns}
    if table.format == "trec":
        named = dict(zip(("query_id", "product", "grade"), (columns[0], columns[2], columns[3]), strict=True))
    if {"query_id", "product", "grade"} <= set(named):
        kind = "judgments"
    elif {"text", "label"} <= set(named):
        kind = "texts"
    else:
        raise NotFoundError(
            f"{file} has columns {', '.join(columns[:8])}", cure="give query_id, product and grade, or text and label"
        )
    wanted = {name: raw for name, raw in named.items() if name in WANTED}
    rows: list[dict[str, Any]] = []
    bad = Bad()
    for batch in table.batches(list(wanted.values()), bad):
        found = {name: batch.columns[raw].to_pylist() for name, raw in wanted.items()}
        rows += [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if not rows:
        raise DataError(f"{file} has no row", cure="judge something, save the CSV and import that")
    return kind, rows


WANTED = ("query_id", "product", "grade", "text", "label", "who", "when", "how")


def _known(shop: Shop) -> tuple[dict[tuple[str, ...], float], dict[str, frozenset[str]], tuple[float, ...]]:
    """What is judged, which queries and products there are, and the grades in use, from checked data."""
    from mercer.cli.labels_suggest import checked_rows

    judgments = checked_rows(shop, "judgments", ["query_id", "product", "grade"])
    graded = [row for row in judgments if row["grade"] is not None]
    known: dict[tuple[str, ...], float] = {
        (str(row["query_id"]), str(row["product"])): float(row["grade"]) for row in graded
    }
    queries = frozenset(str(row["query_id"]) for row in checked_rows(shop, "queries", ["query_id"]))
    products = frozenset(str(row["id"]) for row in checked_rows(shop, "products", ["id"]))
    grades = [row["grade"] for row in graded]
    return known, {"query_id": queries, "product": products}, tuple(sorted(set(grades)))


def _examples(found: Sorted) -> dict[str, list[dict[str, Any]]]:
    return {"conflicting": found.conflicts[:TOLD], "refusals": found.refused[:TOLD]}


def _say(found: Sorted, shop: Shop, *, replace: bool) -> None:
    counts = found.counts()
    console.print(", ".join(f"{name} {number:,}" for name, number in counts.items()), highlight=False)
    for row in found.conflicts[:TOLD]:
        said = row.get("grade", row.get("label"))
        what = "takes the place of" if replace else "is left out, as before it was"
        console.print(f"[yellow]conflict[/] {_thing(row)}: {said} {what} {row['before']}", highlight=False)
    for row in found.refused[:TOLD]:
        console.print(f"[yellow]refused[/] {_thing(row)}: {row['problem'].replace('_', ' ')}", highlight=False)
    if found.conflicts and not replace:
        console.print("give --replace to let the new judgments win", highlight=False)
    if found.new or (replace and found.conflicts):
        console.print(f"they count from the next: mercer check {shop.folder}", highlight=False)


def _thing(row: Mapping[str, Any]) -> str:
    from rich.markup import escape

    named = [str(row[name]) for name in ("query_id", "product", "text") if row.get(name)]
    return escape(" / ".join(named)[:120])


def _list(shop: Shop, *, as_json: bool) -> None:
    from mercer.quality.labelled import Labels

    told: dict[str, Any] = {}
    for kind in ("judgments", "texts"):
        held = Labels(shop.store, kind)
        told[kind] = {
            "lines": len(held.lines),
            "counting": len(held.current),
            "by": _by(held.lines),
            "path": str(held.path),
        }
    if as_json:
        print_json(told)
        return
    for kind, facts in told.items():
        console.print(f"{kind}: {facts['counting']:,} that count, {facts['lines']:,} taken in", highlight=False)
        for who, number in facts["by"].items():
            console.print(f"  {who}: {number:,}", highlight=False, markup=False)
    console.print(f"what to judge next: mercer labels {shop.folder} suggest", highlight=False)


def _by(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        who = str(line.get("who") or line.get("taken_by") or "")
        counts[who] = counts.get(who, 0) + 1
    return counts
