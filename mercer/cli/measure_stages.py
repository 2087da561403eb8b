"""An open shop and its queries in; what a search costs, how often it is empty, and each fallback's quality out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import answers, progress
from mercer.errors import DataError, RequestError
from mercer.records import Page, Request

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.measure.board import Board

__all__ = ["measure_stages", "show_stages"]

PAGE = 24
"""Products on a page, as the storefront has it."""
FACETS = ("category", "brand", "price", "in_stock")
DEPTH = 100
"""Products of a ranking that is measured."""
SHARES = (50, 95, 99)
"""Percentiles of milliseconds."""

Door = Callable[[Request], Page]
Truth = Mapping[str, Mapping[str, float]]


def measure_stages(
    doors: Doors, texts: Mapping[str, str], truth: Truth, *, metrics: tuple[str, ...], gains: str = "", seed: int = 7
) -> tuple[Board | None, dict[str, Any]]:
    """Ask every query of the live door, and every judged one of each of its fallbacks.

    Args:
        doors: the open shop.
        texts: query id → text.
        truth: query id → product id → grade; without any the board is None.
        metrics: names such as nDCG@10.
        gains: grade=gain pairs for nDCG, "" for the grade itself.
        seed: of the resampling behind the intervals.

    Raises:
        DataError: no query has a text.
    """
    if not texts:
        raise DataError("no query has a text", cure="give --queries FILE")
    with progress() as bars:
        live = _asked(doors.search, texts, bars)
        judged = {id: truth[id] for id in texts if id in truth}
        board, rungs = _quality(doors, texts, judged, metrics, gains, seed, bars) if judged else (None, {})
    return board, {"asked": len(texts), "judged": len(judged), **_rates(live), "stages": _times(live),
                   "fallbacks": rungs}  # fmt: skip


def rungs(doors: Doors) -> dict[str, Door]:
    """What answers when everything works, and what is left when one part after another does not, best first."""
    live = doors.searching
    found: dict[str, Door] = {"live": live}
    unread: dict[str, Any] = {"reranker": None, "ranking": dataclasses.replace(live.ranking, rerank=0)}
    if live.ranking.rerank and "reranker" in live.parts:
        found["no reranker"] = live.otherwise(**unread)
    if "learned" in live.parts:
        found["no learned ranker"] = live.otherwise(**unread, learned=None)
    found["no dense: lexical"] = live.otherwise(**unread, learned=None, encoder=None)
    found["popular"] = lambda request: live(dataclasses.replace(request, query=""))
    return found


def _asked(door: Door, texts: Mapping[str, str], bars: Any) -> list[tuple[Page | None, float]]:
    """A page of each query with its milliseconds; None where it was refused."""
    found: list[tuple[Page | None, float]] = []
    for text in bars.track(texts.values(), description="live"):
        start = time.perf_counter()
        try:
            page = door(Request(query=text, k=PAGE, facets=FACETS))
        except RequestError:
            page = None
        found.append((page, (time.perf_counter() - start) * 1000))
    return found


def _rates(live: list[tuple[Page | None, float]]) -> dict[str, Any]:
    """Share of queries that something was done to, each with its 95 % interval (Wilson's, which 0 of n has as well)."""
    from scipy.stats import binomtest

    def share(said: list[bool]) -> dict[str, float]:
        ends = binomtest(sum(said), len(said)).proportion_ci(method="wilson")
        return {"value": sum(said) / len(said), "low": float(ends.low), "high": float(ends.high)}

    pages = [page for page, _ in live if page is not None]
    told = {
        "zero results": [page is None or not page.total for page, _ in live],
        "corrected": [bool(page.corrected) for page in pages],
        "suggested": [bool(page.suggestion) for page in pages],
        "relaxed": [bool(page.understood.get("left_out")) for page in pages],
        "degraded": [bool(page.degraded) for page in pages],
    }
    shares = {name: share(said) if said else None for name, said in told.items()}
    return {"refused": len(live) - len(pages), "shares": shares}


def _times(live: list[tuple[Page | None, float]]) -> dict[str, dict[str, float]]:
    """Percentiles of milliseconds by stage, over the queries that went through it; "all" is from call to page."""
    import numpy as np

    spent: dict[str, list[float]] = {}
    for page, all_ in live:
        if page is not None:
            for name, milliseconds in {**page.stages, "all": all_}.items():
                spent.setdefault(name, []).append(milliseconds)
    order = sorted(spent, key=lambda name: (name == "all", -len(spent[name])))
    return {name: {"queries": len(spent[name])} | {f"p{share}": round(float(np.percentile(spent[name], share)), 3)
                                                   for share in SHARES} for name in order}  # fmt: skip


def _quality(
    doors: Doors, texts: Mapping[str, str], judged: Truth, metrics: tuple[str, ...], gains: str, seed: int, bars: Any
) -> tuple[Board, dict[str, float]]:
    """Each rung's metrics against those of the live door, and its milliseconds a query."""
    from mercer.measure.board import Board
    from mercer.measure.metric import parse_all, parse_gains

    parsed = parse_all(list(metrics), gains=parse_gains(gains) if gains else None)
    values, milliseconds = {}, {}
    for name, door in rungs(doors).items():
        runs, start = {}, time.perf_counter()
        for id in bars.track(list(judged), description=name):
            try:
                runs[id] = [hit.id for hit in door(Request(query=texts[id], k=DEPTH)).hits]
            except RequestError:
                runs[id] = []
        milliseconds[name] = round((time.perf_counter() - start) * 1000 / len(judged), 2)
        values[name] = {metric.name: metric(runs, judged) for metric in parsed}
    return Board.of("search", values, seed=seed, baseline="live"), milliseconds


def show_stages(board: Board | None, facts: Mapping[str, Any]) -> None:
    """Print it for people."""
    from rich.table import Table

    answers.print(f"{facts['asked']:,} queries, {facts['judged']:,} judged, {facts['refused']:,} refused")
    for name, share in facts["shares"].items():
        if share:
            answers.print(f"{name:13} {share['value']:7.2%}  [{share['low']:.2%}, {share['high']:.2%}]",
                          highlight=False, markup=False)  # fmt: skip
    table = Table(box=None, pad_edge=False)
    for name in ("milliseconds", *(f"p{share}" for share in SHARES), "queries"):
        table.add_column(name, justify="left" if name == "milliseconds" else "right")
    for name, spent in facts["stages"].items():
        table.add_row(name, *(f"{spent[f'p{share}']:.2f}" for share in SHARES), f"{spent['queries']:,}")
    answers.print(table)
    if board is None:
        answers.print("no query is judged, so the fallbacks have no quality")
        return
    answers.print(board.text(), highlight=False, soft_wrap=True, markup=False)
    times = ", ".join(f"{name} {spent:.1f}" for name, spent in facts["fallbacks"].items())
    answers.print(f"milliseconds a query: {times}", highlight=False)
