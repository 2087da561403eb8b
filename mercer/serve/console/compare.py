"""A query and two ways to answer it in; both answers side by side, with the ledger of each hit, out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer import records
from mercer.errors import MercerError, NotFoundError
from mercer.records import Hit, Page
from mercer.serve.console.desk import Desk
from mercer.serve.console.section import ADMIN, Section, routes

__all__ = ["SECTION", "WAYS"]

SHOWN = 10
WAYS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "no_rules": {"rules": "off"},
    "no_ranker": {"rank.ranker": "off"},
    "no_reranker": {"rank.rerank": False},
    "lexical": {},
    "dense": {},
}
"""Way to answer → what it changes in the settings, as an arm of an experiment has them."""
SYSTEMS = ("lexical", "dense")
"""Ways that ask one arm of search alone."""
PHRASES = {
    "compare": ("Compare", "对比"),
    "compare_note": (
        "One query, answered by two versions or in two ways.",
        "同一个查询，由两个版本或两种方式回答。",
    ),
    "compare_query": ("Query", "查询"),
    "compare_left": ("Left", "左侧"),
    "compare_right": ("Right", "右侧"),
    "compare_way": ("Way", "方式"),
    "compare_go": ("Compare", "对比"),
    "compare_empty": ("Ask something.", "输入一个查询。"),
    "compare_empty_note": (
        "Both answers stand side by side, and each product says how its score came about.",
        "两边的结果并排显示，每件商品都说明得分的由来。",
    ),
    "compare_total": ("{n} products, {ms} ms", "{n} 件商品，{ms} 毫秒"),
    "compare_same": ("{n} of the first {k} are in both.", "前 {k} 件中有 {n} 件两边都有。"),
    "compare_score": ("score {score}", "得分 {score}"),
    "compare_signal": ("Signal", "信号"),
    "compare_value": ("Value", "取值"),
    "compare_part": ("Part of the score", "对得分的贡献"),
    "compare_nothing": ("Nothing found.", "没有结果。"),
    "compare_place": ("{n} there", "另一侧第 {n}"),
    "compare_only": ("only here", "仅此侧"),
    "compare_corrected": ("asked as “{query}”", "按“{query}”搜索"),
    "way_": ("as it serves", "与线上一致"),
    "way_no_rules": ("without rules", "不用规则"),
    "way_no_ranker": ("without the ranker", "不用排序模型"),
    "way_no_reranker": ("without the reranker", "不用重排模型"),
    "way_lexical": ("words alone", "仅关键词"),
    "way_dense": ("meaning alone", "仅语义"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two answers."""

    version: str
    way: str
    page: Page | None
    fault: MercerError | None
    """Why there is no page."""
    marks: Mapping[str, int]
    """Product → its place on the other side, from 1; 0 where it is not there."""

    @property
    def milliseconds(self) -> float:
        return sum(self.page.stages.values()) if self.page else 0.0


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/compare."""
    found = routes("compare")
    opened = desk.opened

    @contextlib.contextmanager
    def doors(version: str) -> Iterator[Any]:
        if version == desk.doors.version:
            yield desk.doors
        elif opened is None:
            raise NotFoundError(f"version {version[:80]!r} is not open here", cure="compare ways of the live one")
        else:
            with opened(version) as others:
                yield others

    def side(q: str, version: str, way: str) -> tuple[Page | None, MercerError | None]:
        try:
            if version != desk.doors.version:
                desk.shop.card("index", version)
            with doors(version) as open_doors:
                return _answer(open_doors, records.Request(query=q, k=SHOWN), way), None
        except MercerError as error:
            return None, error

    @found.get("", openapi_extra=ADMIN)
    def compare(request: Request, q: str = "", left: str = "", right: str = "") -> Response:
        left_way, right_way = (request.query_params.get(name, "") for name in ("left_way", "right_way"))
        live = desk.doors.version
        versions = list(dict.fromkeys([live, *(reversed(desk.shop.versions("index")) if opened else ())]))
        others = [one for one in versions if one != live]
        chosen = (left or live, left_way), (right or (others[0] if others else live), right_way)
        if not right and not others and not right_way:
            chosen = chosen[0], (live, "lexical")
        for _, way in chosen:
            if way not in WAYS:
                raise NotFoundError(f"there is no way {way[:40]!r}", cure=f"ways: {', '.join(WAYS)}")
        sides = _sides(chosen, [side(q[:512], version, way) for version, way in chosen]) if q.strip() else []
        return desk.show(
            request, "compare.html", q=q[:512], versions=versions, live=live, ways=list(WAYS), chosen=chosen,
            sides=sides, same=_same(sides), shown=SHOWN, widest=_widest(sides),
        )  # fmt: skip

    return found


def _answer(doors: Any, request: records.Request, way: str) -> Page:
    """What doors answer in one way."""
    if way in SYSTEMS:
        page: Page = doors.search(request, system=way)
    elif WAYS[way]:
        page = doors.arm(WAYS[way]).search(request)
    else:
        page = doors.search(request)
    return page


def _sides(chosen: tuple[tuple[str, str], ...], answers: list[tuple[Page | None, MercerError | None]]) -> list[Side]:
    places = [{hit.id: at for at, hit in enumerate(page.hits, 1)} if page else {} for page, _ in answers]
    return [
        Side(version, way, page, fault, {id: places[1 - here].get(id, 0) for id in places[here]})
        for here, ((version, way), (page, fault)) in enumerate(zip(chosen, answers, strict=True))
    ]


def _same(sides: list[Side]) -> int:
    """Products that both sides show."""
    return sum(place > 0 for place in sides[0].marks.values()) if sides else 0


def _widest(sides: list[Side]) -> float:
    """The largest part of a score, to draw the others beside."""
    hits: list[Hit] = [hit for side in sides if side.page for hit in side.page.hits]
    return max((abs(line.part) for hit in hits for line in hit.ledger), default=0.0) or 1.0


SECTION = Section("compare", ("Compare", "对比"), "answers", pages, PHRASES)
