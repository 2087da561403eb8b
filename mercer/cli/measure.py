"""`mercer measure search SHOP`: judged queries in, metrics of each system with intervals and comparisons out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress
from mercer.errors import DataError, RequestError

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.measure.board import Board

__all__ = ["judged", "measure_search", "register"]

DEFAULT_METRICS = ("nDCG@10", "Recall@100", "MRR@10", "P@10")
SYSTEMS = ("lexical", "dense", "hybrid")
DEPTH = 100
"""Products asked for per query, unless a metric looks deeper."""

Truth = Mapping[str, Mapping[str, float]]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    from mercer.cli import (
        measure_classify,
        measure_confidence,
        measure_fair,
        measure_opinion,
        measure_policy,
        measure_recommend,
    )

    group = typer.Typer(help="Measure search and recommendation on judged or held-out data.", no_args_is_help=True)
    group.command("search")(search)
    measure_recommend.register(group)
    measure_policy.register(group)
    measure_confidence.register(group)
    measure_fair.register(group)
    measure_opinion.register(group)
    measure_classify.register(group)
    app.add_typer(group, name="measure")


def search(
    folder: ShopArgument,
    queries: Annotated[Path | None, typer.Option(help="Queries; the shop's own checked ones if absent.")] = None,
    judgments: Annotated[Path | None, typer.Option(help="TREC qrels or a table; the shop's own if absent.")] = None,
    gains: Annotated[str, typer.Option(help="Gain of each grade in nDCG: 3=1,2=.1,1=.01,0=0.")] = "",
    system: Annotated[list[str] | None, typer.Option(help="live, lexical, dense or hybrid; repeat.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="nDCG@10, Recall@100 …; repeat.")] = None,
    seed: Annotated[int, typer.Option(help="Of the resampling behind the intervals.")] = 7,
    stages: Annotated[bool, typer.Option(help="Empty answers, time a stage, and what each fallback is worth.")] = False,
    json: JsonFlag = False,
) -> None:
    """Measure the live index: lexical, dense and hybrid side by side, with 95 % intervals and paired tests."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.shop import Shop, disk_errors

    if stages:
        _stages(folder, queries, judgments, metrics=tuple(metric or DEFAULT_METRICS), gains=gains, seed=seed, json=json)
        return
    texts, truth = judged(folder, queries, judgments)
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        board, facts = measure_search(
            doors,
            texts,
            truth,
            systems=tuple(system or SYSTEMS),
            metrics=tuple(metric or DEFAULT_METRICS),
            gains=gains,
            seed=seed,
        )
    finally:
        doors.close()
    from mercer.measure.page import page

    reports = Shop(folder).reports
    with disk_errors(reports):
        reports.mkdir(exist_ok=True)
        (reports / "measure-search.html").write_text(page(board), "utf-8")
    if json:
        print_json({**board.json(), **facts, "version": doors.version})
        return
    answers.print(board.text(), highlight=False, soft_wrap=True)
    console.print(f"[dim]{_said(facts)}\nplots: {reports / 'measure-search.html'}[/]", highlight=False)


def _stages(
    folder: Path, queries: Path | None, judgments: Path | None, *, metrics: tuple[str, ...], gains: str, seed: int,
    json: bool,
) -> None:  # fmt: skip
    """Measure the live door as it serves, and what is left of it when a part fails."""
    from mercer.cli.measure_stages import measure_stages, show_stages
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    texts, truth = judged(folder, queries, judgments, needed=False)
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        board, facts = measure_stages(doors, texts, truth, metrics=metrics, gains=gains, seed=seed)
    finally:
        doors.close()
    if json:
        print_json({**facts, "board": board.json() if board else None, "version": doors.version})
        return
    show_stages(board, facts)


def measure_search(
    doors: Doors,
    texts: Mapping[str, str],
    truth: Truth,
    *,
    systems: Iterable[str] = SYSTEMS,
    metrics: Iterable[str] = DEFAULT_METRICS,
    gains: str = "",
    seed: int = 7,
) -> tuple[Board, dict[str, Any]]:
    """Run every judged query through every system; what else was noticed comes with the board.

    Args:
        doors: the open shop.
        texts: query id → text.
        truth: query id → product id → grade.
        systems: of live, lexical, dense, hybrid; the last is compared with the others.
        metrics: names such as nDCG@10.
        gains: grade=gain pairs for nDCG, "" for the grade itself.
        seed: of the resampling.

    Raises:
        RequestError: an unknown system or metric.
        DataError: no query has both a text and a judgment.
    """
    from mercer.measure.board import Board
    from mercer.measure.metric import parse_all, parse_gains

    named = list(dict.fromkeys(systems))
    for name in named:
        if name not in (*SYSTEMS, "live"):
            raise RequestError(f"system {name!r} is unknown", cure="name live, lexical, dense or hybrid")
    parsed = parse_all(list(metrics), gains=parse_gains(gains) if gains else None)
    judged = {id: truth[id] for id in texts if id in truth}
    if not judged:
        raise DataError(
            f"{len(texts)} queries and {len(truth)} judged queries share no id",
            cure="check the query ids of both files",
        )
    values: dict[str, dict[str, Mapping[str, float]]] = {}
    milliseconds: dict[str, float] = {}
    refused: set[str] = set()
    with progress() as bars:
        for name in named:
            task, runs, started = bars.add_task(name, total=len(judged)), {}, time.perf_counter()
            for id in judged:
                try:
                    runs[id] = _ranked(doors, texts[id], name)
                except RequestError:
                    refused.add(id)  # counts as an empty ranking
                bars.advance(task)
            milliseconds[name] = round((time.perf_counter() - started) * 1000 / len(judged), 2)
            values[name] = {metric.name: metric(runs, judged) for metric in parsed}
    known = doors.index.columns.row
    facts = {
        "milliseconds": milliseconds,
        "refused": sorted(refused),
        "unjudged_queries": len(texts) - len(judged),
        "queries_without_text": len(set(truth) - set(texts)),
        "judged_products_not_in_index": len({p for grades in judged.values() for p in grades} - set(known)),
    }
    return Board.of("search", values, seed=seed, baseline=named[-1]), facts


def _ranked(doors: Doors, text: str, system: str) -> list[str]:
    from mercer.records import Request

    page = doors.search(Request(query=text, k=DEPTH), system="hybrid" if system == "live" else system)  # type: ignore[arg-type]  # checked above
    return [hit.id for hit in page.hits]


def judged(
    folder: Path, queries: Path | None, judgments: Path | None, *, needed: bool = True
) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Texts and grades from the files named, else from the shop's checked data; without grades if none are `needed`.

    Raises:
        DataError: no file, and no checked data.
    """
    asked = _rows(folder, "queries", queries)
    texts = {str(row["query_id"]): row["text"] for row in asked if row["text"]}
    truth: dict[str, dict[str, float]] = {}
    for row in _rows(folder, "judgments", judgments, needed=needed):
        if row["grade"] is not None:
            truth.setdefault(str(row["query_id"]), {})[str(row["product"])] = row["grade"]
    return texts, truth


def _rows(folder: Path, family: str, path: Path | None, *, needed: bool = True) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    from mercer.quality.read import read
    from mercer.shop import Shop

    if path is not None:
        rows: list[dict[str, Any]] = read(family, path).table.to_pylist()
        return rows
    shop = Shop(folder)
    live = shop.live("checked")
    checked = shop.path("checked", live.version) / f"{family}.parquet" if live else None
    if checked is None or not checked.exists():
        if not needed:
            return []
        raise DataError(f"{folder} has no checked {family}", cure=f"give --{family} FILE")
    found: list[dict[str, Any]] = pq.read_table(checked).to_pylist()
    return found


def _said(facts: Mapping[str, Any]) -> str:
    times = ", ".join(f"{name} {spent:.1f}" for name, spent in facts["milliseconds"].items())
    said = [f"milliseconds a query: {times}", "* differs from the last system at .05 after Holm"]
    if missing := facts["judged_products_not_in_index"]:
        said.append(f"{missing:,} judged products are not in the index")
    if refused := facts["refused"]:
        said.append(f"{len(refused)} queries were refused and count 0: {', '.join(refused[:5])}")
    return "\n".join(said)
